"""The result of instance segmentation: one row an object, as plain numpy.

A mask is nearly always far smaller than its image, so `Instances` keeps each mask as a `MaskWindow` (the
part inside the box) and builds whole-image masks only for who asks for them. Thirty cats in a 12-megapixel
photo are 360 MB as whole masks and a few MB as windows.
"""

import dataclasses
import functools

import numpy as np

from mrcnn.results.run_length import encode_rle


@dataclasses.dataclass(frozen=True, eq=False)
class MaskWindow:
    """A rectangular part of an image-sized mask; outside of it the mask is False.

    Args:
        top: int. Row of the image where the window begins.
        left: int. Column of the image where the window begins.
        mask: bool array of shape `(height, width)`.
    """

    top: int
    left: int
    mask: np.ndarray

    @property
    def slices(self):
        """The window's place in an image: `image[window.slices]` has the shape of `window.mask`."""
        height, width = self.mask.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    @property
    def box(self):
        """The window's edges `(y1, x1, y2, x2)` in pixels of the image; `y2` and `x2` are exclusive."""
        height, width = self.mask.shape
        return self.top, self.left, self.top + height, self.left + width

    @classmethod
    def around(cls, mask):
        """The smallest window that holds every True of a whole-image mask.

        Args:
            mask: bool array of shape `(H, W)`.

        Returns:
            A `MaskWindow`, of shape `(0, 0)` where the mask has no True at all.
        """
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            return cls(0, 0, np.zeros((0, 0), bool))
        top, left = int(rows[0]), int(columns[0])
        return cls(top, left, np.ascontiguousarray(mask[top : rows[-1] + 1, left : columns[-1] + 1]))


