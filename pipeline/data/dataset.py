"""A data set of photos with instance masks: COCO instance JSON beside a folder of images.

dataset = CocoDataset("data/cat/train")                 # reads data/cat/train.json
image = dataset.load_image(image_id)                    # uint8 (H, W, 3)
masks, class_ids = dataset.load_mask(image_id)          # bool (H, W, N), int32 (N,)
"""

import copy
import difflib
import functools
import itertools
import math
from pathlib import Path

import numpy as np

from mrcnn.images import open_image, read_image
from mrcnn.results.instances import MaskWindow
from pipeline.data.formats import default_annotations, fill_box
from pipeline.data.formats.coco import decode_segmentation, encode_rle, read_coco
from pipeline.data.photo import TURNED, stored_as

IGNORE = -1  # class id of an ignore region (`iscrowd`)


class CocoDataset:
    """Photos and their instances, masks as RLE or polygons.

    An instance may have a `bbox` and no `segmentation`: it is box-only. What it is and where can be learned from it
    and measured, its outline cannot.

    Args:
        folder: path of the folder of images.
        annotations: path of the JSON file. Defaults to the folder's name with `.json` beside it.
        classes: list of str. Only these classes, numbered in this order; instances of others are left out, their
            images stay. Defaults to all.

    Attributes:
        image_ids: list of int, in the order of the file.
        class_names: tuple of str. Classes 1, 2, ..., as asked for or else in the order of their COCO category ids.
        category_ids: tuple of int. The COCO category ids of the same classes.

    Raises:
        ValueError: if the file is missing, is not COCO instance JSON, or names an image that is not in the folder,
            or if a class is not in it, with near matches.
    """

    def __init__(self, folder, annotations=None, classes=None):
        self.folder = Path(folder)
        self.annotations = Path(annotations) if annotations else default_annotations(self.folder)
        if not self.folder.is_dir():
            raise ValueError(f"{self.folder} is not a folder of images")
        if not self.annotations.is_file():
            raise ValueError(
                f"{self.annotations} is missing: it should hold the COCO annotations of {self.folder}; "
                f"`python -m pipeline prepare --data {self.folder}` writes it from what annotation tools write"
            )
        self.images, categories, rows = read_coco(self.annotations, _check)
        missing = [image["file_name"] for image in self.images.values() if not self.path(image["id"]).is_file()]
        if missing:
            raise ValueError(f"{len(missing)} images of {self.annotations} are missing, the first is {missing[0]!r}")
        if classes:
            categories = [_find(name, categories, self.annotations) for name in dict.fromkeys(classes)]
        self._all_images = self.images  # of this data set and of its subsets
        self.image_ids = list(self.images)
        self.class_names = tuple(category["name"] for category in categories)
        self.category_ids = tuple(category["id"] for category in categories)
        self._class_of = {category["id"]: number for number, category in enumerate(categories, start=1)}
        self._rows = {image_id: [] for image_id in self.images}
        for row in rows:
            if row["category_id"] in self._class_of:
                self._rows[row["image_id"]].append(_usable(row))

    def subset(self, image_ids):
        """The same data set with these images alone."""
        part = copy.copy(self)
        part.image_ids = list(image_ids)
        part.images = {image_id: self.images[image_id] for image_id in image_ids}
        part._rows = {image_id: self._rows[image_id] for image_id in image_ids}
        return part

    def __len__(self):
        return len(self.image_ids)

    def path(self, image_id):
        """Path of an image's file."""
        return self.folder / self.images[image_id]["file_name"]

    def has_instances(self, image_id):
        """Whether an image shows at least one instance that is not an ignore region."""
        return any(not row.get("iscrowd") for row in self._rows[image_id])

    def rows(self, image_id):
        """The image's annotations as the file has them, of the chosen classes: list of dict."""
        return self._rows[image_id]

    def boxes(self, image_id):
        """The boxes of the image's instances, ignore regions left out: float64 `(N, 4)`, y1, x1, y2, x2 in pixels."""
        rows = [row for row in self._rows[image_id] if not row.get("iscrowd")]
        boxes = [_corners(row["bbox"]) if "bbox" in row else self._window_box(row) for row in rows]
        return np.array(boxes, np.float64).reshape(-1, 4)

    def count_instances(self):
        """How many instances of each class there are, ignore regions left out: dict from class name to int."""
        counts = dict.fromkeys(self.class_names, 0)
        for rows in self._rows.values():
            for row in rows:
                if not row.get("iscrowd"):
                    counts[self.class_names[self._class_of[row["category_id"]] - 1]] += 1
        return counts

    def count_box_only(self):
        """How many instances have a box and no mask."""
        rows = [row for rows in self._rows.values() for row in rows]
        return sum(not row.get("segmentation") and not row.get("iscrowd") for row in rows)

    def to_coco(self):
        """The data set as COCO's dictionary, with the chosen classes alone and all that its evaluation needs.

        Box-only instances get their filled box as segmentation and the key `box_only`.
        """
        return {
            "images": list(self.images.values()),
            # Numbered from 1: pycocotools takes a match with an annotation of id 0 for none.
            "annotations": [
                self._complete(row) | {"id": number}
                for number, row in enumerate(itertools.chain.from_iterable(self._rows.values()), start=1)
            ],
            "categories": [
                {"id": number, "name": name} for number, name in zip(self.category_ids, self.class_names, strict=True)
            ],
        }

    def load_image(self, image_id):
        """The image as uint8 `(H, W, 3)` RGB, in the orientation that its annotations were drawn in.

        That is upright, or as stored if their size says so. A photo held upside down or mirrored has one size in both:
        then it is as stored if the sizes of the data set's other turned photos say so.

        Raises:
            ValueError: if the image cannot be read, or has another size than the annotations say.
        """
        size = self.images[image_id]["height"], self.images[image_id]["width"]
        image = read_image(self.path(image_id))
        if image.shape[:2] != size or self._is_drawn_as_stored(image_id):
            with open_image(self.path(image_id)) as file:
                image = np.asarray(file.convert("RGB"))
        if image.shape[:2] != size:
            raise ValueError(f"{self.path(image_id)} is {image.shape[:2]} pixels, its annotations are for {size}")
        return image

    def _is_drawn_as_stored(self, image_id):
        """Whether a photo of the size of its annotations was turned by EXIF, and was not when they were drawn."""
        stored, orientation = stored_as(self.path(image_id))
        size = self.images[image_id]["height"], self.images[image_id]["width"]
        return orientation in TURNED and stored == size and self._tool_ignores_exif

    @functools.cached_property
    def _tool_ignores_exif(self):
        """Whether photos that EXIF turns by a quarter were all annotated as stored, which the sizes tell."""
        drawn = set()
        for image in self._all_images.values():
            try:
                stored, orientation = stored_as(self.folder / image["file_name"])
            except Exception:  # each decoder says in a way of its own what is said when the photo is loaded
                continue
            if orientation >= 5 and stored[0] != stored[1]:
                drawn.add((image["height"], image["width"]) == stored)
        return drawn == {True}

    def load_mask(self, image_id):
        """The image's instances; ignore regions are left out, box-only instances are filled boxes.

        Returns:
            masks bool `(H, W, N)` and class_ids int32 `(N,)`, N = 0 for an image without instances.
        """
        windows, class_ids, _ = self.windows(image_id)
        image = self.images[image_id]
        real = [index for index, class_id in enumerate(class_ids) if class_id != IGNORE]
        masks = np.zeros((image["height"], image["width"], len(real)), bool)
        for column, index in enumerate(real):
            masks[(*windows[index].slices, column)] = windows[index].mask
        return masks, class_ids[real].astype(np.int32)

    def windows(self, image_id):
        """The image's instances and ignore regions, each cut to its own box.

        Returns:
            list of N `MaskWindow` without empty ones, class ids int32 `(N,)`, IGNORE for `iscrowd`,
            and outlined bool `(N,)`, False for box-only instances, whose windows are filled.
        """
        windows, class_ids, outlined = [], [], []
        for row in self._rows[image_id]:
            window = self._window(row)
            if window.mask.size:
                windows.append(window)
                class_ids.append(IGNORE if row.get("iscrowd") else self._class_of[row["category_id"]])
                outlined.append(bool(row.get("segmentation")))
        return windows, np.array(class_ids, np.int32), np.array(outlined, bool)

    def _window(self, row):
        image = self.images[row["image_id"]]
        if not row.get("segmentation"):
            return MaskWindow.around(fill_box(_corners(row["bbox"]), (image["height"], image["width"])))
        try:
            return MaskWindow.around(decode_segmentation(row["segmentation"], image["height"], image["width"]))
        except ValueError as error:
            raise ValueError(f"{self.annotations}: annotation {row['id']} cannot be decoded: {error}") from error

    def _window_box(self, row):
        rows, columns = self._window(row).slices
        return rows.start, columns.start, rows.stop, columns.stop

    def _complete(self, row):
        """A row with area, box and `iscrowd`, where the file leaves them out."""
        if "area" not in row or "bbox" not in row:
            window = self._window(row)
            height, width = window.mask.shape
            row = {"area": int(window.mask.sum()), "bbox": [window.left, window.top, width, height], **row}
        if not row.get("segmentation"):
            image = self.images[row["image_id"]]
            mask = fill_box(_corners(row["bbox"]), (image["height"], image["width"]))
            row = {**row, "segmentation": encode_rle(mask)[0], "box_only": True}
        return {"iscrowd": 0, **row}


