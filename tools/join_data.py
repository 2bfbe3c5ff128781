"""Several COCO data sets as one, whose classes go by name: photos stay where they are.

    python -m tools.join_data --out DATA/objects.json DATA/wild.json:DATA/wild DATA/train_pets.json:DATA/train

Each set is its JSON and, behind a colon, its folder of photos (default: the JSON's name without ending). All classes
must be those of the first set, which should have every instance of them labelled: what a photo shows and does not label
is unlearned. Photos without instances are taken from the first set alone, for that reason.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from mrcnn.atomic import write_atomically


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m tools.join_data", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", metavar="JSON[:FOLDER]", help="COCO JSON and folder of photos")
    parser.add_argument(
        "--out", required=True, metavar="JSON", help="where to; file names count from the folder beside"
    )
    return parser.parse_args(arguments)


def join(sets, root):
    """One COCO dictionary.

    Args:
        sets: list of `(content, folder)`: COCO's dict, and the path of the folder of its photos.
        root: path of the folder that file names count from.

    Raises:
        ValueError: if a set has a class that the first one lacks.
    """
    (first, _), *_ = sets
    ids = {category["name"].lower(): category["id"] for category in first["categories"]}
    images, rows = [], []
    for content, folder in sets:
        names = {category["id"]: category["name"].lower() for category in content["categories"]}
        missing = sorted(set(names.values()) - ids.keys())
        if missing:
            raise ValueError(f"{folder} has classes that the first set lacks: {', '.join(missing)}")
        annotated = {row["image_id"] for row in content["annotations"]}
        taken = [image for image in content["images"] if content is first or image["id"] in annotated]
        numbers = {image["id"]: len(images) + number for number, image in enumerate(taken, start=1)}
        for image in taken:
            path = Path(os.path.relpath(Path(folder) / image["file_name"], root)).as_posix()
            images.append({**image, "id": numbers[image["id"]], "file_name": path})
        for row in content["annotations"]:
            category = ids[names[row["category_id"]]]
            rows.append({**row, "id": len(rows) + 1, "image_id": numbers[row["image_id"]], "category_id": category})
    return {"images": images, "annotations": rows, "categories": first["categories"]}


def main(arguments=None):
    chosen = parse_arguments(arguments)
    out, sets = Path(chosen.out), []
    for one in chosen.sets:
        file, _, folder = one.partition(":")
        sets.append((json.loads(Path(file).read_text()), folder or Path(file).with_suffix("")))
    root = out.with_suffix("")
    try:
        content = join(sets, root)
    except ValueError as error:
        sys.exit(f"join_data: {error}")
    root.mkdir(parents=True, exist_ok=True)  # `train` looks for it
    write_atomically(out, json.dumps(content))
    print(f"{out}: {len(content['images'])} photos with {len(content['annotations'])} instances")


if __name__ == "__main__":
    main()