@dataclasses.dataclass(frozen=True, eq=False)
class Instances:
    """Segmented objects of one image, best score first.

    Args:
        boxes: float32 array of shape `(N, 4)`: `y1, x1, y2, x2` in pixels of the image; `y2` and `x2` are
            exclusive.
        scores: float32 array of shape `(N,)`, in `[0, 1]`, descending.
        class_ids: int32 array of shape `(N,)`, 1-based; 0 is the background.
        class_names: list of `N` strings, one a row.
        image_size: `(height, width)` of the image in pixels.
        windows: list of `N` `MaskWindow`, each within the image.
        category_ids: tuple of int. Ids of the model's classes 1, 2, ... in COCO's format, for `to_coco`. Defaults to
            none: class ids are category ids.

    Raises:
        ValueError: if the rows do not agree in number.

    Indexing gives `Instances` again: `found[0]`, `found[:3]`, `found[found.scores > 0.9]`.
    """

    boxes: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray
    class_names: list
    image_size: tuple
    windows: list
    category_ids: tuple = ()

    def __post_init__(self):
        convert = functools.partial(object.__setattr__, self)
        convert("boxes", np.asarray(self.boxes, np.float32).reshape(-1, 4))
        convert("scores", np.asarray(self.scores, np.float32).reshape(-1))
        convert("class_ids", np.asarray(self.class_ids, np.int32).reshape(-1))
        convert("class_names", list(self.class_names))
        convert("windows", list(self.windows))
        convert("image_size", (int(self.image_size[0]), int(self.image_size[1])))
        counts = {name: len(getattr(self, name)) for name in ("boxes", "scores", "class_ids", "class_names", "windows")}
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{count} {name}" for name, count in counts.items())
            raise ValueError(f"Instances need as many rows of each kind, but came with {listed}.")

    @classmethod
    def empty(cls, image_size):
        """No objects, in an image of `image_size` `(height, width)`."""
        return cls(np.zeros((0, 4)), [], [], [], image_size, [])

    @classmethod
    def from_masks(cls, masks, class_ids, scores=None, class_names=None):
        """Instances from whole-image masks; each box is the tight box of its mask.

        Args:
            masks: bool array of shape `(N, H, W)`.
            class_ids: `N` integers, 1-based.
            scores: `N` floats in `[0, 1]`. Defaults to 1 for each.
            class_names: `N` strings, one a row. Defaults to `"class 1"` and so on.

        Returns:
            `Instances`, sorted by descending score. An empty mask has the box `0, 0, 0, 0`.

        Raises:
            ValueError: if `masks` is not three-dimensional.
        """
        masks = np.asarray(masks, bool)
        if masks.ndim != 3:
            raise ValueError(f"Masks must be an array of shape (N, H, W), but came with the shape {masks.shape}.")
        class_ids = np.asarray(class_ids, np.int32).reshape(-1)
        scores = np.ones(len(masks), np.float32) if scores is None else np.asarray(scores, np.float32)
        if class_names is None:
            class_names = [f"class {class_id}" for class_id in class_ids]
        windows = [MaskWindow.around(mask) for mask in masks]
        boxes = [window.box for window in windows]
        found = cls(boxes, scores, class_ids, class_names, masks.shape[1:], windows)
        return found[np.argsort(-scores, kind="stable")]

    def __len__(self):
        return len(self.scores)

    def __getitem__(self, rows):
        """The chosen rows as `Instances`; `rows` is an int, a slice, a bool mask or an array of indices."""
        if isinstance(rows, int | np.integer):
            rows = [rows]
        rows = np.arange(len(self))[rows]
        return Instances(
            self.boxes[rows],
            self.scores[rows],
            self.class_ids[rows],
            [self.class_names[row] for row in rows],
            self.image_size,
            [self.windows[row] for row in rows],
            self.category_ids,
        )

    def __repr__(self):
        rows = ", ".join(f"{name} {score:.2f}" for name, score in zip(self.class_names, self.scores, strict=True))
        return f"Instances({rows or 'none'}; image {self.image_size[0]}x{self.image_size[1]})"

    @functools.cached_property
    def masks(self):
        """bool array of shape `(N, H, W)`: whole-image masks, built at the first use."""
        masks = np.zeros((len(self), *self.image_size), bool)
        for mask, window in zip(masks, self.windows, strict=True):
            mask[window.slices] = window.mask
        return masks

    @functools.cached_property
    def areas(self):
        """int64 array of shape `(N,)`: the pixels of each mask."""
        return np.array([np.count_nonzero(window.mask) for window in self.windows], np.int64)

    def semantic_map(self):
        """The class of each pixel, whichever object it belongs to.

        Returns:
            uint8 array of shape `(H, W)`, uint16 if a class id is above 255; 0 is the background. Where masks overlap,
            the higher score wins.
        """
        return self._painted(self.class_ids, np.uint8 if self.class_ids.max(initial=0) <= 255 else np.uint16)

    def instance_map(self, dtype=np.uint16):
        """The object of each pixel: like `semantic_map`, with the row number plus one instead of the class.

        Args:
            dtype: numpy dtype that holds the number of rows. Defaults to uint16.

        Returns:
            `dtype` array of shape `(H, W)`; 0 is the background, 1 the first row.
        """
        return self._painted(np.arange(1, len(self) + 1), dtype)

    def _painted(self, values, dtype):
        """One value a row, painted from the last row to the first, so that the higher score lies on top."""
        painted = np.zeros(self.image_size, dtype)
        for value, window in zip(values[::-1], self.windows[::-1], strict=True):
            painted[window.slices][window.mask] = value
        return painted

    def category_id(self, class_id):
        """The id of a class in COCO's format: that of the data which the model was trained on."""
        return int(self.category_ids[class_id - 1]) if self.category_ids else class_id

    def to_coco(self, image_id=1):
        """The rows in the results format of the COCO evaluation.

        Args:
            image_id: int or str. The image's id in the annotation file. Defaults to 1.

        Returns:
            A list of dicts of plain Python values, ready for `json.dump`: `image_id`, `category_id`, `bbox`
            (`x, y, width, height` in pixels), `score`, `area` (pixels of the mask) and `segmentation`
            (compressed RLE of the whole image, `counts` as str).
        """
        results = []
        for row, window in enumerate(self.windows):
            y1, x1, y2, x2 = self.boxes[row].tolist()
            results.append(
                {
                    "image_id": image_id,
                    "category_id": self.category_id(int(self.class_ids[row])),
                    "bbox": [round(value, 2) for value in (x1, y1, x2 - x1, y2 - y1)],
                    "score": round(float(self.scores[row]), 5),
                    "area": int(self.areas[row]),
                    "segmentation": encode_rle(window, self.image_size),
                }
            )
        return results
