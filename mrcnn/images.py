"""Any image to uint8 RGB: files, `PIL.Image` and arrays, as people and cameras write them."""

import io
import os
from pathlib import Path

import numpy as np
from PIL import (  # Pillow's plugins register themselves
    AvifImagePlugin,  # noqa: F401
    BmpImagePlugin,  # noqa: F401
    ExifTags,
    GifImagePlugin,  # noqa: F401
    Image,
    ImageOps,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

try:  # Phones write HEIC. The reader is an extra package, and everything else works without it.
    from pillow_heif import register_heif_opener

    register_heif_opener()
except ImportError:
    pass

SMALLEST_SIDE = 32
LARGEST_AREA = 50_000_000
STRIP = 512  # rows
# Pillow's names. It would try many more, some of which run other programs: Ghostscript for EPS.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF")
# By which files of a folder are taken for images.
ENDINGS = (
    *(".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp"),
    *(".avif", ".heic", ".heif"),
)
ACCEPTED = "JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF and, with pillow-heif, HEIC"


def read_image(image):
    """Reads an image as RGB, upright and with 8 bits a channel.

    Rotation by EXIF is applied, transparency is laid on white, 16 bits are scaled to 8, and an animation
    gives its first frame. Grey, palette, black-and-white and CMYK images become RGB.

    Args:
        image: a path, a `PIL.Image.Image`, or an array of shape `(H, W)`, `(H, W, 1)`, `(H, W, 2)` (grey
            and alpha), `(H, W, 3)` (RGB) or `(H, W, 4)` (RGB and alpha): bool, integers in `[0, 255]`, uint16
            in `[0, 65535]`, or floats in `[0, 1]`.

    Returns:
        uint8 array of shape `(H, W, 3)`.

    Raises:
        ValueError: if it is no image, damaged, of another kind, narrower than 32 pixels or larger than
            50 megapixels; with one sentence that may be shown to the user.
    """
    if isinstance(image, Image.Image):
        _check_size(image.height, image.width)
        try:
            image.load()  # Pillow reads a file's pixels late
        except Exception:  # each decoder says it in a way of its own
            raise ValueError("The image cannot be read, it seems to be damaged or closed.") from None
        return _rgb_from_image(image)
    if isinstance(image, str | os.PathLike):
        return _rgb_from_file(image)[0]
    if isinstance(image, np.ndarray):
        return _rgb_from_array(image)
    raise ValueError(f"An image must be a path, a PIL image or a numpy array, but came as {type(image).__name__}.")


def decode_image(content, name="The image"):
    """`read_image` of what stands in an image file, for files that came over a network.

    Args:
        content: bytes.
        name: str. What an error calls it. Defaults to `"The image"`.
    """
    return _rgb_from_content(io.BytesIO(content), name)[0]


def read_reduced(path, longer_side):
    """Reads a file as `read_image` does, but no larger than needed.

    A JPEG is scaled to a half, a quarter or an eighth while it is decoded, as long as its longer side stays above
    `longer_side`: a photo of 50 megapixels takes a quarter of the memory then.

    Args:
        path: path of an image file.
        longer_side: int. Pixels that are needed of the longer side.

    Returns:
        uint8 array of shape `(h, w, 3)`, the longer side at most as asked for and the shorter one at least 32, and the
        photo's own `(height, width)`, upright.

    Raises:
        ValueError: as `read_image`.
    """
    return _rgb_from_file(path, longer_side)


def open_image(file, formats=FORMATS):
    """Opens an image file in one of `FORMATS` and in no other, whatever its name; see `PIL.Image.open`.

    Args:
        file: a path, or a binary file.
        formats: tuple of str. Those of `FORMATS` that will do. Defaults to all.

    Returns:
        `PIL.Image.Image`, of which only the header was read.

    Raises:
        PIL.UnidentifiedImageError: if it is of another format, or none.
    """
    return Image.open(file, formats=[name for name in formats if name in Image.OPEN])


def distinct_stems(photos):
    """A name for each photo's results; photos of the same name in different folders get a number each."""
    stems = []
    for photo in photos:
        stem, number = Path(photo).stem, 1
        while (name := stem if number == 1 else f"{stem}-{number}") in stems:
            number += 1
        stems.append(name)
    return stems


def _rgb_from_file(path, longer_side=None):
    if not os.path.exists(path):
        raise ValueError(f"There is no file {os.fspath(path)}.")
    if os.path.isdir(path):
        raise ValueError(f"{os.fspath(path)} is a folder, not an image.")
    if not os.path.isfile(path):  # a pipe may never say anything, a device never end
        raise ValueError(f"{os.fspath(path)} is not a regular file.")
    return _rgb_from_content(path, os.path.basename(os.fspath(path)), longer_side)


def _rgb_from_content(file, name, longer_side=None):
    damaged = f"{name} cannot be read, it seems to be damaged."
    try:
        image = open_image(file)
    except UnidentifiedImageError:
        raise ValueError(f"{name} is not an image in a known format ({ACCEPTED}).") from None
    except Image.DecompressionBombError:
        raise ValueError(f"{name} is larger than the accepted {LARGEST_AREA // 1_000_000} megapixels.") from None
    except Exception:  # each decoder says it in a way of its own, down to an assertion
        raise ValueError(damaged) from None
    with image:
        # The header tells the size, so a huge image is refused before it is decoded.
        size, wanted = (image.height, image.width), None
        _check_size(*size)
        try:
            if longer_side and longer_side < max(size):
                width, height = (max(SMALLEST_SIDE, round(side * longer_side / max(size))) for side in image.size)
                wanted = width, height
                image.draft(None, wanted)
            image.load()
            turned = _upright(image)
        except MemoryError:
            raise ValueError(f"{name} needs more memory than there is.") from None
        except Exception:
            raise ValueError(damaged) from None
        if not wanted:
            pixels = _rgb_from_image(turned)
            return pixels, pixels.shape[:2]
        if turned.size != image.size:  # the sides change places as it is turned
            size, wanted = size[::-1], wanted[::-1]
        return _rgb_from_image(turned, wanted), size


def _upright(image):
    """The image as its EXIF says it was held. `exif_transpose` copies one that needs no turning, too."""
    turned = image.getexif().get(ExifTags.Base.Orientation, 1) in range(2, 9)
    return ImageOps.exif_transpose(image) if turned else image


def _rgb_from_image(image, size=None):
    """An image of any mode as RGB, scaled to a size `(width, height)` if there is one."""
    _check_size(image.height, image.width)
    image = _upright(image)
    if image.mode.startswith("I") or image.mode == "F":
        pixels = _rgb_from_array(_sixteen_bits(image))
        return _pixels(Image.fromarray(pixels), size) if size else pixels
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    try:
        return _pixels(image if image.mode == "RGB" else image.convert("RGB"), size)
    except ValueError:
        raise ValueError(f"Images in the colour mode {image.mode} are not accepted; save it as RGB.") from None


def _pixels(image, size):
    """The pixels of an RGB image, in strips: as a whole they would be in memory twice for a moment."""
    if size:
        image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, STRIP):
        bottom = min(top + STRIP, image.height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)))
    return pixels


