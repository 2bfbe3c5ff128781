"""Images and VOC XML boxes through the `openimages` package (0.0.1), with its faults mended from outside.

The package does the work: it selects rows, downloads from the public bucket and writes the XML. It only ever
reads the tables that this adapter writes for it, which mends most faults without touching the package:

- it holds the whole box table in memory: it is given the rows of the chosen images alone;
- a limit fills train first, and splits share a folder: the tables of the other splits are given empty, and
  each split has its own folder;
- occluded, truncated and group boxes are dropped: their flags are cleared in its tables and put back into the
  XML;
- image names of digits only would be read as numbers: the tables open and close with a row against that.

The rest is mended by wrapping the one function that stores an image: it writes to a .part file, so there are
no empty files; a missing image is counted instead of ending the run; what is there already is not fetched
again. The package silences every warning and sets up logging for the whole process; both are undone.
"""

import logging
import os
import tempfile
import threading
import warnings
import xml.etree.ElementTree as ElementTree
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mrcnn.atomic import atomic_file, raise_if_full, write_atomically
from pipeline.data.open_images.tables import BOX_COLUMNS, SPLITS, write_rows

PUBLIC_ENDPOINT = "https://s3.amazonaws.com"
FLAGS = ("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside")
TRIES = 3


@dataclass
class ImageDownloads:
    """What became of the images: their ids, by outcome."""

    present: list = field(default_factory=list)
    missing: list = field(default_factory=list)
    unreadable: list = field(default_factory=list)


def download_images(classes, rows, split, folder, endpoint=PUBLIC_ENDPOINT, progress=True):
    """Downloads the images that the rows name to `folder/images` and their boxes to `folder/boxes`.

    Args:
        classes: dict from display name to machine name.
        rows: list of dict. Rows of the box table (the columns in BOX_COLUMNS) of the images to download.
        split: str. `"train"`, `"validation"` or `"test"`.
        folder: str or Path. The split's own folder.
        endpoint: str. S3 endpoint that holds the bucket `open-images-dataset`.
        progress: bool. Whether to draw progress bars on stderr.

    Returns:
        ImageDownloads.

    Raises:
        ConnectionError: the bucket cannot be reached.
        OSError: the disk is full.
    """
    import botocore.exceptions

    folder = Path(folder).resolve()
    images, boxes = folder / "images", folder / "boxes"
    images.mkdir(parents=True, exist_ok=True)
    boxes.mkdir(parents=True, exist_ok=True)
    image_ids = sorted({row["ImageID"] for row in rows})
    with tempfile.TemporaryDirectory() as staging, _mended_package(endpoint, progress) as (package, store):
        staging = Path(staging)
        tables = staging / "tables"
        _write_tables(tables, classes, rows, split)
        for name in classes:
            # One folder of images, however many classes an image shows.
            (staging / name.lower()).mkdir()
            (staging / name.lower() / "images").symlink_to(images, target_is_directory=True)
        try:
            package.download_images(str(staging), list(classes), None, csv_dir=str(tables))
            absent = staging / "absent.txt"
            absent.write_text("".join(f"{image_id}\n" for image_id in store.missing | store.unreadable))
            # Everything is there now, so this only writes the XML, for the images that came.
            package.tqdm = partial(_bar, False)
            package.download_dataset(str(staging), list(classes), str(absent), "pascal", csv_dir=str(tables))
        except botocore.exceptions.BotoCoreError as error:
            raise ConnectionError(
                f"the image bucket at {endpoint} cannot be read ({error}); run the same command again, it continues"
            ) from error
        for part in images.glob("*.part"):  # of a run that was killed
            part.unlink()
        downloads = ImageDownloads(missing=sorted(store.missing), unreadable=sorted(store.unreadable))
        downloads.present = [image_id for image_id in image_ids if (images / f"{image_id}.jpg").exists()]
        rows_of = {}
        for row in rows:
            rows_of.setdefault((row["ImageID"], row["LabelName"]), []).append(row)
        for image_id in downloads.present:
            write_atomically(boxes / f"{image_id}.xml", _merge_xml(staging, classes, rows_of, image_id))
    return downloads


