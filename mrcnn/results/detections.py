"""The record of what the network found in one image, before thresholds.

It is small enough to be kept: 30 detections with their 56 x 56 soft masks are 190 KB, whatever the size of the image.
Thresholds are applied to it afterwards, so that a slider does not run the network again.
"""

import dataclasses

import numpy as np

from mrcnn.results.boxes import expand_boxes
from mrcnn.results.instances import Instances
from mrcnn.results.paste import paste_mask


@dataclasses.dataclass(frozen=True)
class Detections:
    """What the network found in one image, before thresholds.

    Attributes:
        boxes: float32 `(N, 4)` y1, x1, y2, x2 in pixels of the original image, inside it.
        scores: float32 `(N,)`, 0 to 1, descending.
        class_ids: int32 `(N,)`, 1-based.
        soft_masks: float16 `(N, S, S)`, float32 for matterport's models. Probability that a cell belongs to the object;
            the cells tile the box enlarged by `mask_margin`.
        image_size: `(height, width)` of the original image in pixels.
        class_names: tuple of str. Names of the classes 1, 2, ...
        mask_margin: float. Share of the box's sides that its soft mask reaches beyond each edge.
        mask_fading: bool. Whether masks fade out at the edge of their box, see `mrcnn.results.paste.paste_mask`.
    """

    boxes: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray
    soft_masks: np.ndarray
    image_size: tuple[int, int]
    class_names: tuple[str, ...]
    mask_margin: float = 0.0
    mask_fading: bool = True

    @classmethod
    def from_network(cls, found, boxes, image_size, config, soft_mask_dtype=np.float16, mask_fading=True):
        """The record of one image from what a network gave for its canvas.

        Args:
            found: dict of arrays, the rows of one image of what `mrcnn.network.Network.detect` gives.
            boxes: float32 `(N, 4)`. Those of `found`, in pixels of the original image.
            image_size: `(height, width)` of the original image in pixels.
            config: `mrcnn.config.Config` of the network.
            soft_mask_dtype: numpy dtype of the kept masks. Defaults to float16.
            mask_fading: bool. See the class. Defaults to `True`.
        """
        return cls(
            boxes=boxes,
            scores=found["scores"],
            class_ids=found["class_ids"],
            soft_masks=found["masks"].astype(soft_mask_dtype),
            image_size=tuple(image_size),
            class_names=tuple(config.class_names),
            mask_margin=config.mask_margin,
            mask_fading=mask_fading,
        )

    def __len__(self):
        return len(self.scores)

    def resized(self, image_size):
        """The same detections in the image scaled to `image_size` `(height, width)`."""
        scale = np.tile(np.array(image_size) / np.array(self.image_size), 2).astype(np.float32)
        return dataclasses.replace(self, boxes=self.boxes * scale, image_size=tuple(int(side) for side in image_size))

    def instances(self, confidence=0.5, mask_threshold=0.5):
        """The detections of at least this score, with their masks pasted into the image.

        Args:
            confidence: float. Lowest score, 0 to 1. Defaults to 0.5.
            mask_threshold: float. Pixels above this probability belong to the object. Defaults to 0.5.

        Returns:
            `mrcnn.Instances`.
        """
        kept = np.flatnonzero(self.scores >= confidence)
        regions = expand_boxes(self.boxes, self.mask_margin)
        return Instances(
            boxes=self.boxes[kept],
            scores=self.scores[kept],
            class_ids=self.class_ids[kept],
            class_names=[self.class_names[class_id - 1] for class_id in self.class_ids[kept]],
            image_size=self.image_size,
            windows=[
                paste_mask(self.soft_masks[i], regions[i], self.image_size, mask_threshold, self.mask_fading)
                for i in kept
            ],
        )
