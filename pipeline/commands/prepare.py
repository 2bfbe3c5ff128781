"""Turns what annotation tools write into COCO instance JSON for training, and shows the data.

    python -m pipeline prepare --data FOLDER                                 # tells the format by the files
    python -m pipeline prepare --data FOLDER --split 0.2                     # and divides it: FOLDER-train, FOLDER-val
    python -m pipeline prepare --data photos --annotations instances.json    # annotations that lie elsewhere
    python -m pipeline prepare --data photos --annotations png --class Cup   # masks without names of classes

Read are COCO (also as Roboflow and CVAT lay it out), VIA, labelme, YOLO boxes and polygons, CVAT XML, Pascal VOC XML
and masks, PNG label masks, and folders that `download` made. Writes beside the folder, here for `data/cat/train`:

    data/cat/train.json           COCO instances, masks as RLE at the exact size of each image
    data/cat/train.report.json    counts, sizes, and every image and mask that was dropped, with the reason
    data/cat/train.report.txt     the same in sentences, also printed
    data/cat/train.contact.png    a sample of images with masks drawn: look at it before training

Data that come in parts, such as `train/` and `valid/`, and data divided by `--split` give one such set a part:
`FOLDER-train.json` and so on. Boxes are derived from masks. Groups, doubtful objects and objects whose outline cannot
be read become ignore regions (`iscrowd`), so that no image counts as empty because an object was lost. An object with a
box and no mask is written without `segmentation`: it trains class and box, and not the mask; the report says how many
there are. An interrupted run is continued by the same command.
"""

from pathlib import Path

from pipeline.data.formats import FORMATS


def add_arguments(parser):
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of images")
    parser.add_argument(
        "--annotations",
        type=Path,
        metavar="PATH",
        help="folder or file of the annotations (default: DIR)",
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
        help="keep only this class; repeat the option for several (default: all). Where the annotations name no "
        "classes, what theirs is called",
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
    parser.add_argument(
        "--split",
        type=float,
        metavar="SHARE",
        help="write DIR-train and DIR-val, with this share (below 1) or number of the images in the latter, near "
        "duplicates on one side unless most of the data look alike (default: the parts that the data come in)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the division by --split (default: 0)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the JSON file to write (default: DIR.json)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def main(arguments):
    from pipeline.data.prepare import prepare
    from pipeline.data.report import describe, next_command

    reports = prepare(
        arguments.data,
        arguments.annotations,
        arguments.out,
        format_name=arguments.format,
        class_names=arguments.classes,
        values=arguments.values,
        boxes=arguments.boxes,
        split=arguments.split,
        seed=arguments.seed,
        progress=not arguments.quiet,
        tell=lambda text: print(text, end="", flush=True),
    )
    for out, report in reports.items():
        print(describe(report, out), end="")
    print(next_command(reports))
    return 0