@contextmanager
def _mended_package(endpoint, progress):
    """Gives the package's module, its image storing wrapped, and the wrapper; undoes it all afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    with warnings.catch_warnings():  # importing the package silences all warnings for good
        from openimages import download as package
    root.handlers[:] = handlers
    root.setLevel(level)

    # Ten threads share ten connections, but an image may take two for a moment: harmless, but noisy.
    pool_log = logging.getLogger("urllib3.connectionpool")
    pool_level = pool_log.level
    endpoint_before = os.environ.get("AWS_ENDPOINT_URL_S3")
    store = _StorePicture(package._download_single_image)
    bar = package.tqdm
    try:
        pool_log.setLevel(logging.ERROR)
        if endpoint != PUBLIC_ENDPOINT:
            os.environ["AWS_ENDPOINT_URL_S3"] = endpoint
        package._download_single_image = store
        package.tqdm = partial(_bar, progress)
        with warnings.catch_warnings():
            # It calls pandas in a way that pandas 4 will drop; the requirements keep pandas below 4.
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="openimages")
            yield package, store
    finally:
        package._download_single_image = store.download
        package.tqdm = bar
        pool_log.setLevel(pool_level)
        if endpoint_before is None:
            os.environ.pop("AWS_ENDPOINT_URL_S3", None)
        else:
            os.environ["AWS_ENDPOINT_URL_S3"] = endpoint_before


def _bar(progress, items, total):
    from tqdm import tqdm

    return tqdm(items, total=total, desc="images", unit="image", disable=not (progress and total))


class _StorePicture:
    """Stands where the package stores one image: completely or not at all, and a missing one is noted."""

    def __init__(self, download):
        self.download = download
        self.missing, self.unreadable = set(), set()
        self.lock = threading.Lock()  # the package calls from ten threads

    def __call__(self, arguments):
        from botocore.exceptions import ClientError

        path = Path(arguments["dest_file_path"])
        if path.exists() or path.stem in self.missing | self.unreadable:
            return
        part = path.with_name(path.name + ".part")
        try:
            for _ in range(TRIES):
                self.download({**arguments, "dest_file_path": str(part)})
                if _is_jpeg(part):
                    os.replace(part, path)
                    return
            self._note(self.unreadable, path.stem)
        except ClientError as error:
            # A bucket that may not be listed answers 403 for a key that does not exist.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (403, 404):
                raise ConnectionError(
                    f"the image bucket answers {error}; run the same command again, it continues"
                ) from error
            self._note(self.missing, path.stem)
        except OSError as error:
            raise_if_full(error, path)
            raise
        finally:
            part.unlink(missing_ok=True)

    def _note(self, ids, image_id):
        with self.lock:
            ids.add(image_id)


def _is_jpeg(path):
    """Whether the file is a complete JPEG (the package's XML writer fails on anything else)."""
    from mrcnn.images import open_image

    try:
        with open_image(path) as image:
            image.load()
            return image.format == "JPEG"
    except (OSError, SyntaxError, ValueError):
        return False


def _write_tables(folder, classes, rows, split):
    """Writes the class list and the three box tables that the package reads instead of the public ones."""
    guard = dict.fromkeys(BOX_COLUMNS, "0") | {"ImageID": "not-a-number", "LabelName": "none"}
    cleared = [row | dict.fromkeys(FLAGS, "0") for row in rows]
    with atomic_file(folder / "class-descriptions-boxable.csv", "w") as file:
        file.writelines(f'{code},"{name}"\n' for name, code in classes.items())
    for each in SPLITS:
        with atomic_file(folder / f"{each}-annotations-bbox.csv", "w") as file:
            write_rows(file, BOX_COLUMNS, [guard, *(cleared if each == split else []), guard])


def _merge_xml(staging, classes, rows_of, image_id):
    """Joins the package's files of an image, one a class, with the flags and class names that it dropped."""
    merged = None
    for name, code in classes.items():
        path = staging / name.lower() / "pascal" / f"{image_id}.xml"
        if not path.exists():
            continue
        annotation = ElementTree.parse(path).getroot()
        for item, row in zip(annotation.findall("object"), rows_of[image_id, code], strict=True):
            item.find("name").text = name
            item.find("truncated").text = str(int(row["IsTruncated"] == "1"))
            # VOC's word for "neither positive nor negative": groups, drawings and views from the inside.
            ignore = "1" in (row["IsGroupOf"], row["IsDepiction"], row["IsInside"])
            item.find("difficult").text = str(int(ignore))
            ElementTree.SubElement(item, "occluded").text = str(int(row["IsOccluded"] == "1"))
            if merged is not None:
                merged.append(item)
        if merged is None:
            merged = annotation
    merged.find("folder").text = "images"
    merged.find("path").text = f"images/{image_id}.jpg"  # the package writes where it happened to lie
    ElementTree.indent(merged)
    return ElementTree.tostring(merged, encoding="utf-8") + b"\n"
