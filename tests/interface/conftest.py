import numpy as np
import pytest
from skimage import data

from interface.session import Analysis, sized_for_view
from mrcnn.results.detections import Detections


def disc(side=56):
    """A soft mask: a disc that fills its box."""
    rows, columns = (np.mgrid[:side, :side] + 0.5) / side - 0.5
    return (0.5 + 4 * (0.45 - np.hypot(rows, columns))).clip(0, 1).astype(np.float16)


@pytest.fixture
def analysis():
    """Two discs on Chelsea's photo, as a network of two classes would report them."""
    photo = data.chelsea()
    detections = Detections(
        boxes=np.array([[50, 40, 250, 240], [100, 250, 200, 400]], np.float32),
        scores=np.array([0.9, 0.3], np.float32),
        class_ids=np.array([1, 2], np.int32),
        soft_masks=np.stack([disc(), disc()]),
        image_size=photo.shape[:2],
        class_names=("cat", "<dog>"),
    )
    return Analysis(sized_for_view(photo), detections, 12.3, "cat", "chelsea.png")
