import numpy as np
import pytest

from mrcnn.results.instances import Instances
from mrcnn.results.wording import counted, percent


@pytest.mark.parametrize(
    "names, expected",
    [
        ([], "nothing"),
        (["cat"], "1 cat"),
        (["cat", "cat"], "2 cats"),
        (["dog", "cat", "cat", "bus", "bus"], "1 dog, 2 cats and 2 buses"),
        (["couch", "couch"], "2 couches"),
        (["sheep", "sheep", "knife", "knife", "mouse", "mouse"], "2 sheep, 2 knives and 2 mice"),
        (["person", "person", "skis", "skis", "class 1", "class 1"], "2 people, 2 skis and 2 class 1"),
    ],
)
def test_counted(names, expected):
    masks = np.ones((len(names), 4, 4), bool)
    assert counted(Instances.from_masks(masks, [1] * len(names), class_names=names)) == expected


@pytest.mark.parametrize(
    "score, expected", [(0, "0 %"), (0.374, "37 %"), (np.float32(0.9), "90 %"), (0.9996, "99 %"), (1.0, "100 %")]
)
def test_percent(score, expected):
    assert percent(score) == expected
