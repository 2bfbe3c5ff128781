"""Shared by all tests: a quiet TensorFlow and real images that ship with packages."""

import os
import signal

# Started in the background of a shell, this process ignores Ctrl+C, and so would the programs that tests send it to.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest
from hypothesis import settings

# The same examples each time, however busy the machine; for others: pytest --hypothesis-profile=search
settings.register_profile("suite", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile("suite")


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