def _sixteen_bits(image):
    """The values of an image with one wide channel, in a type of which `_rgb_from_array` knows the range."""
    values = np.asarray(image)
    if values.dtype.kind == "f" or values.size == 0:
        return values
    # Pillow opens some 16-bit files as 32-bit integers.
    if values.min() >= 0 and values.max() <= 65535:
        return values.astype(np.uint16)
    raise ValueError(
        f"Grey values must lie between 0 and 65535, but this image's go from {values.min()} to {values.max()}."
    )


def _rgb_from_array(array):
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4):
        raise ValueError(
            f"An image array must have the shape (H, W), (H, W, 3) or (H, W, 4), but came with {array.shape}."
        )
    _check_size(*array.shape[:2])
    array = _eight_bits(array)
    channels = array.shape[2]
    if channels in (2, 4):
        return _rgb_from_image(Image.fromarray(array, "LA" if channels == 2 else "RGBA"))
    if channels == 1:
        return np.repeat(array, 3, axis=2)
    return np.ascontiguousarray(array)


def _eight_bits(array):
    if array.dtype == np.uint8:
        return array
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        # 65535 = 255 * 257, so this is exact at both ends.
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if array.dtype.kind == "f":
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise ValueError(
                f"An image of {array.dtype} values must lie between 0 and 1, but goes from {array.min()} to "
                f"{array.max()}."
            )
        return np.rint(array * 255).astype(np.uint8)
    if array.dtype.kind in "iu":
        if array.min() < 0 or array.max() > 255:
            raise ValueError(
                f"An image of {array.dtype} values must lie between 0 and 255, but goes from "
                f"{array.min()} to {array.max()}."
            )
        return array.astype(np.uint8)
    raise ValueError(f"An image array must hold numbers, but came with the type {array.dtype}.")


def _check_size(height, width):
    if min(height, width) < SMALLEST_SIDE:
        raise ValueError(f"The image has {width} x {height} pixels, but each side must have at least {SMALLEST_SIDE}.")
    if height * width > LARGEST_AREA:
        raise ValueError(
            f"The image has {width} x {height} pixels, but at most {LARGEST_AREA // 1_000_000} megapixels are accepted."
        )
