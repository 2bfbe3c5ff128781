"""Pictures that ask for more than they may have, and those that do not."""

import concurrent.futures
import multiprocessing
import os
import signal
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image
from skimage import data

from interface.safety import apart, budget, decoding
from interface.safety.decoding import read_photo, read_photo_reduced
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


def test_large_photos_are_read_as_small_as_will_do(tmp_path):
    path = tmp_path / "large.jpg"  # more pixels than are decoded in this process
    Image.fromarray(data.chelsea()).resize((8000, 5000)).save(path)
    image, size = read_photo_reduced(path, 2560)
    assert image.shape == (1600, 2560, 3)
    assert size == (5000, 8000)


@pytest.fixture
def attempts(monkeypatch):
    """Grows with each process that is asked."""
    asked, real = [], decoding.run_apart
    monkeypatch.setattr(decoding, "run_apart", lambda *arguments: asked.append(arguments) or real(*arguments))
    return asked


@pytest.fixture
def webp(tmp_path):
    path = tmp_path / "a.webp"
    Image.fromarray(data.chelsea()).save(path)
    return path


def test_a_process_that_others_kill_is_asked_once_more(webp, attempts, monkeypatch):
    """As the system does when memory runs out; the file is not to blame."""

    def killing(receiver, deadline):
        monkeypatch.setattr(apart, "_receive", receive)
        (child,) = multiprocessing.active_children()
        os.kill(child.pid, signal.SIGSTOP)  # before it has answered or after: its answer is not read
        os.kill(child.pid, signal.SIGKILL)
        raise EOFError

    receive = apart._receive
    monkeypatch.setattr(apart, "_receive", killing)
    assert read_photo(webp).shape == (300, 451, 3)
    assert len(attempts) == 2


def test_the_process_that_forks_may_be_killed(webp):
    assert read_photo(webp).shape == (300, 451, 3)
    server = multiprocessing.forkserver._forkserver
    os.kill(server._forkserver_pid, signal.SIGKILL)
    for _ in range(2):
        assert read_photo(webp).shape == (300, 451, 3)


def test_a_decoder_that_crashes_is_said(webp, attempts, monkeypatch):
    """A file may end its decoder by a fault in it: no matter of time or memory."""
    monkeypatch.setattr(decoding, "decode_in_parts", crash)
    with pytest.raises(ValueError, match=r"^a.webp cannot be read, it seems to be damaged\.$"):
        read_photo(webp)
    assert len(attempts) == 1


def crash(path, longer_side):
    os.kill(os.getpid(), signal.SIGSEGV)


@pytest.mark.slow
def test_many_threads_decode_at_a_time(tmp_path, webp):
    """Each gets its own picture, and none is lost, whoever else starts or ends a process at the same moment."""
    expected = read_image(webp)
    broken = tmp_path / "b.webp"
    broken.write_bytes(webp.read_bytes()[:2000])

    def read(number):
        if number % 3:
            return np.array_equal(read_photo(webp), expected)
        with pytest.raises(ValueError, match="b.webp cannot be read"):
            read_photo(broken)
        return True

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(120)))


def test_the_limit_of_memory_is_beyond_what_a_process_has_from_the_start(webp, monkeypatch):
    """On many cores that alone is gigabytes of addresses, none of which is in use."""
    monkeypatch.setattr(budget, "MEMORY", 60_000_000)  # less than the forked process has
    assert read_photo(webp).shape == (300, 451, 3)
