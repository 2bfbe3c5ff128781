"""labelme JSON, one file a photo, which lies beside it or within it."""

import base64
import binascii
import io

import numpy as np

from pipeline.data.formats import Annotation
from pipeline.data.formats.claims import one_file_each
from pipeline.data.formats.shapes import bounds, ellipse, mask_in_box, polygon_mask, rectangle, to_numbers
from pipeline.data.formats.source import sorted_names


class LabelmeReader:
    """Photos with a labelme file: the photo that it names, or else the one that is embedded in it.

    Shapes of one label and one `group_id` are parts of one object.
    """

    looks_for = "labelme JSON with shapes and imagePath"

    @staticmethod
    def recognises(source):
        return source.first_json(_is_labelme) is not None

    def __init__(self, source, options):
        self.source, self.credits, self.parts = source, {}, {}
        names, names_of, elsewhere, unpacked = [], {}, {}, 0
        for path in source.files(".json"):
            content = source.json(path)
            if not _is_labelme(content):
                continue
            names += [str(shape.get("label", "")).strip() for shape in content["shapes"]]
            names_of[path] = (str(content.get("imagePath") or path.stem), path.stem)
            elsewhere[path] = source.data / names_of[path][0]
            found = any(source.find(name, path) for name in names_of[path])
            if not found and content.get("imageData") and options.unpack:
                elsewhere[path] = options.unpack / path.relative_to(source.folder).with_suffix(".png")
                _unpack(content["imageData"], elsewhere[path])
                unpacked += 1
        files = list(names_of)
        if not files:
            raise ValueError(f"{source.where} holds no labelme files: {self.looks_for}")
        self.files, self.notes = one_file_each(source, names_of, elsewhere)
        if unpacked:
            self.notes.append(f"{unpacked} photos lie within their labelme files: written to {options.unpack}")
        self.images, self.inputs = list(self.files), [*self.files, *files]
        self.class_names = sorted_names(names)
        self.saw = f"{len(files)} labelme file" + "s" * (len(files) > 1)

    def read(self, image, size):
        """Reads the shapes of an image; none makes it a negative."""
        content = self.source.json(self.files[image])
        annotation = Annotation(size=_size(content))
        objects = {}
        for number, shape in enumerate(content["shapes"]):
            name, group = str(shape.get("label", "")).strip(), shape.get("group_id")
            objects.setdefault((name, number if group is None else f"group {group}"), []).append(shape)
        for (name, _), shapes in objects.items():
            draw = lambda shapes=shapes: _draw(shapes, annotation.size or size)  # noqa: E731
            annotation.add(name, draw, bounds([point for shape in shapes for point in shape.get("points") or []]))
        return annotation


def _is_labelme(content):
    return isinstance(content, dict) and isinstance(content.get("shapes"), list) and "imagePath" in content


def _size(content):
    try:
        return int(content["imageHeight"]), int(content["imageWidth"])
    except (KeyError, TypeError, ValueError):
        return None


def _draw(shapes, size):
    """The union of an object's shapes."""
    mask = np.zeros(size, bool)
    for shape in shapes:
        kind, points = shape.get("shape_type") or "polygon", to_numbers(shape.get("points"))
        if kind == "mask" and len(points) == 2:
            left, top = points.min(axis=0)
            mask |= mask_in_box(_decode(shape.get("mask")), round(top), round(left), size)
        elif kind == "polygon":
            mask |= polygon_mask([points], size)
        elif kind in ("rectangle", "oriented_rectangle") and len(points) in (2, 4):
            mask |= polygon_mask([rectangle(*points[0], *points[1]) if len(points) == 2 else points], size)
        elif kind == "circle" and len(points) == 2:  # its centre, and a point on it
            radius = float(np.hypot(*(points[1] - points[0])))
            mask |= polygon_mask([ellipse(*points[0], radius, radius)], size)
        else:
            raise ValueError(f"a labelme {kind} has no outline")
    return mask


def _decode(text):
    from mrcnn.images import open_image

    try:
        return np.asarray(open_image(io.BytesIO(base64.b64decode(text))).convert("L")) > 0
    except (binascii.Error, TypeError, OSError, SyntaxError, ValueError) as error:
        raise ValueError("mask in a labelme file cannot be read") from error


def _unpack(text, photo):
    """Writes an embedded photo, upright and without loss, unless it was written before."""
    from PIL import Image

    from mrcnn.atomic import atomic_file
    from mrcnn.images import open_image, read_image

    if photo.exists():
        return
    try:
        image = read_image(open_image(io.BytesIO(base64.b64decode(text))))
    except (binascii.Error, TypeError, OSError, SyntaxError, ValueError):
        return  # then it is missing, which is said with the others
    photo.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(photo) as file:
        Image.fromarray(image).save(file, "PNG")
