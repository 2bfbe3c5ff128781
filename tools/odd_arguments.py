"""Odd arguments for `MaskRCNN.segment`, made by code: images that are none, of every type and shape, and odd options.

The same seed makes the same arguments.
"""

import decimal
import fractions
import io
import os
import pathlib
import string

import numpy as np
from PIL import Image

DTYPES = ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "g", "F", "D", "S3", "U3", "M8[s]")
DTYPES += ("m8[s]", "O", ">u2", ">f4", "V4")
SIDES = (0, 1, 2, 3, 4, 31, 32, 33, 64, 500)
ODD_REALS = (np.array([0.5, 0.6]), np.array([]), np.float32(0.5), decimal.Decimal("0.5"), fractions.Fraction(1, 2))
OPTIONS = {
    "confidence": ("x", "0.5", [], {}, float("nan"), float("inf"), -1, 2, 1e308, 10**400, 1j, True, b"1", *ODD_REALS),
    "limit": ("x", [], {}, float("nan"), float("inf"), 0, -1, 1.5, 3.0, 10**9, 10**400, True, np.int8(3), 1j),
    "size": ("x", [], {}, float("nan"), 0, 31, 33, 64.0, 4096, -32, 2**31, 10**400, True, np.int64(64), (64, 64)),
    "overlaps": ("x", 2, [], np.array([True, False])),
}


def arguments(count, folder, seed=0):
    """Yields `(name, image, options)`, so many odd arguments of `segment`.

    Args:
        count: int.
        folder: path of an empty folder for what must be a file.
        seed: int.
    """
    rng = np.random.default_rng(seed)
    photo = (rng.random((64, 96, 3)) * 255).astype(np.uint8)
    odd = list(_objects(photo, pathlib.Path(folder)))
    odd += [(f"{name} {value!r:.30}", photo, {name: value}) for name in OPTIONS for value in OPTIONS[name]]
    for number in range(count):
        yield odd[number] if number < len(odd) else _array(rng, number)


def _objects(photo, folder):
    pipe, text, cut = folder / "pipe", folder / "text.png", folder / "cut.png"
    os.mkfifo(pipe)
    text.write_text("not an image")
    Image.fromarray(photo).save(cut)
    cut.write_bytes(cut.read_bytes()[:-3000])
    closed, lazy = Image.fromarray(photo), Image.open(cut)
    closed.close()
    read_only = photo.copy()
    read_only.flags.writeable = False
    nothing = (None, ..., NotImplemented, True, 7, 1.5, 1j, b"", b"a", bytearray(8), [], [[]], {}, set(), (), object())
    nothing += (photo.tolist(), [photo], {"path": "a.png"}, iter([photo]), len, int, memoryview(photo), io.BytesIO())
    paths = (
        "",
        " ",
        "missing.png",
        "a\0b",
        "x" * 5000,
        "\udcff.png",
        folder,
        pipe,
        text,
        cut,
        "/dev/null",
        "/dev/zero",
    )
    paths += ("http://127.0.0.1:9/a.png", "file:///etc/passwd", "~", "..")
    arrays = (
        photo[::-1, ::-2],
        photo.transpose(1, 0, 2),
        np.asfortranarray(photo),
        read_only,
        np.ma.masked_array(photo, photo > 9),
        np.matrix(photo[..., 0]),
        photo.view(np.recarray),
        np.zeros((64, 64), [("a", "u1"), ("b", "u1")]),
        np.broadcast_to(np.uint8(0), (100_000, 100_000, 3)),
        np.broadcast_to(np.float64(np.nan), (64, 64, 3)),
        np.full((64, 64, 3), 10**30, object),
        np.uint8(3),
        np.array(None),
    )
    modes = ("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA", "PA", "RGBX", "RGBa", "La")
    pictures = [Image.new(mode, (64, 48)) for mode in (*modes, "I;16", "I;16L", "I;16B")]
    pictures += [closed, lazy, Image.new("RGB", (0, 0)), Image.new("L", (1, 60_000)), Image.new("1", (9000, 9000))]
    for value in (*nothing, *paths, *arrays, *pictures):
        yield f"{type(value).__name__} {_described(value)}", value, {}


def _described(value):
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    return ascii(value)[:60]


def _array(rng, number):
    shape = tuple(int(rng.choice(SIDES)) for _ in range(rng.integers(0, 5)))
    dtype = np.dtype(DTYPES[number % len(DTYPES)])
    size = int(np.prod(shape)) * dtype.itemsize
    if dtype.kind == "O":
        values = np.array(rng.choice([None, 1, "a"], shape), object)
    elif dtype.kind == "U":
        values = rng.choice(list(string.ascii_letters), shape).astype(dtype)
    else:
        values = np.frombuffer(rng.bytes(size), dtype).reshape(shape)
    return f"array {dtype} {shape}", values, {}
