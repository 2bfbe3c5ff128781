"""What a visitor takes home: each file by itself or all in one ZIP, at the photo's own size."""

import contextlib
import csv
import dataclasses
import functools
import io
import itertools
import json
import operator
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np

from interface import animation
from interface.encoding import png
from interface.large_photos import at_own_size
from interface.poster import thumbnail
from interface.safety.apart import PART
from interface.safety.folder import random_folder
from interface.safety.text import table_cell
from interface.settings import Settings
from mrcnn.results import drawing
from mrcnn.results.detections import Detections
from mrcnn.results.documents import coco_document, labelme_document

COLUMNS = ["number", "class", "score", "area_px", "share_percent", "x1", "y1", "x2", "y2"]
EVERYTHING = "everything.zip"
# How the page calls the files; cut-outs of single objects are added to these. The animations are made only when asked
# for: they are to be shown around, and nothing in them is not in the other files.
TITLES = {
    EVERYTHING: "All results (ZIP)",
    "overlay.png": "Overlay (PNG)",
    "before-after.webp": "Before and after (animated WebP)",
    "before-after.gif": "Before and after (animated GIF)",
    "cutout-all.png": "Cut-out of all (PNG)",
    "semantic-classes.png": "Semantic labels (PNG)",
    "instances-16bit.png": "Instance labels (16-bit PNG)",
    "coco.json": "COCO, run lengths (JSON)",
    "coco-polygons.json": "COCO, polygons (JSON)",
    "labelme.json": "labelme (JSON)",
    "objects.csv": "Table (CSV)",
}
THUMBNAIL = "thumbnail-"  # what small copies of the cut-outs begin with, for the line-up
ANIMATIONS = {f"before-after.{kind}": kind for kind in animation.FORMATS}


def download_choices(class_names):
    """What the page offers to download.

    Args:
        class_names: list of str. The class of each object that is shown.

    Returns:
        A list of pairs of str: what the visitor reads, and the file's name for `write_download`.
    """
    cutouts = [(f"Cut-out {row + 1}, {name} (PNG)", _cutout_name(row, name)) for row, name in enumerate(class_names)]
    return [(title, name) for name, title in TITLES.items()] + cutouts


def write_download(folder, path, analysis, settings, name=EVERYTHING):
    """Writes one file of a result, or all of them but the animations as a ZIP.

    Args:
        folder: path. Where it goes; a new folder with a random name is made in it.
        path: path of the photo.
        analysis: `interface.session.Analysis` of that photo.
        settings: `interface.settings.Settings`, for the overlay and for which objects count.
        name: str. One of the names in `download_choices`. Defaults to the ZIP.

    Returns:
        str. The path of the file.

    Raises:
        ValueError: if there is no such file, or the photo can no longer be read, or its files take too much.
    """
    stem, own = Path(path).stem, random_folder(folder)
    result = Result(str(path), Path(path).name, analysis.detections, settings, analysis.milliseconds)
    names = None if name == EVERYTHING else [name]
    title = f"{stem}-segmented.zip" if name == EVERYTHING else f"{stem}-{name}"
    with contextlib.ExitStack() as undone:
        undone.callback(shutil.rmtree, own, ignore_errors=True)
        if names:
            (file,) = write_files(own, result, names)
            file.rename(own / title)
        else:
            # PNG and JSON within are compressed already, or small.
            with zipfile.ZipFile(own / title, "w", zipfile.ZIP_STORED) as archive:
                for file in write_files(own, result):
                    archive.write(file, f"{stem}/{file.name}")
                    file.unlink()
        undone.pop_all()
    return str(own / title)


@dataclasses.dataclass(frozen=True)
class Result:
    """A photo and what was found in it: all that its files are made of.

    Args:
        path: str. Of the photo.
        photo_name: str. What its files call it.
        detections: `mrcnn.results.detections.Detections` of it, at its own size.
        settings: `interface.settings.Settings`, for the overlay and for which objects count.
        milliseconds: float. How long the model took.
    """

    path: str
    photo_name: str
    detections: Detections
    settings: Settings
    milliseconds: float


