"""The record of what the network found in one image, before thresholds.

It is small enough to be kept: 30 detections with their 56 x 56 soft masks are 190 KB, whatever the size of the image.
Thresholds are applied to it afterwards, so that a slider does not run the network again.
"""

import dataclasses

import numpy as np

from mrcnn.results.boxes import expand_boxes
from mrcnn.results.clean import clean_masks
from mrcnn.results.instances import Instances
from mrcnn.results.paste import paste_mask


@dataclasses.dataclass(frozen=True)
class Detections:
    """What the network found in one image, before thresholds.

    Attributes:
        boxes: float32 `(N, 4)` y1, x1, y2, x2 in pixels of the original image, inside it. What the box head says; the
            boxes of `Instances` are those of the masks.
        scores: float32 `(N,)`, 0 to 1, descending.
        class_ids: int32 `(N,)`, 1-based.
        soft_masks: float16 `(N, S, S)`, float32 for matterport's models. Probability that a cell belongs to the object;
            the cells tile `regions`.
        image_size: `(height, width)` of the original image in pixels.
        class_names: tuple of str. Names of the classes 1, 2, ...
        regions: float32 `(N, 4)`. Where the mask head looked: boxes with its margin around them, in pixels of the
            original image and not cut to it. Defaults to the boxes.
        mask_fading: bool. Whether masks fade out at the edge of their box, see `mrcnn.results.paste.paste_mask`.
        category_ids: tuple of int. Ids of the classes 1, 2, ... in COCO's format; empty where they are the same.
    """

    boxes: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray
    soft_masks: np.ndarray
    image_size: tuple[int, int]
    class_names: tuple[str, ...]
    regions: np.ndarray | None = None
    mask_fading: bool = True
    category_ids: tuple[int, ...] = ()

    def __post_init__(self):
        if self.regions is None:
            object.__setattr__(self, "regions", self.boxes)

    @classmethod
    def from_network(cls, found, boxes, image_size, config, soft_mask_dtype=np.float16, mask_fading=True):
        """The record of one image from what a network gave for its canvas.

        Args:
            found: dict of arrays, the rows of one image of what `mrcnn.network.Network.detect` gives.
            boxes: float32 `(N, 4)`. Those of `found`, in pixels of the original image; they may reach out of it into
                what the canvas is filled up with.
            image_size: `(height, width)` of the original image in pixels.
            config: `mrcnn.config.Config` of the network.
            soft_mask_dtype: numpy dtype of the kept masks. Defaults to float16.
            mask_fading: bool. See the class. Defaults to `True`.
        """
        limits = np.array([*image_size, *image_size], np.float32)
        return cls(
            boxes=np.clip(boxes, 0, limits),
            scores=found["scores"],
            class_ids=found["class_ids"],
            soft_masks=found["masks"].astype(soft_mask_dtype),
            image_size=tuple(image_size),
            class_names=tuple(config.class_names),
            regions=expand_boxes(boxes, config.mask_margin),
            mask_fading=mask_fading,
            category_ids=tuple(config.coco_category_ids),
        )

    def __len__(self):
        return len(self.scores)

    def __getitem__(self, rows):
        """The chosen rows as `Detections`; `rows` is a slice, a bool mask or an array of indices."""
        names = ("boxes", "scores", "class_ids", "soft_masks", "regions")
        return dataclasses.replace(self, **{name: getattr(self, name)[rows] for name in names})

    def resized(self, image_size):
        """The same detections in the image scaled to `image_size` `(height, width)`."""
        scale = np.tile(np.array(image_size) / np.array(self.image_size), 2).astype(np.float32)
        size = tuple(int(side) for side in image_size)
        return dataclasses.replace(self, boxes=self.boxes * scale, regions=self.regions * scale, image_size=size)

    def paste(self, mask_threshold=0.5):
        """The masks as the network draws them, each by itself.

        Args:
            mask_threshold: float. Pixels above this probability belong to the object. Defaults to 0.5.

        Returns:
            list of N `mrcnn.results.instances.MaskWindow`.
        """
        return [
            paste_mask(soft_mask, region, self.image_size, mask_threshold, self.mask_fading)
            for soft_mask, region in zip(self.soft_masks, self.regions, strict=True)
        ]

    def instances(self, confidence=0.5, mask_threshold=0.5, overlaps=False):
        """The detections of at least this score, with their masks at the size of the image.

        Tiny pieces of masks are dropped and tiny holes filled, see `mrcnn.results.clean`, and each pixel belongs to the
        surest of the objects that claim it.

        Args:
            confidence: float. Lowest score, 0 to 1. Defaults to 0.5.
            mask_threshold: float. Pixels above this probability belong to the object. Defaults to 0.5.
            overlaps: bool. Whether a pixel may belong to several objects, as the COCO evaluation expects. Defaults to
                `False`.

        Returns:
            `mrcnn.Instances`. Boxes are those of the masks; that of the box head stays where a mask is empty, because
            it was below the threshold everywhere or surer objects took all its pixels.
        """
        kept = self[self.scores >= confidence]
        windows = clean_masks(kept.paste(mask_threshold), overlaps)
        return Instances(
            boxes=[window.box if window.mask.size else box for window, box in zip(windows, kept.boxes, strict=True)],
            scores=kept.scores,
            class_ids=kept.class_ids,
            class_names=[self.class_names[class_id - 1] for class_id in kept.class_ids],
            image_size=self.image_size,
            windows=windows,
            category_ids=self.category_ids,
        )
