"""Images as the bytes of a file, and as data URIs: nothing of a visitor's photo becomes a file on the server."""

import base64
import io

from PIL import Image


def png(image, compress_level=2):
    """PNG bytes of an image.

    Args:
        image: `PIL.Image.Image`, or an array that `PIL.Image.fromarray` takes.
        compress_level: int, 0 to 9. Defaults to 2: a tenth larger than the default of PNG, and several times faster.
    """
    # The array, if it is nobody else's, goes before the file grows: of a huge photo both are hundreds of megabytes.
    image = _pillow(image)
    return _encoded(image, "PNG", compress_level=compress_level)


def jpeg(image, quality=90):
    """JPEG bytes of an image uint8 `(H, W, 3)`.

    Without chroma subsampling at a quality of 90 or more: thin coloured lines would smear.
    """
    return _encoded(_pillow(image), "JPEG", quality=quality, **({"subsampling": 0} if quality >= 90 else {}))


def data_uri(content):
    """The bytes of a PNG or JPEG file as an address that needs no request."""
    kind = "png" if content.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _pillow(image):
    return image if isinstance(image, Image.Image) else Image.fromarray(image)


def _encoded(image, kind, **options):
    stored = io.BytesIO()
    image.save(stored, kind, **options)
    return stored.getvalue()
