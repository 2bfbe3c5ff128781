"""A local stand-in for the public Open Images hosts: drawn images in the published layout, over HTTP.

    python tools/open_images_stand_in.py --folder /tmp/open_images --images 60 --port 7871

prints the options to give to `python -m pipeline download`. One static server plays both hosts: the tables
and mask archives with ETag, Range, If-Range and x-goog-hash as Google Cloud Storage has them, and the S3
bucket (path style). Tests can order faults for an address: a cut connection, a wrong byte, a status, or an
answer that hangs.
"""

import argparse
import base64
import csv
import hashlib
import io
import json
import re
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

CLASSES = {
    "Balloon": "/m/01j51",
    "Kite": "/m/02zt3",
    "Cat": "/m/01yrx",
    "Bat": "/m/01h44",
    "Human face": "/m/0dzct",
}
BUCKET = "open-images-dataset"
BOX_HEADER = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
)
CLICK_HEADER = "".join(f",XClick{number}{axis}" for axis in "XY" for number in range(1, 5))
MASK_HEADER = "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks"
IMAGE_HEADER = (
    "ImageID,Subset,OriginalURL,OriginalLandingURL,License,AuthorProfileURL,Author,Title,OriginalSize,"
    "OriginalMD5,Thumbnail300KURL,Rotation"
)
IMAGES_CSV = {
    "train": "train-images-boxable-with-rotation.csv",
    "validation": "validation-images-with-rotation.csv",
    "test": "test-images-with-rotation.csv",
}


def draw_image(seed, names=("Balloon", "Kite"), long_side=256):
    """Draws balloons (ellipses) and kites (diamonds) on a noisy background.

    Args:
        seed: int. The same seed gives the same image.
        names: tuple of str. Which of the two to draw; one to three objects in all.
        long_side: int. Of the image, in pixels; its masks come larger, as in Open Images.

    Returns:
        uint8 image (H, W, 3) and a list of `(class name, bool mask)`, masks 1.6 times as large.
    """
    random = np.random.default_rng(seed)
    aspect = random.uniform(0.65, 1.0)
    width, height = (long_side, int(long_side * aspect))
    if random.random() < 0.3:
        width, height = height, width
    corners = random.uniform(40, 215, (2, 2, 3))
    background = Image.fromarray(corners.astype(np.uint8)).resize((width, height), Image.Resampling.BILINEAR)
    image = np.asarray(background, np.float32) + random.normal(0, 8, (height, width, 3))
    image = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(4):  # clutter that is no object
        line = random.uniform(0, 1, 4) * [width, height, width, height]
        draw.line([float(value) for value in line], fill=tuple(random.integers(0, 256, 3).tolist()), width=2)
    mask_size = (round(width * 1.6), round(height * 1.6))
    objects = []
    for _ in range(random.integers(1, 4)):
        name = names[random.integers(len(names))]
        centre, radius = random.uniform(0.25, 0.75, 2), random.uniform(0.12, 0.24, 2)
        if name == "Balloon":
            turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
            colour = (220, int(random.integers(20, 80)), int(random.integers(20, 80)))
        else:
            turn = np.linspace(0, 2 * np.pi, 4, endpoint=False)
            colour = (int(random.integers(20, 80)), int(random.integers(60, 120)), 220)
        outline = centre + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        draw.polygon([tuple(point) for point in (outline * [width, height]).tolist()], fill=colour)
        canvas = Image.new("1", mask_size)
        ImageDraw.Draw(canvas).polygon([tuple(point) for point in (outline * mask_size).tolist()], fill=1)
        mask = np.asarray(canvas)
        objects = [(other, other_mask & ~mask) for other, other_mask in objects] + [(name, mask)]
    return np.asarray(image), [(name, mask) for name, mask in objects if mask.sum() > 50]


