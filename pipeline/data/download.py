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

import json
import sys
from pathlib import Path

from pipeline.data.open_images.tables import (
    BOX_COLUMNS,
    BOXES_CSV,
    CLASS_COLUMNS,
    CLASSES_CSV,
    IMAGE_COLUMNS,
    IMAGES_CSV,
    MASK_COLUMNS,
    MASKS_CSV,
    SPLITS,
    find_classes,
    read_rows,
    write_rows,
)

ATTRIBUTION_COLUMNS = (
    "ImageID", "Author", "AuthorProfileURL", "License", "Title", "OriginalLandingURL", "OriginalURL",
    "Rotation",
)  # fmt: skip


def add_arguments(parser):
    """Adds the options of `python -m pipeline download` to an argparse parser."""
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
        default="https://storage.googleapis.com/openimages",
        metavar="URL",
        help="where the class list, the boxes and the attribution come from (default: %(default)s)",
    )
    parser.add_argument(
        "--masks-url",
        default="https://storage.googleapis.com/openimages/v5",
        metavar="URL",
        help="where the mask table and the mask archives come from (default: %(default)s)",
    )
    parser.add_argument(
        "--images-url",
        default="https://s3.amazonaws.com",
        metavar="URL",
        help="S3 endpoint of the bucket open-images-dataset (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bars")


def main(arguments):
    """Runs the download.

    Returns:
        int. 0 when everything that exists was downloaded.

    Raises:
        ValueError: an option is wrong, or a class has no such annotations.
        OSError: the network or the disk failed; the same command continues.
    """
    for split in dict.fromkeys(arguments.splits or ["train"]):
        download_split(arguments, split)
    return 0


