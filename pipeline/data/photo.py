"""A photo that is being prepared: its size upright and as stored, and annotations made at either brought to upright."""

import dataclasses
from pathlib import Path

import numpy as np

EXIF_ORIENTATION = 0x0112
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
        from mrcnn.images import open_image, read_image

        try:
            pixels = read_image(path)
        except ValueError as error:
            if not Path(path).exists():
                raise ValueError("image file is missing") from error
            raise ValueError(f"image cannot be read: {error}") from error
        with open_image(path) as image:
            return cls(pixels, (image.height, image.width), image.getexif().get(EXIF_ORIENTATION, 1))

    @property
    def upright(self):
        """(height, width) of `pixels`."""
        return self.pixels.shape[:2]

    def frame(self, annotated):
        """How to bring annotations that were made at a size to the upright photo.

        Args:
            annotated: (height, width), or None if it is not stated: then it is the upright photo's.

        Raises:
            ValueError: if the size fits the photo neither upright nor as stored.
        """
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
        from pipeline.data.formats import fit_mask

        if region.mask is None:
            return self.bitmap_of_box(region.box, strictly=True)
        return self._turn(fit_mask(region.mask, self.size))

    def bitmap_of_box(self, box, strictly=False):
        """A filled box; the whole photo where there is none, or none that can be.

        Raises:
            ValueError: with `strictly`, if an edge is no finite number.
        """
        from pipeline.data.formats import fill_box

        scale = [size / annotated for size, annotated in zip(self.size, self.annotated, strict=True)] * 2
        try:
            mask = (
                fill_box([edge * factor for edge, factor in zip(box, scale, strict=True)], self.size) if box else None
            )
        except ValueError:
            if strictly:
                raise
            mask = None
        if mask is None or (not strictly and not mask.any()):
            mask = np.ones(self.size, bool)
        return self._turn(mask)

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


def _alike(size, other):
    """Whether two sizes have the same aspect ratio."""
    if min(size) < 1:
        return False
    stretch = (size[0] / other[0]) / (size[1] / other[1])
    return 1 / ASPECT_TOLERANCE < stretch < ASPECT_TOLERANCE