def made_up_id(split, number, digits_only=False):
    """A made-up image id: 16 hexadecimal digits, the first 0 to 3, so that there are four archives."""
    if digits_only:  # such ids exist: one in 1,800 has no letter
        return f"{number % 4}{len(split):07}{number:08}"
    digest = hashlib.sha256(f"{split} {number}".encode()).hexdigest()[:16]
    return f"{int(digest[0], 16) % 4:x}{digest[1:]}"


def seed_of(image_id):
    """The seed that an image of the stand-in was drawn with."""
    return int(hashlib.sha256(image_id.encode()).hexdigest()[:8], 16)


def write_open_images(
    folder,
    images=8,
    names=("Balloon", "Kite"),
    class_header=False,
    header=True,
    clicks=False,
    digits_only=False,
):
    """Writes tables, images and mask archives of three splits in the published layout.

    Args:
        folder: Path. Root of the stand-in.
        images: int. Images in train; the other splits get half as many. Every fourth shows a group as
            well, every fifth has boxes and no masks.
        names: tuple of str. Classes to draw.
        class_header: bool. Whether the class list has a header (v7) or not (v5).
        header: bool. Whether the other tables have one.
        clicks: bool. Whether the box table has the XClick columns of V6.
        digits_only: bool. Whether image ids look like numbers.

    Returns:
        Dictionary from split to the list of its image ids.
    """
    tables, bucket = Path(folder) / "openimages", Path(folder) / BUCKET
    rows = [[code, name] for name, code in CLASSES.items()]
    _write_csv(tables / "v5/class-descriptions-boxable.csv", "LabelName,DisplayName", rows, class_header)
    ids = {}
    for split in ("train", "validation", "test"):
        boxes, masks, authors, archives = [], [], [], {}
        ids[split] = [
            made_up_id(split, number, digits_only) for number in range(images if split == "train" else images // 2)
        ]
        for number, image_id in enumerate(ids[split]):
            pixels, objects = draw_image(seed_of(image_id), names)
            path = bucket / split / f"{image_id}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path, quality=92)
            for place, (name, mask) in enumerate(objects):
                box = _normalised_box(mask)
                occluded = str(int(place < len(objects) - 1))
                row = [image_id, "xclick", CLASSES[name], "1", *box, occluded, occluded, "0", "0", "0"]
                boxes.append(row + ["0.5"] * 8 if clicks else row)
                if number % 5 == 4:
                    continue  # every fifth image has boxes alone
                box_id = hashlib.sha256(f"{image_id}{place}".encode()).hexdigest()[:8]
                mask_name = f"{image_id}_{CLASSES[name][1:].replace('/', '')}_{box_id}.png"
                masks.append([mask_name, image_id, CLASSES[name], box_id, *box, "0.85", "0.1 0.2 1"])
                archives.setdefault(image_id[0], {})[mask_name] = _png(mask)
            if number % 4 == 0:  # a group without a mask in the upper left corner
                row = [
                    image_id,
                    "xclick",
                    CLASSES[names[0]],
                    "1",
                    "0",
                    "0.1",
                    "0",
                    "0.12",
                    "0",
                    "0",
                    "1",
                    "0",
                    "0",
                ]
                boxes.append(row + ["-1"] * 8 if clicks else row)
            author = [
                "CC",
                f"https://people.example/{number}",
                f"Zoë, {number}",
                'A "title"',
                "1",
                "m",
                "",
                "0.0",
            ]
            author[0] = "https://creativecommons.org/licenses/by/2.0/"
            authors.append([image_id, split, f"https://photos.example/{number}.jpg", "https://photos.example", *author])
        _write_csv(
            tables / f"2018_04/{split}/{split}-annotations-bbox.csv",
            BOX_HEADER + (CLICK_HEADER if clicks else ""),
            boxes,
            header,
        )
        _write_csv(tables / f"v5/{split}-annotations-object-segmentation.csv", MASK_HEADER, masks, header)
        _write_csv(tables / f"2018_04/{split}" / IMAGES_CSV[split], IMAGE_HEADER, authors, header)
        for digit, members in archives.items():
            write_archive(tables / f"v5/{split}-masks/{split}-masks-{digit}.zip", members)
    return ids


def write_archive(path, members):
    """Writes a zip of `{name: bytes}`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def read_archive(path):
    """Reads a zip as `{name: bytes}`."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _normalised_box(mask):
    """XMin, XMax, YMin, YMax between 0 and 1, as text."""
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    edges = columns[0] / width, (columns[-1] + 1) / width, rows[0] / height, (rows[-1] + 1) / height
    return [f"{edge:.6f}" for edge in edges]


def _png(mask):
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "PNG")
    return file.getvalue()