def _check(images, categories, rows):
    """Raise KeyError, TypeError or ValueError where something that is needed later is missing; see `read_coco`."""
    for image in images.values():
        if not all(isinstance(image[side], int) for side in ("height", "width")):
            raise ValueError(f"image {image['id']} has no size in whole pixels")
    for row in rows:
        number = row["id"]
        if row["image_id"] not in images:
            raise ValueError(f"annotation {number} is of image {row['image_id']}, which is not listed")
        if not row.get("segmentation"):
            if not row.get("bbox"):
                raise ValueError(f"annotation {number} has neither segmentation nor bbox")
            _corners(row["bbox"])


def _usable(row):
    """The row without an area or, beside an outline, a box that is none: tools leave them empty."""
    row = dict(row)
    if row.get("segmentation"):
        try:
            _corners(row.get("bbox"))
        except (ValueError, TypeError):
            row.pop("bbox", None)
    if not isinstance(row.get("area"), int | float) or not math.isfinite(row["area"]):
        row.pop("area", None)
    return row


def _corners(bbox):
    """COCO's `x, y, width, height` as `y1, x1, y2, x2`."""
    if len(bbox) != 4 or not all(math.isfinite(value) for value in bbox):
        raise ValueError(f"bbox is {bbox}, expected x, y, width and height")
    left, top, width, height = bbox
    return top, left, top + height, left + width


def _find(name, categories, path):
    """The category of that name."""
    by_name = {category["name"]: category for category in categories}
    if name not in by_name:
        near = difflib.get_close_matches(name, by_name, n=3)
        hint = f"near matches: {', '.join(near)}" if near else f"there are: {', '.join(by_name) or 'none'}"
        raise ValueError(f"{path} has no class {name!r}; {hint}")
    return by_name[name]
