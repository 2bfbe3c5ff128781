"""Which object of this image of a video is which object of the one before, so that a cat keeps its colour."""

import numpy as np

from interface.appearance import likeness, signature
from mrcnn.results.boxes import box_iou
from mrcnn.results.instances import Instances

HELD = 3  # images for which an object that is missed stays where it was last seen
LEAST_LIKENESS = 0.93  # of colours, to be one object: three cats in other furs stayed below 0.91, one stayed above 0.95
LEAST_IOU = 0.3  # of two boxes, to be those of one object
SURE = 3  # images after which an object is no mistake
MEMORY = 15  # images for which an object that is out of sight keeps its number


class Tracker:
    """Numbers objects from image to image by class and the overlap of their boxes.

    Pairs are of one class and are taken greedily, the largest overlap first, and before all others those of objects
    that were seen in `SURE` images. An object without a partner gets the lowest number that is free, so that colours
    stay few. As in SORT (Bewley et al., 2016, https://arxiv.org/abs/1602.00763), without its prediction of motion:
    between two images a cat seldom leaves its own box.

    With `reuse=False` a number is one object's for good, so that objects can be counted, and who comes back into sight
    gets the old number back: the one whose colours are most like it.

    Args:
        reuse: bool. Whether the number of an object that was forgotten may be given to another. Defaults to `True`.
    """

    def __init__(self, reuse=True):
        self._reuse = reuse
        self._rows = {}  # number -> `Instances` of length 1, as last seen
        self._unseen = {}  # number -> images since then
        self._images = {}  # number -> images in which it was seen
        self._colours = {}  # number -> class id and mean signature, of all that there ever were; only without reuse

    def update(self, found, image=None):
        """Numbers the objects of the next image.

        Args:
            found: `mrcnn.Instances`.
            image: uint8 `(H, W, 3)`. That image; needed without reuse.

        Returns:
            int array `(N,)`, numbers from 0, each at most once.
        """
        known, last = list(self._rows), list(self._rows.values())
        numbers = np.full(len(found), -1)
        overlaps = box_iou(found.boxes, np.array([row.boxes[0] for row in last]).reshape(-1, 4))
        overlaps[found.class_ids[:, None] != np.array([row.class_ids[0] for row in last], int)] = 0
        # Those known for some images choose first: a box that appeared once by mistake must not take their place.
        sure = np.array([self._images[number] >= SURE for number in known], bool)
        for columns in (sure, ~sure):
            left = np.where(columns, overlaps, 0)
            while left.size and left.max() >= LEAST_IOU:
                row, column = np.unravel_index(left.argmax(), left.shape)
                numbers[row] = known[column]
                for table in (left, overlaps):
                    table[row], table[:, column] = 0, 0
        signatures = [] if self._reuse else [signature(image, window) for window in found.windows]
        taken = {*known, *self._colours, *numbers.tolist()}
        for row in np.flatnonzero(numbers < 0):
            back = None if self._reuse else self._known_again(found.class_ids[row], signatures[row], numbers)
            free = (number for number in range(len(taken) + 1) if number not in taken)
            numbers[row] = next(free) if back is None else back
            taken.add(int(numbers[row]))
        self._unseen = {number: unseen + 1 for number, unseen in self._unseen.items()}
        for row, number in enumerate(numbers.tolist()):
            self._rows[number], self._unseen[number] = found[row : row + 1], 0
            self._images[number] = self._images.get(number, 0) + 1
            if not self._reuse:
                _, before = self._colours.get(number, (0, signatures[row]))
                self._colours[number] = found.class_ids[row], 0.9 * before + 0.1 * signatures[row]
        for number in [number for number, unseen in self._unseen.items() if unseen > MEMORY]:
            del self._rows[number], self._unseen[number], self._images[number]
        return numbers

    def _known_again(self, class_id, colours, visible):
        """The number of the object out of sight that is most like this one, or `None` if none is."""
        alike = {
            number: likeness(colours, other)
            for number, (other_class, other) in self._colours.items()
            if other_class == class_id and number not in visible
        }
        best = max(alike, key=lambda number: alike[number], default=None)
        return best if best is not None and alike[best] >= LEAST_LIKENESS else None

    def follow(self, found, image=None):
        """Like `update`, and holds what is missed for no more than `HELD` images, or objects would blink.

        Arguments are those of `update`.

        Returns:
            `Instances` of those found and those held, best score first, and their numbers, int array `(N,)`.
        """
        numbers = self.update(found, image).tolist()
        held = [
            number
            for number, unseen in self._unseen.items()
            if 0 < unseen <= HELD and self._rows[number].image_size == found.image_size
        ]
        rows = [found, *(self._rows[number] for number in held)]
        together = Instances(
            np.concatenate([part.boxes for part in rows]),
            np.concatenate([part.scores for part in rows]),
            np.concatenate([part.class_ids for part in rows]),
            [name for part in rows for name in part.class_names],
            found.image_size,
            [window for part in rows for window in part.windows],
        )
        order = np.argsort(-together.scores, kind="stable")
        return together[order], np.array(numbers + held, int)[order]
