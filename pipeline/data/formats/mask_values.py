"""What the values of label masks mean, told by the masks of a data set together: a single one may not show it."""

import dataclasses
from collections import Counter

import numpy as np

VOID = 255  # the edge band of Pascal VOC masks: neither object nor background
LOOKED_AT = 64  # masks
WHITE_FROM = 128  # in masks with smoothed edges
FEW = 16  # values beside 255 that someone may have chosen; smoothed edges have more
FIRST_SHADE = 32  # numbers of objects and classes begin below; shades of grey that an eye can tell from black do not


@dataclasses.dataclass(frozen=True)
class Meaning:
    """What the values beside 0 stand for.

    Attributes:
        black_and_white: bool. There is one, the same in all masks, apart from smoothed edges.
        smooth: bool. Masks are black and white with smoothed edges, as image editors draw them.
        white_is_object: bool. 255 is one of a few shades of grey, each an object, and is no void.
        palette: bool. There is a mask with a palette, as Pascal VOC has them.
    """

    black_and_white: bool
    smooth: bool
    white_is_object: bool
    palette: bool

    def read(self, path):
        """The values of a mask as `read_labels` has them, without those of smoothed edges."""
        labels = read_labels(path)
        return np.where(labels >= WHITE_FROM, VOID, 0) if self.smooth else labels

    def notes(self):
        """How values were understood that may be meant otherwise, list of str."""
        if self.smooth:
            return [f"the masks are white with smoothed edges: from {WHITE_FROM} on grey is object, below background"]
        if self.white_is_object:
            return ["255 is one of a few shades of grey in the masks: it is taken for an object, as each of them"]
        return []


def tell(paths):
    """The `Meaning` of the masks in some files, from an even sample."""
    pixels, palette, band = Counter(), False, False
    for path in paths[:: max(1, len(paths) // LOOKED_AT)]:
        try:
            labels = read_labels(path)
        except ValueError:
            continue  # said when its photo is read
        values, counts = np.unique(labels[labels > 0], return_counts=True)
        pixels.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        palette, band = palette or _has_palette(path), band or is_band(labels)
    others = pixels.keys() - {VOID}
    grey_and_white = bool(others) and max(pixels) == VOID and not palette
    smooth = (
        grey_and_white
        and len(others) > FEW
        and min(others) < WHITE_FROM <= max(others)
        and pixels[VOID] > pixels.total() / 2
    )
    white_is_object = grey_and_white and len(others) <= FEW and min(others) >= FIRST_SHADE and not band
    return Meaning(smooth or len(pixels) == 1, smooth, white_is_object, palette)


def read_labels(path, colours=False):
    """Reads palette, grey, 16-bit, black and white, and colour masks as int32 (H, W).

    Args:
        path: Path.
        colours: bool. Red, green and blue as one number for every kind of mask. Defaults to values as they are; those
            of colour masks are then above 255, so that no colour is taken for void.

    Raises:
        ValueError: in a few words, if it cannot be read.
    """
    from mrcnn.images import open_image

    try:
        with open_image(path) as image:
            if colours or image.mode in ("RGB", "RGBA"):
                red, green, blue = np.moveaxis(np.asarray(image.convert("RGB"), np.int32), 2, 0)
                numbers = (red << 16) | (green << 8) | blue
                if not colours and (red == green).all() and (green == blue).all():
                    return red  # grey, saved as colour
                return numbers if colours else np.where(numbers > 0, numbers + 256, 0)
            labels = np.asarray(image.convert("L") if image.mode == "LA" else image)
            return labels.astype(np.int32)
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError("label mask is damaged") from error


def is_band(labels):
    """Whether 255 is a band around the objects of a mask: thin, and along most of their outlines."""
    from skimage.morphology import dilation

    void, objects = labels == VOID, (labels > 0) & (labels != VOID)
    outline = dilation(objects, np.ones((3, 3), bool)) & ~objects
    width = max(8, max(labels.shape) / 50)
    return bool(2 * (outline & void).sum() > outline.sum() and void.sum() <= width * outline.sum())


def _has_palette(path):
    from mrcnn.images import open_image

    with open_image(path) as image:
        return image.mode == "P"
