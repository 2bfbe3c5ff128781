"""Everything about a result in one ZIP, at the photo's own size."""

import csv
import io
import json
import re
import secrets
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from mrcnn import drawing
from mrcnn.coco_json import coco_document
from mrcnn.pictures import read_picture

COLUMNS = ["number", "class", "score", "area_px", "share_percent", "x1", "y1", "x2", "y2"]


def write_archive(folder, path, analysis, settings):
    """Writes the ZIP of a result.

    Args:
        folder: path. Where the ZIP goes; a new folder with a random name is made in it.
        path: path of the photo.
        analysis: `interface.session.Analysis` of that photo.
        settings: `interface.settings.Settings`, for the overlay and for which objects count.

    Returns:
        str. The path of the ZIP.
    """
    picture = read_picture(path)
    found = analysis.detections.instances(settings.confidence, settings.mask_threshold)
    name = Path(path).stem
    target = Path(folder) / secrets.token_hex(16) / f"{name}-segmented.zip"
    target.parent.mkdir(parents=True)
    # PNG and JSON within are compressed already, or small.
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for file_name, content in archive_files(Path(path).name, picture, found, analysis, settings):
            archive.writestr(f"{name}/{file_name}", content)
    return str(target)


def archive_files(photo_name, picture, found, analysis, settings):
    """Yields name and content of each file of the ZIP, one at a time, so that only one is in memory."""
    yield "overlay.png", _png(settings.draw_instances(picture, found))
    yield "semantic-classes.png", _png(drawing.semantic_image(found.semantic_map()))
    yield "instances-16bit.png", _png(found.instance_map())
    yield "cutout-all.png", _png(drawing.cut_out(picture, found))
    for row, class_name in enumerate(found.class_names):
        word = re.sub(r"[^\w-]+", "", class_name)  # a class may be called what no file may be called
        yield f"cutout-{row + 1:02d}-{word}.png", _png(drawing.cut_out(picture, found[row], crop=True))
    document = coco_document(found, photo_name, analysis.detections.class_names, analysis.milliseconds)
    yield "coco.json", json.dumps(document, indent=1)
    yield "objects.csv", _table(found)


def _png(picture):
    stored = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(stored, "PNG", compress_level=2)
    return stored.getvalue()


def _table(found):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    pixels = found.image_size[0] * found.image_size[1]
    for row, class_name in enumerate(found.class_names):
        y1, x1, y2, x2 = np.round(found.boxes[row], 1).tolist()
        area = int(found.areas[row])
        share = round(100 * area / pixels, 3)
        writer.writerow([row + 1, class_name, round(float(found.scores[row]), 4), area, share, x1, y1, x2, y2])
    return text.getvalue()
