"""A photo that is being prepared: its size upright and as stored, and annotations made at either brought to upright."""

import dataclasses
import math
import os

import numpy as np

from pipeline.data.formats import fill_box, fit_mask

EXIF_ORIENTATION = 0x0112
TURNED = range(2, 9)  # EXIF's orientations that are not upright
UPSIDE_DOWN = "held upside down or mirrored, look at it"  # a problem of a photo
ASPECT_TOLERANCE = 1.02  # between the aspect ratios of an annotation and of its photo, for rounded sizes


@dataclasses.dataclass(frozen=True)
class Photo:
    """An image as it is to be looked at.

    Attributes:
        pixels: uint8 (H, W, 3) RGB, upright.
        stored: (height, width) in the file, before the camera's rotation is applied.
        orientation: int. EXIF's, 1 to 8; 1 is upright.
    """

    pixels: np.ndarray
    stored: tuple
    orientation: int

    @classmethod
    def read(cls, path):
        """Decodes an image.

        Raises:
            ValueError: in a few words, if it cannot be read.
        """
        from mrcnn.images import read_image

        try:
            pixels = read_image(path)
        except ValueError as error:
            if not os.path.exists(path):  # which takes any name, such as one that is too long
                raise ValueError("image file is missing") from error
            raise ValueError(f"image cannot be read: {error}") from error
        return cls(pixels, *stored_as(path))

    @property
    def upright(self):
        """(height, width) of `pixels`."""
        return self.pixels.shape[:2]

    def drawn(self, annotated):
        """Whether annotations of a size were drawn on the upright photo or, by a tool that ignores EXIF, as stored.

        Args:
            annotated: (height, width), or None if it is not stated.

        Returns:
            `"upright"` or `"stored"`; `"either"` where both have the same size, as of a photo held upside down; None
            if the photo is not turned, or the size that would tell is not stated.
        """
        if self.orientation not in TURNED:
            return None
        if _alike(self.stored, self.upright):
            return "either"
        return annotated and ("upright" if _alike(annotated, self.upright) else "stored")

    def frame(self, annotated, as_stored=False):
        """How to bring annotations that were made at a size to the upright photo.

        Args:
            annotated: (height, width), or None if it is not stated: then it is the upright photo's.
            as_stored: bool. Which of both `drawn` is where the size does not tell. Defaults to upright.

        Raises:
            ValueError: if the size fits the photo neither upright nor as stored.
        """
        if as_stored and self.drawn(annotated) == "either" and _alike(annotated or self.stored, self.stored):
            return Frame(annotated or self.stored, self.stored, self.orientation)
        if annotated is None or _alike(annotated, self.upright):
            return Frame(annotated or self.upright, self.upright, 1)
        if _alike(annotated, self.stored):
            return Frame(annotated, self.stored, self.orientation)
        raise ValueError(
            f"annotation of another size: {annotated[1]}x{annotated[0]}, "
            f"the image has {self.upright[1]}x{self.upright[0]}"
        )


@dataclasses.dataclass(frozen=True)
class Frame:
    """From the size of an annotation to an upright photo.

    Attributes:
        annotated: (height, width) of the annotation.
        size: (height, width) of the photo in the orientation of the annotation.
        orientation: int. EXIF's: how the photo is turned from there to upright.
    """

    annotated: tuple
    size: tuple
    orientation: int

    def bitmap(self, region):
        """The mask of a `Region`, its filled box if it has none: bool (height, width), upright.

        Raises:
            ValueError: in a few words, if they do not fit.
        """
        if region.mask is not None:
            return self._turn(fit_mask(region.mask, self.size))
        if region.box is None:
            return self._turn(np.ones(self.size, bool))
        return self._turn(fill_box(self._scaled(region.box), self.size))

    def place(self, box):
        """Where an object lies that cannot be drawn: the pixels that its box touches, the whole photo if it has none.

        Returns:
            bool (height, width), upright; all False if the box lies outside of the photo.
        """
        edges = self._scaled(box) if box is not None else [math.nan]
        if not all(map(math.isfinite, edges)):
            return self._turn(np.ones(self.size, bool))
        (y1, y2), (x1, x2) = sorted(edges[::2]), sorted(edges[1::2])
        mask = fill_box((y1, x1, y2, x2), self.size)
        if not mask.any():  # narrower than a pixel
            top, left = math.floor(y1), math.floor(x1)
            mask = fill_box((top, left, max(math.ceil(y2), top + 1), max(math.ceil(x2), left + 1)), self.size)
        return self._turn(mask)

    def _scaled(self, box):
        scale = [size / annotated for size, annotated in zip(self.size, self.annotated, strict=True)] * 2
        return [edge * factor for edge, factor in zip(box, scale, strict=True)]

    def _turn(self, mask):
        """As `PIL.ImageOps.exif_transpose` turns the photo."""
        match self.orientation:
            case 2:
                return mask[:, ::-1]
            case 3:
                return mask[::-1, ::-1]
            case 4:
                return mask[::-1]
            case 5:
                return mask.T
            case 6:
                return mask.T[:, ::-1]
            case 7:
                return mask.T[::-1, ::-1]
            case 8:
                return mask.T[::-1]
        return mask


def stored_as(path):
    """The (height, width) of an image file before EXIF turns it, and EXIF's orientation, 1 to 8."""
    from mrcnn.images import open_image

    with open_image(path) as image:
        # Pillow decodes a whole PNG to see whether EXIF follows the pixels; it stands before them.
        without = image.format == "PNG" and "exif" not in image.info
        return (image.height, image.width), 1 if without else image.getexif().get(EXIF_ORIENTATION, 1)


def _alike(size, other):
    """Whether two sizes have the same aspect ratio."""
    if min(size) < 1:
        return False
    stretch = (size[0] / other[0]) / (size[1] / other[1])
    return 1 / ASPECT_TOLERANCE < stretch < ASPECT_TOLERANCE
