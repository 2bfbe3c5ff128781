"""Before and after as a moving picture."""

import io

import numpy as np
import pytest
from PIL import Image

from interface.animation import AFTER, BEFORE, FORMATS, STEPS, before_after


@pytest.mark.parametrize("kind", FORMATS)
def test_the_result_sweeps_over_the_photo_and_back(kind):
    photo = np.full((300, 1000, 3), (200, 40, 40), np.uint8)
    result = np.full((300, 1000, 4), (30, 60, 200, 255), np.uint8)
    result[:150] = 0  # clear: white
    with Image.open(io.BytesIO(before_after(photo, result, kind))) as image:
        assert (image.size, image.n_frames, image.info["loop"]) == ((640, 192), 2 * STEPS, 0)
        shares, durations = [], []
        for frame in range(image.n_frames):
            image.seek(frame)
            image.load()
            durations.append(image.info["duration"])
            pixels = np.asarray(image.convert("RGB")).astype(int)
            shares.append((np.abs(pixels[150] - (30, 60, 200)).max(axis=1) < 20).mean())
            if frame == STEPS:
                assert (pixels[20] > 240).all()
    assert shares[0] == 0 and shares[STEPS] == 1
    assert shares[: STEPS + 1] == sorted(shares[: STEPS + 1]) and shares[STEPS:] == sorted(shares[STEPS:], reverse=True)
    assert abs(durations[0] - BEFORE) <= 10 and abs(durations[STEPS] - AFTER) <= 10
