"""Downloads images, boxes and instance masks of some classes from Open Images.

    python -m pipeline download --class Cat --split train --limit 500 --out data/cat
    python -m pipeline download --class Cat --split validation --limit 100 --out data/cat
    python -m pipeline download --class Cat --class Dog --limit 200 --annotations both --out data/pets

Each split gets its own folder, ready for `python -m pipeline prepare`:

    data/cat/train/images/ID.jpg          the images
    data/cat/train/boxes/ID.xml           their boxes, Pascal VOC; `difficult` marks groups and drawings
    data/cat/train/masks/ID_CLASS_BOX.png the instance masks, not yet at image size
    data/cat/train/masks.csv              which mask belongs to which image, class and box
    data/cat/train/classes.csv            machine name and display name of the classes
    data/cat/train/attribution.csv        author, licence and source of every image: keep it with them
    data/cat/train/download.json          what was asked for and what came

An interrupted download is continued by the same command, and another --limit adds to what is there. The tables
of Open Images are large (train: about 2 GB, validation: about 100 MB); they are kept in a cache beside the data
sets and shared between classes.
"""

import sys
from pathlib import Path

from pipeline.data.download import IMAGES_URL, MASKS_URL, TABLES_URL, describe, download_split
from pipeline.data.open_images.tables import SPLITS


def add_arguments(parser):
    parser.add_argument(
        "--class",
        dest="classes",
        action="append",
        required=True,
        metavar="NAME",
        help="a boxable Open Images class such as Cat; repeat the option for several",
    )
    parser.add_argument(
        "--split",
        dest="splits",
        action="append",
        choices=SPLITS,
        help="which split to take; repeat the option for several (default: train)",
    )
    parser.add_argument(
        "--limit",
        type=int,
        metavar="N",
        help="at most N images a class in each split; what is there already stays (default: all there are)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the split folders go")
    parser.add_argument(
        "--annotations",
        choices=("masks", "boxes", "both"),
        default="masks",
        help="masks: only images that have instance masks; boxes: boxes alone, no masks are downloaded; "
        "both: images with masks first, then images that have only boxes (default: masks)",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="where tables and mask archives are kept (default: OUT/../open_images)",
    )
    parser.add_argument(
        "--tables-url",
        default=TABLES_URL,
        metavar="URL",
        help="where the class list, the boxes and the attribution come from (default: %(default)s)",
    )
    parser.add_argument(
        "--masks-url",
        default=MASKS_URL,
        metavar="URL",
        help="where the mask table and the mask archives come from (default: %(default)s)",
    )
    parser.add_argument(
        "--images-url",
        default=IMAGES_URL,
        metavar="URL",
        help="S3 endpoint of the bucket open-images-dataset (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bars")


def main(arguments):
    if arguments.limit is not None and arguments.limit < 1:
        raise ValueError(f"--limit is {arguments.limit}; it must be at least 1")
    cache = arguments.cache or arguments.out.resolve().parent / "open_images"
    for split in dict.fromkeys(arguments.splits or ["train"]):
        folder = arguments.out / split
        if not arguments.quiet:
            print(f"{split}: reading the tables", file=sys.stderr)
        summary = download_split(
            arguments.classes,
            split,
            folder,
            cache,
            limit=arguments.limit,
            annotations=arguments.annotations,
            tables_url=arguments.tables_url,
            masks_url=arguments.masks_url,
            images_url=arguments.images_url,
            progress=not arguments.quiet,
        )
        print(describe(summary, folder, cache))
    return 0
