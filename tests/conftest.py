"""Shared by all tests: a quiet TensorFlow and real images that ship with packages."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest


@pytest.fixture(scope="session")
def chelsea():
    """A real cat from near by: uint8 (300, 451, 3), a blurred room at the right."""
    from skimage import data

    return data.chelsea()


@pytest.fixture(scope="session")
def model():
    """The shipped cat model."""
    from mrcnn import MaskRCNN

    return MaskRCNN.from_pretrained("cat")
