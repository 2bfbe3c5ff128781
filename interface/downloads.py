"""What a visitor takes home: each file by itself or all in one ZIP, at the photo's own size."""

import csv
import functools
import io
import json
import re
import secrets
import zipfile
from pathlib import Path

import numpy as np

from interface import animation
from interface.encoding import png
from interface.safety.decoding import read_photo
from interface.safety.text import table_cell
from mrcnn.results import drawing
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
        ValueError: if there is no such file, or the photo can no longer be read.
    """
    image = read_photo(path)
    found = settings.instances(analysis.detections)
    files = result_files(
        Path(path).name, image, found, analysis.detections.class_names, analysis.milliseconds, settings
    )
    for kind in animation.FORMATS:
        if name == f"before-after.{kind}":
            files[name] = lambda kind=kind: animation.before_after(image, settings.draw_instances(image, found), kind)
    if name != EVERYTHING and name not in files:
        raise ValueError(f"There is no {name} for what is shown now.")
    stem = Path(path).stem
    title = f"{stem}-segmented.zip" if name == EVERYTHING else f"{stem}-{name}"
    target = Path(folder) / secrets.token_hex(16) / title
    target.parent.mkdir(parents=True)
    if name != EVERYTHING:
        target.write_bytes(files[name]())
        return str(target)
    # PNG and JSON within are compressed already, or small.
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for file_name, content in files.items():
            archive.writestr(f"{stem}/{file_name}", content())
    return str(target)


def result_files(photo_name, image, found, class_names, milliseconds, settings):
    """The files of a result.

    Args:
        photo_name: str. The photo's file name.
        image: uint8 `(H, W, 3)`.
        found: `mrcnn.Instances` of it.
        class_names: names of the model's classes 1, 2, and so on.
        milliseconds: float. How long the model took.
        settings: `interface.settings.Settings`, for the overlay.

    Returns:
        dict from name to a function that gives the content as bytes, so that no more of them than needed are made, one
        at a time.
    """
    coco = functools.partial(coco_document, found, photo_name, class_names, milliseconds)
    files = {
        "overlay.png": lambda: png(settings.draw_instances(image, found)),
        "semantic-classes.png": lambda: png(drawing.semantic_image(found.semantic_map())),
        "instances-16bit.png": lambda: png(found.instance_map()),
        "cutout-all.png": lambda: png(drawing.cut_out(image, found)),
        "coco.json": lambda: _json(coco()),
        "coco-polygons.json": lambda: _json(coco(polygons=True)),
        "labelme.json": lambda: _json(labelme_document(found, photo_name)),
        "objects.csv": lambda: _table(found),
    }
    for row, class_name in enumerate(found.class_names):
        files[_cutout_name(row, class_name)] = lambda row=row: png(drawing.cut_out(image, found[row], crop=True))
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
