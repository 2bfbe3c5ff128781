"""CVAT XML for images: one `annotations.xml` for all photos."""

import xml.etree.ElementTree as ElementTree

import numpy as np

from pipeline.data.formats import Annotation
from pipeline.data.formats.claims import Rows, photos_of_rows
from pipeline.data.formats.shapes import bounds, ellipse, mask_in_box, polygon_mask
from pipeline.data.formats.source import sorted_names

SHAPES = ("box", "polygon", "polyline", "ellipse", "mask", "points", "cuboid", "skeleton")


class CvatReader:
    """Photos that CVAT XML names. Shapes of one label and one `group_id` are parts of one object."""

    looks_for = "annotations.xml of CVAT, with image elements"

    @staticmethod
    def recognises(source):
        return source.first_xml("annotations") is not None

    def __init__(self, source, options):
        self.credits, self.parts, elements, files, names = {}, {}, [], [], []
        for path in source.files(".xml"):
            try:
                root = ElementTree.parse(path).getroot()
            except (ElementTree.ParseError, UnicodeDecodeError) as error:
                raise ValueError(f"{path} is not readable XML ({error})") from error
            if root.tag != "annotations":
                continue
            files.append(path)
            if root.find("track") is not None:
                raise ValueError(f"{path} holds tracks of a video: export it from CVAT as CVAT for images")
            names += [label.findtext("name", "").strip() for label in root.iterfind("meta//label")]
            elements += [(path, element) for element in root.iterfind("image")]
        if not elements:
            raise ValueError(f"{source.where} holds no CVAT XML that names photos: {self.looks_for}")
        photos = photos_of_rows(source, [(element.get("name", "unnamed"), path, None) for path, element in elements])
        self.rows = Rows(_object_of)
        for photo, (_, element) in zip(photos, elements, strict=True):
            self.rows.add(photo, [shape for shape in element if shape.tag in SHAPES], _size(element))
        names += [shape.get("label", "").strip() for shapes in self.rows.of.values() for shape in shapes]
        self.images, self.inputs = list(self.rows.of), [*self.rows.of, *files]
        self.notes, self.class_names = self.rows.notes(), sorted_names(names)
        self.saw = f"CVAT XML of {len(self.images)} photos"

    def read(self, image, size):
        """Reads the shapes of an image; none makes it a negative."""
        annotation = Annotation(size=self.rows.size(image))
        size = annotation.size or size
        objects = {}
        for number, shape in enumerate(self.rows.of[image]):
            name, group = shape.get("label", "").strip(), shape.get("group_id", "0")
            objects.setdefault((name, number if group == "0" else f"group {group}"), []).append(shape)
        for (name, _), shapes in objects.items():
            boxes = [box for box in map(_box, shapes) if box]
            box = (*np.min(boxes, axis=0)[:2], *np.max(boxes, axis=0)[2:]) if boxes else None
            if all(shape.tag == "box" and not float(shape.get("rotation", 0)) for shape in shapes) and box:
                annotation.add_box(name, box)
            else:
                annotation.add(name, lambda shapes=shapes: _draw(shapes, size), box)
        return annotation


def _object_of(shape):
    """What makes a shape the same object as another one: all but how it was made and lies on others."""
    stated = {key: value for key, value in shape.attrib.items() if key not in ("source", "occluded", "z_order")}
    return shape.tag, *sorted(stated.items()), *(_object_of(part) for part in shape if part.tag in SHAPES)


def _size(element):
    height, width = element.get("height", ""), element.get("width", "")
    return (int(height), int(width)) if height.isdigit() and width.isdigit() else None


def _draw(shapes, size):
    """The union of an object's shapes."""
    mask = np.zeros(size, bool)
    for shape in shapes:
        try:
            if shape.tag == "mask":
                top, left, height, width = (int(float(shape.get(key))) for key in ("top", "left", "height", "width"))
                mask |= mask_in_box(_run_lengths(shape.get("rle"), height, width), top, left, size)
            else:
                mask |= polygon_mask([_outline(shape)], size)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"a CVAT {shape.tag} is incomplete") from error
    return mask


def _outline(shape):
    """Points (x, y) of a shape.

    Raises:
        ValueError: if it has no outline.
    """
    if shape.tag in ("polygon", "polyline"):
        return _points(shape)
    angle = np.deg2rad(float(shape.get("rotation", 0)))
    if shape.tag == "ellipse":
        return ellipse(*(float(shape.get(key)) for key in ("cx", "cy", "rx", "ry")), angle)
    if shape.tag == "box":  # turned around its centre
        x1, y1, x2, y2 = (float(shape.get(key)) for key in ("xtl", "ytl", "xbr", "ybr"))
        centre, half = np.array([x1 + x2, y1 + y2]) / 2, np.array([x2 - x1, y2 - y1]) / 2
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return corners @ turn + centre
    raise ValueError(f"a CVAT {shape.tag} has no outline")


def _points(shape):
    return [[float(value) for value in pair.split(",")] for pair in shape.get("points").split(";")]


def _box(shape):
    """The box y1, x1, y2, x2 of a shape, None if it states none that can be read."""
    try:
        if shape.tag == "mask":
            top, left, height, width = (float(shape.get(key)) for key in ("top", "left", "height", "width"))
            return (top, left, top + height, left + width)
        if shape.tag == "skeleton":
            return bounds([point for part in shape.iter("points") for point in _points(part)])
        return bounds(_points(shape) if shape.tag == "points" else _outline(shape))
    except (TypeError, AttributeError, ValueError):
        return None


def _run_lengths(text, height, width):
    """CVAT's run lengths: row by row, beginning with False."""
    lengths = np.array([int(value) for value in text.split(",")])
    if (lengths < 0).any() or lengths.sum() != height * width:
        raise ValueError("run lengths of a CVAT mask do not cover its box")
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(height, width)
