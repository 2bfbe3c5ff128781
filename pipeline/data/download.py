"""Images, boxes and instance masks of some classes from Open Images, one folder a split."""

import json

from pipeline.data.open_images.tables import (
    BOX_COLUMNS,
    BOXES_CSV,
    CLASS_COLUMNS,
    CLASSES_CSV,
    IMAGE_COLUMNS,
    IMAGES_CSV,
    MASK_COLUMNS,
    MASKS_CSV,
    find_classes,
    read_rows,
    write_rows,
)

TABLES_URL = "https://storage.googleapis.com/openimages"
MASKS_URL = "https://storage.googleapis.com/openimages/v5"
IMAGES_URL = "https://s3.amazonaws.com"
ATTRIBUTION_COLUMNS = (
    "ImageID", "Author", "AuthorProfileURL", "License", "Title", "OriginalLandingURL", "OriginalURL",
    "Rotation",
)  # fmt: skip


def download_split(
    class_names,
    split,
    folder,
    cache,
    limit=None,
    annotations="masks",
    tables_url=TABLES_URL,
    masks_url=MASKS_URL,
    images_url=IMAGES_URL,
    progress=True,
):
    """Download what one split shows of some classes, or go on where an earlier call stopped.

    Args:
        class_names: list of str. Boxable classes such as `"Cat"`.
        split: str. `"train"`, `"validation"` or `"test"`.
        folder: Path. Where it goes: `images/`, `boxes/`, `masks/` and their tables.
        cache: Path. Where tables and mask archives are kept.
        limit: int or `None`. Most images a class; what is there already stays. Defaults to all there are.
        annotations: str. `"masks"`: images that have masks. `"boxes"`: boxes alone. `"both"`: images with masks first,
            then those that have only boxes.
        tables_url: str. Address of the class list, the boxes and the attribution.
        masks_url: str. Address of the mask table and the mask archives.
        images_url: str. S3 endpoint of the bucket `open-images-dataset`.
        progress: bool. Whether to draw progress bars on stderr.

    Returns:
        dict as written to `download.json`: what was asked for, and how much came and did not come.

    Raises:
        ValueError: if a class is not known or not annotated this way, or the folder holds other classes.
        OSError: if the network or the disk fails; the same call continues.
    """
    from mrcnn.atomic import atomic_file, write_atomically
    from pipeline.data.open_images.masks import download_masks
    from pipeline.data.open_images.package import download_images
    from pipeline.data.open_images.transfer import fetch

    def table(base_url, name):
        return fetch(f"{base_url.rstrip('/')}/{name}", cache / name, progress=progress)

    classes = find_classes(table(tables_url, CLASSES_CSV), class_names)
    _refuse_other_classes(folder, classes)
    codes = set(classes.values())
    boxes_table = table(tables_url, BOXES_CSV.format(split=split))
    box_rows = list(read_rows(boxes_table, BOX_COLUMNS, "LabelName", codes))
    mask_rows = []
    if annotations != "boxes":
        masks_table = table(masks_url, MASKS_CSV.format(split=split))
        mask_rows = list(read_rows(masks_table, MASK_COLUMNS, "LabelName", codes))
    chosen = choose_images(classes, box_rows, mask_rows, annotations, limit, split)
    # What an earlier command brought stays, with its masks and its author, whatever this one asks for.
    chosen.update(path.stem for path in (folder / "images").glob("*.jpg"))
    if annotations == "boxes" and (folder / "masks.csv").exists():
        mask_rows = list(read_rows(folder / "masks.csv", MASK_COLUMNS, "LabelName", codes))
    box_rows = [row for row in box_rows if row["ImageID"] in chosen]
    mask_rows = [row for row in mask_rows if row["ImageID"] in chosen]

    with atomic_file(folder / "classes.csv", "w") as file:
        rows = [{"LabelName": code, "DisplayName": name} for name, code in classes.items()]
        write_rows(file, CLASS_COLUMNS, rows)
    images = download_images(classes, box_rows, split, folder, images_url.rstrip("/"), progress=progress)
    present = set(images.present)
    mask_rows = [row for row in mask_rows if row["ImageID"] in present]
    with atomic_file(folder / "masks.csv", "w") as file:
        write_rows(file, MASK_COLUMNS, mask_rows)
    masks = download_masks(mask_rows, split, folder, cache, masks_url.rstrip("/"), progress=progress)
    credits_table = table(tables_url, IMAGES_CSV[split])
    credited = {row["ImageID"]: row for row in read_rows(credits_table, IMAGE_COLUMNS, "ImageID", present)}
    with atomic_file(folder / "attribution.csv", "w") as file:
        rows = [credited.get(image_id, {"ImageID": image_id}) for image_id in images.present]
        write_rows(file, ATTRIBUTION_COLUMNS, rows)

    summary = {
        "classes": classes,
        "split": split,
        "annotations": annotations,
        "limit": limit,
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


def describe(summary, folder, cache):
    """What `download_split` returned, in sentences.

    Args:
        summary: dict.
        folder: Path, as given to it.
        cache: Path, as given to it.

    Returns:
        str, several lines.
    """
    lines = [
        f"{folder}: {summary['images']} images, {summary['boxes']} boxes and {summary['masks']} masks "
        f"of {', '.join(summary['classes'])}"
    ]
    for key, words in (
        ("images_missing", "images are not in the bucket and were skipped"),
        ("images_unreadable", "images cannot be decoded and were skipped"),
        ("masks_missing", "masks are not in their archive"),
        ("masks_corrupt", "masks are damaged in their archive"),
        ("without_attribution", "images have no author and licence on record"),
    ):
        if summary[key]:
            lines.append(f"  {len(summary[key])} {words} (named in download.json)")
    lines.append(f"  author and licence of each image: {folder / 'attribution.csv'}")
    lines.append(f"  tables and mask archives are kept in {cache}; delete it when you need no further class")
    return "\n".join(lines)
