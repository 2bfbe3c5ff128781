"""COCO instance JSON: polygons, run-length encodings and boxes."""

import json
from pathlib import Path

import numpy as np

from mrcnn.results import run_length
from mrcnn.results.instances import MaskWindow
from pipeline.data.formats import Annotation, Region


class CocoReader:
    """Images that a COCO JSON file names, relative to a folder.

    Args:
        data: Path. Folder that `file_name` is relative to.
        annotations: Path. The JSON file.
    """

    def __init__(self, data, annotations):
        if annotations is None:
            raise ValueError("the coco format needs its JSON file: add --annotations FILE")
        images, categories, rows = read_coco(annotations, lambda images, *_: [_size(row) for row in images.values()])
        names = {row["id"]: row["name"] for row in categories}
        self.sizes = {image_id: _size(row) for image_id, row in images.items()}
        self.rows = {image_id: [] for image_id in images}
        for row in rows:
            if row["image_id"] in self.rows and row["category_id"] in names:
                self.rows[row["image_id"]].append(row | {"class": names[row["category_id"]]})
        self.class_names = list(names.values())
        self.images = {Path(data) / row["file_name"]: row for row in images.values()}
        self.inputs = [*self.images, Path(annotations)]
        self.credits = {}

    def read(self, image, size):
        """Reads the instances of an image; none makes it a negative."""
        image_id = self.images[image]["id"]
        height, width = self.sizes[image_id] or size
        annotation = Annotation(size=(height, width))
        for row in self.rows[image_id]:
            ignore = bool(row.get("iscrowd", 0))
            try:
                if row.get("segmentation"):
                    mask = decode_segmentation(row["segmentation"], height, width)
                    annotation.regions.append(Region(row["class"], mask=mask, ignore=ignore))
                else:
                    left, top, box_width, box_height = (float(value) for value in row["bbox"])
                    box = (top, left, top + box_height, left + box_width)
                    annotation.regions.append(Region(row["class"], box=box, ignore=ignore))
            except (KeyError, TypeError, ValueError):
                annotation.problems.append("segmentation cannot be decoded")
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
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        images = {row["id"]: row for row in content["images"]}
        categories = sorted(content["categories"], key=lambda row: row["id"])
        rows = content["annotations"]
        for row in images.values():
            Path(row["file_name"])
        for row in categories:
            row["name"].strip()
        for row in rows:
            row["image_id"], row["category_id"]
        if check:
            check(images, categories, rows)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"an entry lacks {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{path} is not COCO instance JSON: {reason}") from error
    if not images:
        raise ValueError(f"{path} names no images")
    return images, categories, rows


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
            _check_polygons(segmentation, height, width)
            return rle.decode(rle.merge(rle.frPyObjects(segmentation, height, width))).astype(bool)
        if list(segmentation["size"]) != [height, width]:
            raise ValueError(f"the mask has the size {segmentation['size']}, its image {[height, width]}")
        if isinstance(segmentation["counts"], list):
            if sum(segmentation["counts"]) != height * width:
                raise ValueError("the run lengths do not cover the image")
            segmentation = rle.frPyObjects(segmentation, height, width)
        return rle.decode(segmentation).astype(bool)
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError("it is neither a list of polygons nor run lengths") from error


def _check_polygons(polygons, height, width):
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