def _write_csv(path, names, rows, header):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([names.split(","), *rows] if header else rows)


class StandIn:
    """Serves a folder on loopback; a context manager.

    Attributes:
        url: str. Such as `"http://127.0.0.1:7871"`.
        requests: list of `(method, path, Range header or "")`, in order of arrival.
        faults: dict from path to a list of faults, used up one a GET request:
            `("status", 503)`; `("cut", n)`: n bytes, then the end; `("flip", n)`: byte n is wrong;
            `("hang", n)`: n bytes, then nothing until `release` is set; `("size", n)`: announces n bytes.
        hanging: threading.Event. Set when an answer hangs.
    """

    def __init__(self, folder, port=0):
        self.folder = Path(folder)
        self.requests, self.faults = [], {}
        self.hanging, self.release = threading.Event(), threading.Event()
        handler = type("Handler", (_Handler,), {"stand_in": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def options(self):
        """The options that point `python -m pipeline download` at this server."""
        return [
            "--tables-url", f"{self.url}/openimages",
            "--masks-url", f"{self.url}/openimages/v5",
            "--images-url", self.url,
        ]  # fmt: skip

    def fetched(self, method="GET"):
        """Paths that were asked for, in order."""
        return [path for each, path, _ in self.requests if each == method]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stand_in: "StandIn"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._answer(with_body=False)

    def do_GET(self):
        self._answer(with_body=True)

    def _answer(self, with_body):
        path = self.path.split("?")[0]
        stand_in = self.stand_in
        stand_in.requests.append((self.command, path, self.headers.get("Range", "")))
        faults = stand_in.faults.get(path, []) if with_body else []
        kind, amount = faults.pop(0) if faults else ("", 0)
        file = stand_in.folder / path.lstrip("/")
        if kind == "status" or not file.is_file():
            self.send_response(amount or 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = file.read_bytes()
        tag = f'"{hashlib.md5(data).hexdigest()}"'
        start = self._first_byte(data, tag)
        if start is not None and start >= len(data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = bytearray(data[start or 0 :])
        self.send_response(200 if start is None else 206)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(amount if kind == "size" else len(body)))
        self.send_header("ETag", tag)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("x-goog-hash", f"md5={base64.b64encode(hashlib.md5(data).digest()).decode()}")
        self.end_headers()
        if kind == "flip":
            body[amount] ^= 0xFF
        if not with_body:
            return
        try:
            self.wfile.write(body[:amount] if kind in ("cut", "hang") else body)
            self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            pass
        if kind == "hang":
            stand_in.hanging.set()
            stand_in.release.wait(60)
        if kind in ("cut", "hang", "size"):
            self.close_connection = True

    def _first_byte(self, data, tag):
        """Where the asked range begins, or None for the whole file."""
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if match is None or self.headers.get("If-Range", tag) != tag:
            return None
        if match[2] and int(match[2]) < len(data) - 1:
            return None  # nobody here asks for a piece from the middle
        return int(match[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--port", type=int, default=7871)
    arguments = parser.parse_args()
    if not (arguments.folder / "openimages").exists():
        write_open_images(arguments.folder, arguments.images)
    with StandIn(arguments.folder, arguments.port) as stand_in:
        print(json.dumps(stand_in.options()), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
