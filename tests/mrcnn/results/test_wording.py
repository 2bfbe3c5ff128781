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
