"""Soft edges on a photo made of a known object, a known ground, and a known share of both in each pixel."""

import numpy as np
import pytest

from mrcnn.results.drawing import cut_out
from mrcnn.results.instances import Instances, MaskWindow
from mrcnn.results.matting import soft_edges

RADIUS = 60


def scene(scale=1, softness=2):
    """Colours of the object, the mixed photo, and alpha: a disc whose edge fades over some pixels, like fur."""
    size = 200 * scale, 240 * scale
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[: size[0], : size[1]]
    distance = np.hypot(rows - 100 * scale, columns - 120 * scale)
    alpha = (0.5 + (RADIUS * scale - distance) / (2 * softness)).clip(0, 1)[..., None]
    own = np.array([200, 120, 40]) + random.normal(0, 6, (*size, 3))
    ground = np.array([40, 90, 60]) + random.normal(0, 6, (*size, 3))
    return own, np.rint(alpha * own + (1 - alpha) * ground).clip(0, 255).astype(np.uint8), alpha


def coarse(alpha, cell=2):
    """The mask as a network would draw it: in steps of some pixels, and moved a little."""
    mask = alpha[::cell, ::cell, 0] > 0.5
    return np.roll(np.kron(mask, np.ones((cell, cell), bool)), (1, 2), axis=(0, 1))


def found(*masks):
    return Instances.from_masks(masks, [1] * len(masks))


def on(ground, cut):
    alpha = cut[..., 3:] / 255
    return cut[..., :3] * alpha + np.array(ground) * (1 - alpha)


@pytest.mark.parametrize("scale", [1, 4])
def test_alpha_is_nearer_to_the_truth_than_the_mask(scale):
    _, photo, alpha = scene(scale)
    mask = coarse(alpha, 2 * scale)
    soft, hard = (cut_out(photo, found(mask), soft=soft)[..., 3] / 255 for soft in (True, False))
    errors = [np.abs(cut - alpha[..., 0]).sum() for cut in (soft, hard)]
    assert errors[0] < 0.85 * errors[1]
    assert set(np.unique(hard)) == {0, 1}
    assert np.count_nonzero((soft > 0.1) & (soft < 0.9)) > RADIUS * scale


def test_on_a_new_ground_no_halo_of_the_old_one_remains():
    own, photo, alpha = scene()
    cut = cut_out(photo, found(coarse(alpha)))
    mixed = (cut[..., 3] > 50) & (cut[..., 3] < 205)
    # The photo's own colours there are half the ground's; the cut-out has those of the object.
    errors = [np.abs(colours[mixed].astype(float) - own[mixed]).mean() for colours in (cut[..., :3], photo)]
    assert errors[0] < 0.65 * errors[1]
    white = [255, 255, 255]
    truth = alpha * own + (1 - alpha) * white
    hard = cut_out(photo, found(coarse(alpha)), soft=False)
    assert np.abs(on(white, cut) - truth).sum() < 0.85 * np.abs(on(white, hard) - truth).sum()


def test_far_from_its_edge_the_object_is_whole_and_the_ground_gone():
    _, photo, alpha = scene()
    cut = cut_out(photo, found(coarse(alpha)))
    rows, columns = np.mgrid[:200, :240]
    distance = np.hypot(rows - 100, columns - 120)
    np.testing.assert_array_equal(cut[distance < 40, :3], photo[distance < 40])
    assert (cut[distance < 40, 3] == 255).all()
    assert not cut[distance > 80].any()
    assert not cut[cut[..., 3] == 0].any(), "no colour of the ground is kept under a transparent pixel"


def test_the_edge_of_the_photo_is_not_the_edge_of_the_object():
    photo = np.full((80, 90, 3), (200, 120, 40), np.uint8)
    photo[:, 60:] = 30
    mask = np.zeros((80, 90), bool)
    mask[:, :60] = True
    cut = cut_out(photo, found(mask))
    assert (cut[:, :55, 3] == 255).all()


def test_two_objects_side_by_side_have_no_seam():
    _, photo, alpha = scene()
    left = coarse(alpha) & (np.arange(240) < 120)
    right = coarse(alpha) & (np.arange(240) >= 120)
    both = cut_out(photo, found(left, right))
    assert (both[80:120, 100:140, 3] >= 250).all()
    assert np.abs(both[80:120, 100:140, :3].astype(int) - photo[80:120, 100:140]).max() <= 30


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (40, 1)])
def test_masks_of_a_few_pixels(size):
    photo = np.random.default_rng(1).integers(0, 255, (50, 50, 3)).astype(np.uint8)
    window = MaskWindow(49 - size[0], 49 - size[1], np.ones(size, bool))
    cut, place = soft_edges(photo, window)
    assert cut.shape[:2] == photo[place].shape[:2]
    assert cut[..., 3].any()
