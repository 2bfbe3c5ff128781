"""Run lengths by hand and against pycocotools."""

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from mrcnn.results.instances import MaskWindow
from mrcnn.results.run_length import compress_counts, decompress_counts, encode_rle, run_lengths
from tests.mrcnn.results.test_instances import CAT, DOG


def test_run_lengths_by_hand():
    # Columns of CAT from the left: 0000 1100 1110 0110 0000 0000.
    assert run_lengths(MaskWindow.around(CAT), CAT.shape).tolist() == [4, 2, 2, 3, 2, 2, 9]


def edge_cases():
    generator = np.random.default_rng(5)
    yield np.zeros((5, 7), bool)
    yield np.ones((5, 7), bool)
    yield CAT
    yield DOG
    corner = np.zeros((5, 7), bool)
    corner[4, 6] = corner[0, 0] = True
    yield corner
    columns = np.zeros((5, 7), bool)
    columns[:, 2:4] = True  # runs join across full columns
    columns[0, 4] = True
    yield columns
    for size in ((1, 1), (1, 9), (9, 1), (37, 23), (300, 411)):
        yield generator.random(size) < 0.4
    blob = np.zeros((2000, 2500), bool)  # counts of several digits
    blob[300:1900, 17:2400] = True
    yield blob


@pytest.mark.parametrize("mask", list(edge_cases()), ids=lambda mask: f"{mask.shape}-{mask.sum()}")
def test_rle_is_what_pycocotools_writes(mask):
    expected = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    tight, whole = MaskWindow.around(mask), MaskWindow(0, 0, mask)
    assert encode_rle(tight, mask.shape) == {"size": list(mask.shape), "counts": expected}
    assert encode_rle(whole, mask.shape)["counts"] == expected


@pytest.mark.parametrize(
    "counts", [[0], [12], [4, 2, 2, 3, 2, 2, 9], [0, 1, 70_000, 31, 32, 33, 15, 16, 17, 1, 40_000_000]]
)
def test_compressed_counts_come_back(counts):
    text = compress_counts(np.array(counts))
    assert decompress_counts(text).tolist() == decompress_counts(text.encode()).tolist() == counts


@pytest.mark.parametrize("text", ["", "\n", "~", "ü", "oo", "o" * 30 + "0"])
def test_what_is_no_text_of_run_lengths_is_refused(text):
    with pytest.raises(ValueError):
        decompress_counts(text)