def download_split(arguments, split):
    """Downloads one split and prints what came.

    Returns:
        Dictionary as written to `download.json`.
    """
    from mrcnn.atomic import atomic_file, write_atomically
    from pipeline.data.open_images.masks import download_masks
    from pipeline.data.open_images.package import download_images
    from pipeline.data.open_images.transfer import fetch

    if arguments.limit is not None and arguments.limit < 1:
        raise ValueError(f"--limit is {arguments.limit}; it must be at least 1")
    folder = arguments.out / split
    cache = arguments.cache or arguments.out.resolve().parent / "open_images"

    def table(base_url, name):
        return fetch(f"{base_url.rstrip('/')}/{name}", cache / name, progress=not arguments.quiet)

    classes = find_classes(table(arguments.tables_url, CLASSES_CSV), arguments.classes)
    _refuse_other_classes(folder, classes)
    codes = set(classes.values())
    if not arguments.quiet:
        print(f"{split}: reading the tables", file=sys.stderr)
    boxes_table = table(arguments.tables_url, BOXES_CSV.format(split=split))
    box_rows = list(read_rows(boxes_table, BOX_COLUMNS, "LabelName", codes))
    mask_rows = []
    if arguments.annotations != "boxes":
        masks_table = table(arguments.masks_url, MASKS_CSV.format(split=split))
        mask_rows = list(read_rows(masks_table, MASK_COLUMNS, "LabelName", codes))
    chosen = choose_images(classes, box_rows, mask_rows, arguments.annotations, arguments.limit, split)
    # What an earlier command brought stays, with its masks and its author, whatever this one asks for.
    chosen.update(path.stem for path in (folder / "images").glob("*.jpg"))
    if arguments.annotations == "boxes" and (folder / "masks.csv").exists():
        mask_rows = list(read_rows(folder / "masks.csv", MASK_COLUMNS, "LabelName", codes))
    box_rows = [row for row in box_rows if row["ImageID"] in chosen]
    mask_rows = [row for row in mask_rows if row["ImageID"] in chosen]

    with atomic_file(folder / "classes.csv", "w") as file:
        rows = [{"LabelName": code, "DisplayName": name} for name, code in classes.items()]
        write_rows(file, CLASS_COLUMNS, rows)
    images = download_images(
        classes, box_rows, split, folder, arguments.images_url.rstrip("/"), progress=not arguments.quiet
    )
    present = set(images.present)
    mask_rows = [row for row in mask_rows if row["ImageID"] in present]
    with atomic_file(folder / "masks.csv", "w") as file:
        write_rows(file, MASK_COLUMNS, mask_rows)
    masks = download_masks(
        mask_rows, split, folder, cache, arguments.masks_url.rstrip("/"), progress=not arguments.quiet
    )
    credits_table = table(arguments.tables_url, IMAGES_CSV[split])
    credited = {row["ImageID"]: row for row in read_rows(credits_table, IMAGE_COLUMNS, "ImageID", present)}
    with atomic_file(folder / "attribution.csv", "w") as file:
        rows = [credited.get(image_id, {"ImageID": image_id}) for image_id in images.present]
        write_rows(file, ATTRIBUTION_COLUMNS, rows)

    summary = {
        "classes": classes,
        "split": split,
        "annotations": arguments.annotations,
        "limit": arguments.limit,
        "images": len(present),
        "images_missing": images.missing,
        "images_unreadable": images.unreadable,
        "boxes": sum(row["ImageID"] in present for row in box_rows),
        "masks": len(masks.present),
        "masks_missing": sorted(masks.missing),
        "masks_corrupt": sorted(masks.corrupt),
        "without_attribution": sorted(present - set(credited)),
    }
    write_atomically(folder / "download.json", json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
    _print_summary(summary, folder, cache)
    return summary


def choose_images(classes, box_rows, mask_rows, annotations, limit, split):
    """Chooses which images to download, the same ones in every run.

    Image ids are random hexadecimal numbers. Taking them in ascending order is a fair sample, and needs as
    few mask archives as possible, since there is one for each first digit.

    Args:
        classes: dict from display name to machine name.
        box_rows: list of dict. Rows of the box table of these classes.
        mask_rows: list of dict. Rows of the mask table of these classes; empty for `annotations="boxes"`.
        annotations: str. `"masks"`, `"boxes"` or `"both"`.
        limit: int or None. Images a class.
        split: str. For the error message.

    Returns:
        Set of image ids.

    Raises:
        ValueError: nothing is annotated this way for a class.
    """
    boxed = {code: set() for code in classes.values()}
    masked = {code: set() for code in classes.values()}
    for row in box_rows:
        boxed[row["LabelName"]].add(row["ImageID"])
    for row in mask_rows:
        masked[row["LabelName"]].add(row["ImageID"])
    chosen = set()
    for name, code in classes.items():
        ids = []
        if annotations != "boxes":
            ids += sorted(masked[code] & boxed[code])
        if annotations != "masks":
            ids += sorted(boxed[code] - masked[code])
        if not ids:
            advice = "; --annotations boxes takes its boxes" if boxed[code] else ""
            kind = "masks" if annotations == "masks" else "boxes"
            raise ValueError(f"Open Images has no {kind} of {name} in {split}{advice}")
        chosen.update(ids[:limit])
    return chosen


def _refuse_other_classes(folder, classes):
    """A folder holds one list of classes: boxes of others would be missing in the images that are there."""
    path = folder / "classes.csv"
    if path.exists():
        before = [row["DisplayName"] for row in read_rows(path, CLASS_COLUMNS, "LabelName", None)]
        if set(before) != set(classes):
            raise ValueError(f"{folder} holds {', '.join(before)}, not {', '.join(classes)}; choose another --out")


def _print_summary(summary, folder, cache):
    print(
        f"{folder}: {summary['images']} images, {summary['boxes']} boxes and {summary['masks']} masks "
        f"of {', '.join(summary['classes'])}"
    )
    for key, words in (
        ("images_missing", "images are not in the bucket and were skipped"),
        ("images_unreadable", "images cannot be decoded and were skipped"),
        ("masks_missing", "masks are not in their archive"),
        ("masks_corrupt", "masks are damaged in their archive"),
        ("without_attribution", "images have no author and licence on record"),
    ):
        if summary[key]:
            print(f"  {len(summary[key])} {words} (named in download.json)")
    print(f"  author and licence of each image: {folder / 'attribution.csv'}")
    print(f"  tables and mask archives are kept in {cache}; delete it when you need no further class")
