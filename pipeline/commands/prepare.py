"""Turns masks, boxes, COCO JSON or label masks into COCO instance JSON for training, and shows the data.

    python -m pipeline prepare --data data/cat/train                         # a folder that `download` made
    python -m pipeline prepare --data photos --annotations xml               # Pascal VOC boxes
    python -m pipeline prepare --data photos --annotations instances.json    # COCO JSON, any segmentation
    python -m pipeline prepare --data photos --annotations png --class Cup   # PNG label masks

Writes beside the folder, here for `data/cat/train`:

    data/cat/train.json           COCO instances, masks as RLE at the exact size of each image
    data/cat/train.report.json    counts, sizes, and every image and mask that was dropped, with the reason
    data/cat/train.report.txt     the same in sentences, also printed
    data/cat/train.contact.png    a sample of images with masks drawn: look at it before training

Boxes are derived from masks. Groups, doubtful objects and objects with a lost mask become ignore regions
(`iscrowd`). An object with a box and no mask is written without `segmentation`: it trains class and box, and not the
mask; the report says how many there are. An interrupted run is continued by the same command.
"""

from pathlib import Path

from pipeline.data.formats import FORMATS


def add_arguments(parser):
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of images")
    parser.add_argument(
        "--annotations",
        type=Path,
        metavar="PATH",
        help="folder of XML or PNG files, or a COCO JSON file (default: DIR)",
    )
    parser.add_argument(
        "--format",
        choices=("auto", *FORMATS),
        default="auto",
        help="what the annotations are (default: told by the files)",
    )
    parser.add_argument(
        "--class",
        dest="classes",
        action="append",
        metavar="NAME",
        help="keep only this class; repeat the option for several (default: all). Label masks need it",
    )
    parser.add_argument(
        "--values",
        choices=("instances", "classes"),
        default="instances",
        help="label masks: each value is one instance, or value c is the c-th --class (default: instances)",
    )
    parser.add_argument(
        "--boxes",
        choices=("keep", "fill", "ignore"),
        default="keep",
        help="objects with a box but no mask: keep the box, which trains class and box but no mask; fill it where an "
        "image has no masks at all, which teaches box-shaped masks; or ignore these regions (default: keep)",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="the JSON file to write (default: DIR.json)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def main(arguments):
    from pipeline.data.prepare import prepare
    from pipeline.data.report import describe

    out, report = prepare(
        arguments.data,
        arguments.annotations,
        arguments.out,
        format_name=arguments.format,
        class_names=arguments.classes,
        values=arguments.values,
        boxes=arguments.boxes,
        progress=not arguments.quiet,
    )
    print(describe(report, out), end="")
    return 0
