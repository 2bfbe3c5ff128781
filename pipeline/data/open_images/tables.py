"""The CSV tables of Open Images, read by column name: class list, boxes, masks, and who took each image.

Published under https://storage.googleapis.com/openimages (facts from the data set's download page):

    v5/class-descriptions-boxable.csv                       601 classes; v7 renamed it and added a header
    2018_04/SPLIT/SPLIT-annotations-bbox.csv                boxes; train has 14.6 million rows, 1.1 GB
    v5/SPLIT-annotations-object-segmentation.csv            one row a mask
    2018_04/train/train-images-boxable-with-rotation.csv    author and licence, 600 MB
    2018_04/validation/validation-images-with-rotation.csv  the same for validation (and likewise for test)
"""

import csv
import difflib

SPLITS = ("train", "validation", "test")
CLASSES_CSV = "v5/class-descriptions-boxable.csv"
BOXES_CSV = "2018_04/{split}/{split}-annotations-bbox.csv"
MASKS_CSV = "{split}-annotations-object-segmentation.csv"
IMAGES_CSV = {
    "train": "2018_04/train/train-images-boxable-with-rotation.csv",
    "validation": "2018_04/validation/validation-images-with-rotation.csv",
    "test": "2018_04/test/test-images-with-rotation.csv",
}

# The published order of the columns, for files that come without a header. Later versions append columns.
CLASS_COLUMNS = ("LabelName", "DisplayName")
BOX_COLUMNS = (
    "ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax",
    "IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside",
)  # fmt: skip
MASK_COLUMNS = (
    "MaskPath", "ImageID", "LabelName", "BoxID", "BoxXMin", "BoxXMax", "BoxYMin", "BoxYMax", "PredictedIoU",
    "Clicks",
)  # fmt: skip
IMAGE_COLUMNS = (
    "ImageID", "Subset", "OriginalURL", "OriginalLandingURL", "License", "AuthorProfileURL", "Author",
    "Title", "OriginalSize", "OriginalMD5", "Thumbnail300KURL", "Rotation",
)  # fmt: skip


def read_rows(path, columns, where, values):
    """Yields the rows of a table, as dictionaries, whose column `where` holds one of some values.

    Args:
        path: str or Path. A CSV file. The header may be missing, and further columns may follow.
        columns: tuple of str. The columns to keep; also their order in a file without a header.
        where: str. Name of the column to select by.
        values: collection of str, or None to take every row.

    Raises:
        ValueError: the file has a header that lacks one of the columns.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        first = next(reader, None)
        if first is None:
            return
        has_header = any(name in first for name in columns)
        header = first if has_header else list(columns)
        missing = [name for name in columns if name not in header]
        if missing:
            raise ValueError(f"{path} has no column {missing[0]}; its columns are {', '.join(header)}")
        positions = [(name, header.index(name)) for name in columns]
        key, last = header.index(where), max(position for _, position in positions)

        def select(row):
            return len(row) > last and (values is None or row[key] in values)

        if not has_header and select(first):
            yield {name: first[position] for name, position in positions}
        for row in reader:
            if select(row):
                yield {name: row[position] for name, position in positions}


def write_rows(file, columns, rows):
    """Writes dictionaries as CSV with a header to an open text file; further keys of a row are left out."""
    writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def find_classes(path, names):
    """Looks class names up in the class list.

    Args:
        path: str or Path. The class list, with or without a header.
        names: list of str. Display names such as `"Cat"`; upper and lower case do not matter.

    Returns:
        Dictionary from display name to machine name, such as `{"Cat": "/m/01yrx"}`, in the given order.

    Raises:
        ValueError: a name is unknown; says which names are near.
    """
    codes = {row["DisplayName"]: row["LabelName"] for row in read_rows(path, CLASS_COLUMNS, "LabelName", None)}
    by_lower_case = {name.lower(): name for name in codes}
    found = {}
    for name in names:
        lower_case = name.strip().lower()
        known = name if name in codes else by_lower_case.get(lower_case)
        if known is None:
            near = difflib.get_close_matches(lower_case, by_lower_case, n=5, cutoff=0.5)
            near += [lower for lower in by_lower_case if lower_case and lower_case in lower and lower not in near][:5]
            hint = f"near matches: {', '.join(by_lower_case[lower] for lower in near)}" if near else "nothing is near"
            raise ValueError(f"Open Images has no class {name!r} among its {len(codes)} boxable classes; {hint}")
        found[known] = codes[known]
    return found
