"""Box arithmetic on arrays, for what works on results without TensorFlow; `mrcnn/boxes.py` has that on tensors."""

import numpy as np


def box_iou(boxes, others):
    """Intersection over union of every pair of boxes.

    Args:
        boxes: float `(N, 4)` y1, x1, y2, x2, the far edges exclusive; any unit.
        others: float `(M, 4)`, in the same unit.

    Returns:
        float64 `(N, M)`, 0 to 1. Boxes without area overlap nothing.
    """
    boxes, others = np.asarray(boxes, np.float64), np.asarray(others, np.float64)
    near = np.maximum(boxes[:, None, :2], others[None, :, :2])
    far = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.prod(np.maximum(far - near, 0), axis=-1)
    areas, other_areas = (np.prod(np.maximum(b[:, 2:] - b[:, :2], 0), axis=-1) for b in (boxes, others))
    union = areas[:, None] + other_areas - shared
    return np.divide(shared, union, out=np.zeros_like(union), where=union > 0)


def expand_boxes(boxes, margin):
    """Boxes float32 `(..., 4)`, an array or a tensor, grown at each edge by `margin` times their height or width."""
    far, near = 1.0 + margin, -margin
    return boxes @ np.array([[far, 0, near, 0], [0, far, 0, near], [near, 0, far, 0], [0, near, 0, far]], np.float32)
