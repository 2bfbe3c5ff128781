"""Any image to uint8 RGB: files, `PIL.Image` and arrays, as people and cameras write them."""

import io
import os
from pathlib import Path

import numpy as np
from PIL import (  # Pillow's plugins register themselves
    AvifImagePlugin,  # noqa: F401
    BmpImagePlugin,  # noqa: F401
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
# Pillow's names. It would try many more, some of which run other programs: Ghostscript for EPS.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF")
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
        return _rgb_from_image(image)
    if isinstance(image, str | os.PathLike):
        return _rgb_from_file(image)
    if isinstance(image, np.ndarray):
        return _rgb_from_array(image)
    raise ValueError(f"An image must be a path, a PIL image or a numpy array, but came as {type(image).__name__}.")


def decode_image(content, name="The image"):
    """`read_image` of what stands in an image file, for files that came over a network.

    Args:
        content: bytes.
        name: str. What an error calls it. Defaults to `"The image"`.
    """
    return _rgb_from_content(io.BytesIO(content), name)


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


def _rgb_from_file(path):
    if not os.path.exists(path):
        raise ValueError(f"There is no file {os.fspath(path)}.")
    if os.path.isdir(path):
        raise ValueError(f"{os.fspath(path)} is a folder, not an image.")
    return _rgb_from_content(path, os.path.basename(os.fspath(path)))


def _rgb_from_content(file, name):
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
        _check_size(image.height, image.width)
        try:
            image.load()
            image = ImageOps.exif_transpose(image)
        except MemoryError:
            raise ValueError(f"{name} needs more memory than there is.") from None
        except Exception:
            raise ValueError(damaged) from None
        return _rgb_from_image(image)


def _rgb_from_image(image):
    _check_size(image.height, image.width)
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        return _rgb_from_array(_sixteen_bits(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    try:
        return np.array(image.convert("RGB"))
    except ValueError:
        raise ValueError(f"Images in the colour mode {image.mode} are not accepted; save it as RGB.") from None


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
