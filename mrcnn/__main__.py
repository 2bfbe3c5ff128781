"""Segments photos from the command line.

    python -m mrcnn holiday/*.jpg --out results --confidence 0.5

For each PHOTO.jpg it writes to the output folder:

    PHOTO.overlay.png    the photo with masks, boxes and labels
    PHOTO.semantic.png   the semantic map, a palette image whose values are class ids
    PHOTO.cutout.png     all objects on a transparent ground
    PHOTO.json           the instances as a COCO data set: boxes, scores and run-length masks

With --labels labelme there is only PHOTO.json, which labelme opens, with --labels yolo only PHOTO.txt and classes.txt:
to correct what was found and train on it, see `python -m pipeline prepare --help`.
"""

import argparse
import io
import json
import os
import sys
import time
from pathlib import Path

from PIL import Image

from mrcnn.engines import ENGINES
from mrcnn.images import distinct_stems, read_image
from mrcnn.model import MOST_OBJECTS, MaskRCNN
from mrcnn.results import drawing
from mrcnn.results.documents import coco_document, labelme_document, yolo_document
from mrcnn.results.wording import counted

# Photos from which on it pays to compile the network: that takes some 3 s and saves 0.2 s a photo.
WORTH_COMPILING = 16
# Photos are not made much smaller by more effort, but 12 megapixels would take seconds.
PNG_EFFORT = 2


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m mrcnn",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="an image file")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--confidence", type=float, default=0.5, metavar="0-1", help="lowest score that counts (default 0.5)"
    )
    parser.add_argument("--limit", type=int, default=30, metavar="N", help="most objects in one photo (default 30)")
    parser.add_argument(
        "--weights", default="cat", metavar="NAME", help="a model under weights/, or a path (default cat)"
    )
    parser.add_argument(
        "--labels", choices=("coco", "labelme", "yolo"), default="coco", help="form of the instances (default coco)"
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        help="what runs the network: onnx starts at once, int8 also takes less time and is a little less exact "
        "(default: MRCNN_ENGINE, else tensorflow if installed)",
    )
    chosen = parser.parse_args(arguments)
    if not 0 <= chosen.confidence <= 1:
        parser.error(f"--confidence must lie between 0 and 1, but is {chosen.confidence}")
    if not 1 <= chosen.limit <= MOST_OBJECTS:
        parser.error(f"--limit must be from 1 to {MOST_OBJECTS}, but is {chosen.limit}")
    return chosen


def write_results(folder, stem, photo, image, found, class_names, milliseconds, labels="coco"):
    """Writes the files of one photo.

    Labels for training come without pictures: beside the photos these would be further photos, without objects.
    """
    if labels == "yolo":
        (folder / f"{stem}.txt").write_text(yolo_document(found), encoding="utf-8")
        (folder / "classes.txt").write_text("".join(f"{name}\n" for name in class_names), encoding="utf-8")
        return
    if labels == "labelme":
        document = labelme_document(found, Path(os.path.relpath(photo, folder)).as_posix())
    else:
        document = coco_document(found, Path(photo).name, class_names, milliseconds)
        images = {
            "overlay": Image.fromarray(drawing.draw_instances(image, found)),
            "semantic": drawing.semantic_image(found.semantic_map()),
            "cutout": Image.fromarray(drawing.cut_out(image, found)),
        }
        for kind, drawn in images.items():
            drawn.save(folder / f"{stem}.{kind}.png", compress_level=PNG_EFFORT)
    (folder / f"{stem}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def main(arguments=None):
    """Runs the command and returns its exit code: 0, or 1 if any photo could not be done."""
    chosen = parse_arguments(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    for stream in (sys.stdout, sys.stderr):  # a photo may have a name that the terminal cannot show
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        compiled = len(chosen.photos) >= WORTH_COMPILING
        model = MaskRCNN.from_pretrained(chosen.weights, compiled, chosen.engine)
        chosen.out.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:
        print(f"mrcnn: {error}", file=sys.stderr)
        return 1
    failures = 0
    for number, (photo, stem) in enumerate(zip(chosen.photos, distinct_stems(chosen.photos), strict=True), start=1):
        place = f"[{number}/{len(chosen.photos)}] {photo}"
        try:
            image = read_image(photo)
            start = time.perf_counter()
            found = model.segment(image, confidence=chosen.confidence, limit=chosen.limit)
            milliseconds = 1000 * (time.perf_counter() - start)
            write_results(chosen.out, stem, photo, image, found, model.class_names, milliseconds, chosen.labels)
        except (ValueError, OSError) as error:
            failures += 1
            print(f"{place}: {error}", file=sys.stderr)
            continue
        print(f"{place}: {counted(found)} in {milliseconds:.0f} ms -> {chosen.out / stem}.*", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
