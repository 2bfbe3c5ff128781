"""Which object of this image of a video is which object of the one before, so that a cat keeps its colour."""

import numpy as np

from mrcnn.results.boxes import box_iou

LEAST_IOU = 0.3  # of two boxes, to be those of one object
MEMORY = 15  # images for which an object that is out of sight keeps its number


class Tracker:
    """Numbers objects from image to image by class and the overlap of their boxes.

    Pairs are of one class and are taken greedily, the largest overlap first. An object without a partner gets the
    lowest number that is free, so that colours stay few. As in SORT (Bewley et al., 2016,
    https://arxiv.org/abs/1602.00763), without its prediction of motion: between two images a cat seldom leaves its own
    box.
    """

    def __init__(self):
        self._boxes = {}  # number -> where it was last seen
        self._classes = {}  # number -> its class id
        self._unseen = {}  # number -> images since then

    def update(self, found):
        """Numbers the objects of the next image.

        Args:
            found: `mrcnn.Instances`.

        Returns:
            int array `(N,)`, numbers from 0, each at most once.
        """
        known = list(self._boxes)
        numbers = np.full(len(found), -1)
        overlaps = box_iou(found.boxes, np.array([self._boxes[number] for number in known]).reshape(-1, 4))
        overlaps[found.class_ids[:, None] != np.array([self._classes[number] for number in known], int)] = 0
        while overlaps.size and overlaps.max() >= LEAST_IOU:
            row, column = np.unravel_index(overlaps.argmax(), overlaps.shape)
            numbers[row] = known[column]
            overlaps[row], overlaps[:, column] = 0, 0
        taken = {*known, *numbers.tolist()}
        for row in np.flatnonzero(numbers < 0):
            numbers[row] = next(number for number in range(len(taken) + 1) if number not in taken)
            taken.add(int(numbers[row]))
        self._unseen = {number: unseen + 1 for number, unseen in self._unseen.items()}
        for number, box, class_id in zip(numbers.tolist(), found.boxes, found.class_ids, strict=True):
            self._boxes[number], self._classes[number], self._unseen[number] = box, class_id, 0
        for number in [number for number, unseen in self._unseen.items() if unseen > MEMORY]:
            del self._boxes[number], self._classes[number], self._unseen[number]
        return numbers
