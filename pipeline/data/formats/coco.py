"""COCO instance JSON: polygons, run-length encodings and boxes; also as Roboflow and CVAT lay it out."""

import json
import re
from pathlib import Path

import numpy as np

from mrcnn.results import run_length
from mrcnn.results.instances import MaskWindow
from pipeline.data.formats import Annotation
from pipeline.data.formats.claims import Rows, photos_of_rows
from pipeline.data.split import part_among


class CocoReader:
    """Photos that one or several COCO JSON files name.

    Roboflow writes `train/_annotations.coco.json` beside the photos, CVAT and COCO itself
    `annotations/instances_*.json` beside `images/`.
    """

    looks_for = "JSON with images, annotations and categories"

    @staticmethod
    def recognises(source):
        pointed_at = source.annotations and source.where.is_file() and source.where.suffix.lower() == ".json"
        return bool(source.first_json(_is_coco) or (pointed_at and source.json(source.where) is None))

    def __init__(self, source, options):
        files = [path for path in source.files(".json") if _is_coco(source.json(path)) or path == source.annotations]
        instances = [path for path in files if path.name.startswith("instances")]  # COCO has captions beside them
        if not files:
            raise ValueError(f"{source.where} holds no COCO instance JSON: {self.looks_for}")
        self.rows, self.parts, self.names = Rows(_object_of), {}, {}
        dummies = self._add(source, instances or files)
        self.notes, self.credits = self.rows.notes(), {}
        self.images = list(self.rows.of)
        used = {row["class"] for rows in self.rows.of.values() for row in rows}
        for name in sorted(dummies - used):
            del self.names[name]
            self.notes.append(
                f"the class {name!r} has no objects and stands over the others, as in exports of Roboflow: left out"
            )
        self.class_names = list(self.names)
        self.inputs = [*self.images, *(instances or files)]
        count = len(instances or files)
        self.saw = f"COCO JSON of {len(self.images)} photos" + (f" in {count} files" if count > 1 else "")

    def _add(self, source, files):
        """Takes the rows of the files; returns the names of their categories that stand over the others."""
        contents, named, dummies = {}, [], set()
        for path in files:
            images, *_ = contents[path] = read_coco(path, lambda images, *_: [_size(row) for row in images.values()])
            part = part_among([_part(path) or ""])
            named += [(str(row["file_name"]), path, part) for row in images.values()]
        photos = iter(photos_of_rows(source, named))
        for path, (images, categories, annotations) in contents.items():
            names = {row["id"]: row["name"].strip() for row in categories}
            self.names |= dict.fromkeys(names.values())
            dummies |= {row.get("supercategory") for row in categories} & set(names.values())
            rows_of = {image_id: [] for image_id in images}
            for row in annotations:
                if row["image_id"] in images:
                    category = row["category_id"]
                    if category not in names:
                        raise ValueError(f"annotation {row.get('id')} has the category {category}, not listed")
                    rows_of[row["image_id"]].append(row | {"class": names[category]})
            for image_id, photo in zip(images, photos, strict=False):
                self.rows.add(photo, rows_of[image_id], _size(images[image_id]))
                if _part(path) and len(files) > 1:
                    self.parts[photo] = _part(path)
        return dummies

    def read(self, image, size):
        """Reads the instances of an image; none makes it a negative."""
        height, width = self.rows.size(image) or size
        annotation = Annotation(size=(height, width))
        for row in self.rows.of[image]:
            ignore, box = bool(row.get("iscrowd", 0)), box_of(row)
            if row.get("segmentation"):
                annotation.add(row["class"], lambda row=row: _decode(row, height, width), box, ignore)
            elif box:
                annotation.add_box(row["class"], box, ignore)
            else:
                problem = "box without four numbers" if "bbox" in row else "neither outline nor box"
                annotation.add_unreadable(row["class"], problem)
        return annotation


