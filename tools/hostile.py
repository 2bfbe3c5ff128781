"""Hostile files made by code: pictures, clips and ZIPs that are broken, false, or ask for more than they may have.

The same seed makes the same files. What real encoders write is cut, overwritten, or given headers that promise too
much; beside those stand the known bombs of each format. `tools/odd_arguments.py` has what is no file.
"""

import io
import struct
import zipfile
import zlib

import av
import numpy as np
from PIL import Image

import mrcnn.images  # noqa: F401, which teaches Pillow HEIF

KINDS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF")
# What must not be opened at all, by the names of formats that may.
FOREIGN = {
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n{} loop\n",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "qoi": b"qoif" + struct.pack(">II", 64, 64) + b"\3\0" + b"\xff",
    "ftex": b"FTEX" + bytes(60),
    "dds": b"DDS " + bytes(124),
    "pcx": b"\x0a\x05\x01\x08" + bytes(200),
    "html": b"<html><script>alert(1)</script></html>",
    "empty": b"",
}


def pictures(count, seed=0):
    """Yields `(name, content)`, so many hostile pictures."""
    rng = np.random.default_rng(seed)
    bombs = list(_picture_bombs())
    seeds = [_picture(rng, kind) for kind in KINDS]
    for number in range(count):
        if number < len(bombs):
            yield bombs[number]
        else:
            kind = KINDS[number % len(KINDS)]
            yield f"{number}.{kind.lower()}", _harm(rng, seeds[number % len(KINDS)])


def clips(count, seed=0):
    """Yields `(name, content)`, so many hostile clips."""
    rng = np.random.default_rng(seed)
    bombs = list(_clip_bombs())
    kinds = ("mp4", "webm", "avi", "mov", "matroska")
    seeds = [_clip(rng, kind) for kind in kinds]
    for number in range(count):
        if number < len(bombs):
            yield bombs[number]
        else:
            yield f"{number}.{kinds[number % len(kinds)]}", _harm(rng, seeds[number % len(kinds)])


def archives(count, seed=0):
    """Yields `(name, content)`, so many hostile ZIPs."""
    rng = np.random.default_rng(seed)
    bombs = list(_archive_bombs(rng))
    whole = _zip({"a.png": _picture(rng, "PNG"), "in/b.jpg": _picture(rng, "JPEG")})
    for number in range(count):
        yield bombs[number] if number < len(bombs) else (f"{number}.zip", _harm(rng, whole))


def _picture(rng, kind):
    content = io.BytesIO()
    noise = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((160, 120), Image.Resampling.BICUBIC).save(content, kind)
    return content.getvalue()


def _clip(rng, kind):
    codec = {"mp4": "libx264", "mov": "mpeg4", "avi": "mpeg4", "webm": "libvpx", "matroska": "libx264"}[kind]
    content = io.BytesIO()
    with av.open(content, "w", format=kind) as writer:
        video = writer.add_stream(codec, rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for _ in range(4):
            frame = av.VideoFrame.from_ndarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8), "rgb24")
            writer.mux(video.encode(frame))
        writer.mux(video.encode(None))
    return content.getvalue()


