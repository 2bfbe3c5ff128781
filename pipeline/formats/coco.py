"""COCO instance JSON: polygons, run-length encodings and boxes."""

import json
from pathlib import Path

import numpy as np

from pipeline.formats import Annotation, Region


class CocoReader:
    """Pictures that a COCO JSON file names, relative to a folder.

    Args:
        data: Path. Folder that `file_name` is relative to.
        annotations: Path. The JSON file.
    """

    def __init__(self, data, annotations):
        if annotations is None:
            raise ValueError("the coco format needs its JSON file: add --annotations FILE")
        try:
            content = json.loads(Path(annotations).read_text(encoding="utf-8"))
            names = {row["id"]: row["name"] for row in sorted(content["categories"], key=lambda row: row["id"])}
            images = {row["id"]: row for row in content["images"]}
            rows = content["annotations"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{annotations} is not COCO instance JSON with images, annotations and categories ({error!r})"
            ) from error
        self.class_names = list(names.values())
        self.pictures = [Path(data) / row["file_name"] for row in images.values()]
        self.images = dict(zip(self.pictures, images.values(), strict=True))
        self.inputs = [*self.pictures, Path(annotations)]
        self.credits = {}
        self.rows = {image_id: [] for image_id in images}
        for row in rows:
            if row["image_id"] in self.rows and row["category_id"] in names:
                self.rows[row["image_id"]].append(row | {"class": names[row["category_id"]]})

    def read(self, picture, size):
        """Reads the instances of a picture; none makes it a negative."""
        image = self.images[picture]
        height, width = int(image.get("height", size[0])), int(image.get("width", size[1]))
        annotation = Annotation(size=(height, width))
        for row in self.rows[image["id"]]:
            ignore = bool(row.get("iscrowd", 0))
            try:
                if row.get("segmentation"):
                    mask = _decode(row["segmentation"], height, width)
                    annotation.regions.append(Region(row["class"], mask=mask, ignore=ignore))
                else:
                    left, top, box_width, box_height = (float(value) for value in row["bbox"])
                    box = (top, left, top + box_height, left + box_width)
                    annotation.regions.append(Region(row["class"], box=box, ignore=ignore))
            except (KeyError, TypeError, ValueError):
                annotation.problems.append("segmentation cannot be decoded")
        return annotation


def _decode(segmentation, height, width):
    """`decode_segmentation` of what a user brings: refuses what pycocotools would misread."""
    if isinstance(segmentation, list):
        if any(len(polygon) < 6 for polygon in segmentation):
            raise ValueError("a polygon has fewer than three corners")
    elif isinstance(segmentation["counts"], list) and sum(segmentation["counts"]) != height * width:
        raise ValueError("the run lengths do not cover the picture")
    mask = decode_segmentation(segmentation, height, width)
    return mask if mask.shape == (height, width) else _wrong_size(mask)


def _wrong_size(mask):
    raise ValueError(f"the mask has {mask.shape[1]}x{mask.shape[0]} pixels, not those of its picture")


def decode_segmentation(segmentation, height, width):
    """Decodes polygons, or RLE with its counts as list or as string, to a bool array (height, width)."""
    from pycocotools import mask as rle

    if isinstance(segmentation, list):
        segmentation = rle.merge(rle.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation["counts"], list):
        segmentation = rle.frPyObjects(segmentation, height, width)
    return rle.decode(segmentation).astype(bool)


def decode_rle(segmentation):
    """Decodes a compressed RLE dictionary to a bool array (height, width)."""
    from pycocotools import mask as rle

    return rle.decode(segmentation).astype(bool)


def encode_rle(mask):
    """Encodes a bool array (height, width) as RLE with its counts as a string.

    Returns:
        The RLE dictionary, the box [x, y, width, height] in pixels and the area in pixels.
    """
    from pycocotools import mask as rle

    encoded = rle.encode(np.asfortranarray(mask, np.uint8))
    box = [float(edge) for edge in rle.toBbox(encoded)]
    return (
        {"size": list(mask.shape), "counts": encoded["counts"].decode("ascii")},
        box,
        int(rle.area(encoded)),
    )