def write_files(folder, result, names=None, image=None, thumbnails=False):
    """Writes the files of a result, one after the other.

    Args:
        folder: path. Where they go.
        result: `Result`.
        names: list of str. Of the files that are wanted. Defaults to all but the animations.
        image: uint8 `(h, w, 3)`. The photo or a smaller copy, if it is here. Defaults to reading it.
        thumbnails: bool. Whether each cut-out is followed by a small copy for a line-up, whose name begins with
            `THUMBNAIL`. Defaults to `False`.

    Yields:
        Path of each file, as soon as it is complete.

    Raises:
        ValueError: if there is no such file, or the photo cannot be read, or its files take too much.
    """
    photo = result.path, result.detections.image_size
    parts = at_own_size(make_files, *photo, result, names, thumbnails, image=image)
    for name, group in itertools.groupby(parts, operator.itemgetter(0)):
        file = Path(folder) / name
        with file.open("wb") as stream:
            for _, content in group:
                stream.write(content)
        yield file


def make_files(image, result, names, thumbnails):
    """Yields pairs of a file's name and a part of its content; see `write_files`."""
    files = result_files(result, image)
    if names is None:
        left_out = () if thumbnails else (THUMBNAIL,)
        names = [name for name in files if name not in ANIMATIONS and not name.startswith(left_out)]
    for name in names:
        if name not in files:
            raise ValueError(f"There is no {name} for what is shown now.")
        content = memoryview(files[name]())
        for start in range(0, len(content), PART):
            yield name, bytes(content[start : start + PART])


def result_files(result, image):
    """The files of a result.

    Args:
        result: `Result`.
        image: uint8 `(H, W, 3)`. The photo.

    Returns:
        dict from name to a function that gives the content as bytes, so that no more of them than needed are made, one
        at a time.
    """
    settings, class_names = result.settings, result.detections.class_names
    found = settings.instances(result.detections)
    coco = functools.partial(coco_document, found, result.photo_name, class_names, result.milliseconds)
    files = {
        "overlay.png": lambda: png(settings.draw_instances(image, found)),
        "semantic-classes.png": lambda: png(drawing.semantic_image(found.semantic_map())),
        "instances-16bit.png": lambda: png(found.instance_map()),
        "cutout-all.png": lambda: png(drawing.cut_out(image, found)),
        "coco.json": lambda: _json(coco()),
        "coco-polygons.json": lambda: _json(coco(polygons=True)),
        "labelme.json": lambda: _json(labelme_document(found, result.photo_name)),
        "objects.csv": lambda: _table(found),
    }

    @functools.lru_cache(maxsize=1)  # for the cut-out and its thumbnail
    def cut(row):
        return drawing.cut_out(image, found[row], crop=True)

    for row, class_name in enumerate(found.class_names):
        files[_cutout_name(row, class_name)] = lambda row=row: png(cut(row))
        files[f"{THUMBNAIL}{row + 1:02d}.png"] = lambda row=row: thumbnail(cut(row))
    for name, kind in ANIMATIONS.items():
        files[name] = lambda kind=kind: animation.before_after(image, settings.draw_instances(image, found), kind)
    return files


def _cutout_name(row, class_name):
    word = re.sub(r"[^\w-]+", "", class_name)  # a class may be called what no file may be called
    return f"cutout-{row + 1:02d}-{word}.png"


def _json(document):
    return json.dumps(document, indent=1).encode()


def _table(found):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    pixels = found.image_size[0] * found.image_size[1]
    for row, class_name in enumerate(found.class_names):
        y1, x1, y2, x2 = np.round(found.boxes[row], 1).tolist()
        area = int(found.areas[row])
        share = round(100 * area / pixels, 3)
        writer.writerow(
            [row + 1, table_cell(class_name), round(float(found.scores[row]), 4), area, share, x1, y1, x2, y2]
        )
    return text.getvalue().encode()
