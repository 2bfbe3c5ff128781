"""Pictures that ask for more than they may have, and those that do not."""

import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image
from skimage import data

from interface.safety import budget, decoding
from interface.safety.decoding import read_photo
from mrcnn.images import read_image


def gif_with_comments(size):
    """A GIF of 64 x 64 pixels with so many bytes of comments, which Pillow adds up one by one."""
    block = b"\xff" + b"a" * 255
    comment = b"!\xfe" + block * (size // 256) + b"\0"
    return b"GIF89a@\0@\0\x80\0\0\0\0\0\xff\xff\xff" + comment + b",\0\0\0\0@\0@\0\0\2\2D\1\0;"


def png_of_parts(count):
    """A PNG in so many chunks."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(64 * (64 * 3 + 1))))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"tEXt", b"a\0b") * count + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "gif", "tiff", "bmp", "avif", "heic"])
def test_pictures_are_read_as_the_library_reads_them(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    Image.fromarray(data.chelsea()).save(path, format="HEIF" if ending == "heic" else None)
    np.testing.assert_array_equal(read_photo(path), read_image(path))


def test_plain_pictures_are_read_in_this_process(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "_read_apart", None)
    for name in ("a.jpg", "a.png"):
        Image.fromarray(data.chelsea()).save(tmp_path / name)
        assert read_photo(tmp_path / name).shape == (300, 451, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("comment.gif", gif_with_comments(28_000_000)),
        ("chunks.png", png_of_parts(1_000_000)),
    ],
)
def test_what_takes_too_long_is_ended(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    start = time.perf_counter()
    try:
        read_photo(path)
    except ValueError as error:
        assert name in str(error)
    assert time.perf_counter() - start < 10


def test_what_takes_too_much_memory_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "MEMORY", 300_000_000)
    path = tmp_path / "large.webp"
    Image.new("RGB", (7000, 7000)).save(path)
    with pytest.raises(ValueError, match="large.webp"):
        read_photo(path)
    monkeypatch.setattr(budget, "MEMORY", 1_000_000_000)
    Image.new("RGB", (4032, 3024)).save(path)
    assert read_photo(path).shape == (3024, 4032, 3)


def test_a_photo_that_is_gone_is_not_named_by_its_path(tmp_path):
    with pytest.raises(ValueError, match=r"^The photo is no longer kept here: please choose it again\.$"):
        read_photo(tmp_path / "photo.png")
