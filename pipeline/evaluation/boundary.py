"""Boundary IoU and boundary AP: how well outlines fit.

Of a large mask nearly all pixels lie far inside, so that its IoU hardly falls if the whole outline is wrong by a few
pixels. Boundary IoU compares only what lies within a narrow band along the outlines; boundary AP is COCO's AP with the
lesser of mask IoU and boundary IoU.

Paper: Cheng et al., "Boundary IoU", 2021 (https://arxiv.org/abs/2103.16562).
"""

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.cocoeval import COCOeval

BAND = 0.02  # width of the band over the image's diagonal, as in the paper for COCO


def boundary(segmentation):
    """The band along the inside of a mask's outline; what an edge of the image cuts off is an outline, too.

    Args:
        segmentation: dict. The mask as compressed run lengths, its `counts` str or bytes.

    Returns:
        dict in the same form, `counts` as bytes.
    """
    from scipy.ndimage import minimum_filter

    width = max(1, round(BAND * float(np.hypot(*segmentation["size"]))))
    mask = coco_mask.decode(segmentation)
    left, top, columns, rows = (int(value) for value in coco_mask.toBbox(segmentation))
    part = mask[top : top + rows, left : left + columns]
    # The paper's erosion of as many steps with a square of 3 x 3 is one with a square of this size.
    part -= minimum_filter(part, 2 * width + 1, mode="constant", cval=0)
    return coco_mask.encode(mask)


class BoundaryEval(COCOeval):
    """COCO's evaluation with the lesser of mask IoU and boundary IoU.

    For an ignore region the share of a detection that lies in it counts alone, wherever its outline runs.

    Args:
        truth: `pycocotools.coco.COCO`.
        results: `pycocotools.coco.COCO` of the detections.
    """

    def __init__(self, truth, results):
        super().__init__(truth, results, "segm")

    def computeIoU(self, imgId, catId):
        """IoUs of an image's detections, best score first, with its instances: float `(D, G)`, `[]` where none are."""
        ious = super().computeIoU(imgId, catId)
        if not len(ious):
            return ious
        place, whole = (imgId, catId), (self._gts, self._dts)
        self._gts, self._dts = ({place: _boundaries(rows[place])} for rows in whole)
        edge_ious = super().computeIoU(imgId, catId)
        self._gts, self._dts = whole
        crowd = np.array([bool(row["iscrowd"]) for row in self._gts[place]])
        return np.where(crowd, ious, np.minimum(ious, edge_ious))


def _boundaries(rows):
    return [{**row, "segmentation": boundary(row["segmentation"])} for row in rows]