def _harm(rng, content):
    """The content, cut, overwritten, repeated or with bits turned."""
    harmed = bytearray(content)
    for _ in range(int(rng.integers(1, 6))):
        place = int(rng.integers(0, len(harmed)))
        match int(rng.integers(0, 6)):
            case 0:
                harmed[place] ^= 1 << int(rng.integers(0, 8))
            case 1:
                harmed[place : place + 4] = rng.bytes(4)
            case 2:
                harmed[place : place + 4] = b"\xff\xff\xff\xff"
            case 3:
                harmed[place : place + 2] = b"\0\0"
            case 4:
                del harmed[max(place, len(harmed) // 3) :]
            case 5:
                harmed[place:place] = harmed[place : place + 200]
    return bytes(harmed)


def _chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(width, height, *chunks, pixels=b""):
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _picture_bombs():
    for name, content in FOREIGN.items():
        yield f"{name}.png", content
        yield f"{name}.jpg", content
    yield "huge.png", _png(60_000, 60_000, pixels=zlib.compress(bytes(1000)))
    yield "largest.png", _png(7000, 7000, pixels=zlib.compress(bytes(7000 * 21_001)))
    yield "half.png", _png(7000, 7000, pixels=zlib.compress(bytes(7000 * 21_001)))[:60_000]
    small = zlib.compress(bytes(64 * 193))
    yield "chunks.png", _png(64, 64, _chunk(b"tEXt", b"a\0b") * 1_000_000, pixels=small)
    yield "text.png", _png(64, 64, _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000))), pixels=small)
    yield "profile.png", _png(64, 64, _chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(200_000_000))), pixels=small)
    comment = b"!\xfe" + (b"\xff" + b"a" * 255) * 110_000 + b"\0"
    head = b"GIF89a\x40\0\x40\0\x80\0\0\0\0\0\xff\xff\xff"
    frame = b",\0\0\0\0\x40\0\x40\0\0\2\2D\1\0"
    yield "comment.gif", head + comment + frame + b";"
    yield "frames.gif", head + frame * 200_000 + b";"
    yield "canvas.gif", b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff" + frame + b";"
    yield "segments.jpg", b"\xff\xd8" + b"\xff\xfe\0\2" * 3_000_000 + b"\xff\xd9"
    for kind in ("WEBP", "TIFF", "BMP", "JPEG", "GIF"):
        content = io.BytesIO()
        Image.new("RGB", (7000, 7000) if kind != "BMP" else (3000, 3000)).save(content, kind)
        yield f"largest.{kind.lower()}", content.getvalue()
    content = io.BytesIO()
    frames = [Image.new("RGB", (64, 64), (number % 256, 0, 0)) for number in range(500)]
    frames[0].save(content, "WEBP", save_all=True, append_images=frames[1:])
    yield "animated.webp", content.getvalue()
    content = io.BytesIO()
    Image.new("L", (7000, 7000)).save(content, "JPEG", progressive=True)
    scans = content.getvalue()
    start = scans.index(b"\xff\xda", scans.index(b"\xff\xda") + 2)
    yield "scans.jpg", scans[:-2] + (scans[start:-2])[:2_000_000] * 5 + b"\xff\xd9"
    # A TIFF whose first page is itself again.
    yield "loop.tiff", b"II*\0\x08\0\0\0" + struct.pack("<H", 0) + struct.pack("<I", 8)


def _clip_bombs():
    film = "/etc/hostname"
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{film}\n#EXT-X-ENDLIST\n".encode()
    for name in ("a.m3u8", "a.mp4", "a.webm"):
        yield name, playlist
    yield "a.ffconcat", f"ffconcat version 1.0\nfile '{film}'\n".encode()
    yield "a.sdp", b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"
    yield "a.nut", b"nut/multimedia container\0" + bytes(100)
    yield "empty.mp4", b""
    yield "start.mp4", b"\0\0\0\x20ftypisom" + bytes(1000)
    yield "start.mkv", b"\x1aE\xdf\xa3" + bytes(1000)
    # A header that promises images of 14,000 x 14,000 pixels, which the decoder would make room for.
    small = _clip(np.random.default_rng(0), "avi")
    size = struct.pack("<II", 64, 48)
    yield "large.avi", small.replace(size, struct.pack("<II", 14_000, 14_000))
    content = io.BytesIO()
    with av.open(content, "w", format="avi") as writer:
        video = writer.add_stream("png", rate=10)
        video.width, video.height, video.pix_fmt = 7000, 7000, "gray"
        frame = av.VideoFrame.from_ndarray(np.zeros((7000, 7000), np.uint8), "gray")
        writer.mux(video.encode(frame))
        writer.mux(video.encode(None))
    yield "whole.avi", content.getvalue()


def _zip(contents, method=zipfile.ZIP_DEFLATED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, part in contents.items():
            archive.writestr(name, part)
    return content.getvalue()


def _archive_bombs(rng):
    picture = _picture(rng, "PNG")
    yield "bomb.zip", _zip({"bomb.png": bytes(300_000_000)})
    yield "entries.zip", _zip({f"{number}": b"" for number in range(60_000)})
    yield "bzip2.zip", _zip({"a.png": picture}, zipfile.ZIP_BZIP2)
    yield "lzma.zip", _zip({"a.png": picture}, zipfile.ZIP_LZMA)
    yield "names.zip", _zip({"猫" * 85 + ".png": picture, "a" * 255: picture, "b" * 60_000 + ".png": picture})
    odd = {"![x](http://127.0.0.1:9/a).png": b"x", "=1+1.png": picture, "C:\\x.png": picture, "\n": picture}
    yield "odd.zip", _zip(odd)
    yield "up.zip", _zip({"../../../../etc/a.png": picture, "/etc/b.png": picture})
    yield "zip.zip", _zip({"a.zip": _zip({"a.png": picture})})
    for place, value in ((6, 99), (8, 1), (10, 99)):  # a version to come, encrypted, an unknown method
        content = bytearray(_zip({"a.png": picture}))
        content[content.index(b"PK\1\2") + place] = value
        yield f"field{place}.zip", bytes(content)
    yield "false.zip", b"PK\5\6" + bytes(18)