def read_coco(path, check=None):
    """The three lists of a COCO instance JSON file.

    Args:
        path: path of the file.
        check: function of what is returned, which looks at what its caller needs besides and may raise `ValueError`,
            `KeyError` or `TypeError`. Defaults to none.

    Returns:
        dict from id to image, list of categories in the order of their ids, and list of annotations, all as the file
        has them. Images have `file_name`, categories `name`, annotations `image_id` and `category_id`.

    Raises:
        ValueError: if the file is anything else, or names no images.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
        images = {}
        for row in content["images"]:
            if images.setdefault(row["id"], row) is not row:
                raise ValueError(f"two images have the id {row['id']}: annotations do not tell which they mean")
        categories = sorted(content["categories"], key=lambda row: row["id"])
        rows = content["annotations"]
        for row in images.values():
            Path(row["file_name"])
        for row in categories:
            row["name"].strip(), hash(row["id"])
        for row in rows:
            hash((row["image_id"], row["category_id"]))
        if check:
            check(images, categories, rows)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = f"an entry lacks {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{path} is not COCO instance JSON: {reason}") from error
    if not images:
        raise ValueError(f"{path} names no images")
    return images, categories, rows


def _object_of(row):
    """What makes a row the same object as another one: shape, class and whether it is a crowd."""
    return json.dumps([row["class"], row.get("segmentation") or row.get("bbox"), bool(row.get("iscrowd"))])


def _is_coco(content):
    return isinstance(content, dict) and isinstance(content.get("images"), list)


def _part(path):
    """The part of the data that one of several files stands for: `instances_train2017.json` is train."""
    name = re.sub(r"^(instances|_?annotations)|(_?annotations)?(\.coco)?$", "", path.stem)
    return re.sub(r"[_.\-]|\d{4}$", "", name) or None


def _decode(row, height, width):
    try:
        return decode_segmentation(row["segmentation"], height, width)
    except ValueError as error:
        raise ValueError("segmentation cannot be decoded") from error


def box_of(row):
    """The box y1, x1, y2, x2 of a row, None if it states none that can be."""
    try:
        left, top, width, height = (float(value) for value in row["bbox"])
    except (KeyError, TypeError, ValueError):
        return None
    if not np.isfinite([left, top, width, height]).all():
        return None
    return (top, left, top + height, left + width)


def _size(image):
    """The (height, width) that an image row states, or None."""
    if image.get("height") is None or image.get("width") is None:
        return None
    return int(image["height"]), int(image["width"])


def decode_segmentation(segmentation, height, width):
    """Decodes polygons, or RLE with its counts as list or as string, to a bool array (height, width).

    Raises:
        ValueError: it is neither, or not one of an image of this size; pycocotools would misread it, or take all
            memory for a polygon that ends at infinity.
    """
    from pycocotools import mask as rle

    try:
        if isinstance(segmentation, list):
            check_polygons(segmentation, height, width)
            return rle.decode(rle.merge(rle.frPyObjects(segmentation, height, width))).astype(bool)
        if list(segmentation["size"]) != [height, width]:
            raise ValueError(f"the mask has the size {segmentation['size']}, its image {[height, width]}")
        as_list = isinstance(segmentation["counts"], list)
        counts = np.array(segmentation["counts"]) if as_list else run_length.decompress_counts(segmentation["counts"])
        # pycocotools makes a mask of any text.
        if counts.min(initial=0) < 0 or counts.sum() != height * width:
            raise ValueError("the run lengths do not cover the image")
        if as_list:
            segmentation = rle.frPyObjects(segmentation, height, width)
        return rle.decode(segmentation).astype(bool)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError("it is neither a list of polygons nor run lengths") from error


def check_polygons(polygons, height, width):
    """Refuses polygons, lists of x, y, x, y, ..., that cannot be outlines in an image of this size.

    Raises:
        ValueError: in a few words.
    """
    if not polygons or any(len(polygon) < 6 for polygon in polygons):
        raise ValueError("a polygon has fewer than three corners")
    farthest = 10 * max(height, width)  # some tools let an outline leave the image, none that far
    if not all(abs(coordinate) <= farthest for polygon in polygons for coordinate in polygon):
        raise ValueError("a polygon lies outside of the image")


def decode_rle(segmentation):
    """Decodes a compressed RLE dictionary to a bool array (height, width)."""
    from pycocotools import mask as rle

    return rle.decode(segmentation).astype(bool)


def encode_rle(mask):
    """Encodes a bool array (height, width) as RLE with its counts as a string.

    Returns:
        The RLE dictionary, the box [x, y, width, height] in pixels and the area in pixels.
    """
    window = MaskWindow.around(mask)
    height, width = window.mask.shape
    box = [float(edge) for edge in (window.left, window.top, width, height)]
    return run_length.encode_rle(window, mask.shape), box, int(np.count_nonzero(window.mask))
