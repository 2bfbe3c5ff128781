"""Labels for photos that have none, by a model that knows better: what it is sure of, and no photo of which it is not.

    python -m tools.teacher_labels --weights runs/pets/last --data DATA/extra --class dog --out DATA/extra_pets.json

Photos with annotations keep them. One without gets the model's object, if there is exactly one with a score of 0.3 or
more, and that one is of the class and reaches --least. Any other is left out, as it may show what is not labelled. What
learns from the labels should take boxes from them and no masks (`box_only`): their outlines are the teacher's own.
"""

import argparse
import json
import sys
from pathlib import Path

from tqdm import tqdm

from mrcnn import MaskRCNN
from mrcnn.atomic import write_atomically
from mrcnn.images import read_image

SEEN = 0.3  # score from which on an object counts as a second one


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m tools.teacher_labels", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", required=True, help="the model that labels; its classes are those of the result")
    parser.add_argument("--data", required=True, help="folder of photos")
    parser.add_argument("--annotations", help="COCO JSON (default: the folder's name with .json)")
    parser.add_argument("--class", dest="name", required=True, help="of the photos without annotations")
    parser.add_argument("--least", type=float, default=0.9, help="score of a label (default 0.9)")
    parser.add_argument("--out", required=True, help="COCO JSON to write")
    return parser.parse_args(arguments)


def label(model, image, name, least):
    """The one object in an image as `bbox`, `area`, `segmentation` and `score`; `None` where there may be others."""
    found = model.segment(image, confidence=SEEN)
    if found.class_names != [name] or found.scores[0] < least:
        return None
    return found.to_coco()[0]


def main(arguments=None):
    chosen = parse_arguments(arguments)
    folder = Path(chosen.data)
    model = MaskRCNN.from_pretrained(chosen.weights)
    content = json.loads(Path(chosen.annotations or folder.with_suffix(".json")).read_text())
    names = {category["id"]: category["name"] for category in content["categories"]}
    ids = {name: number for number, name in enumerate(model.class_names, start=1)}
    unknown = sorted({*names.values(), chosen.name} - ids.keys())
    if unknown:
        sys.exit(f"the model knows {', '.join(ids)}, not {', '.join(unknown)}")
    rows = [{**row, "category_id": ids[names[row["category_id"]]]} for row in content["annotations"]]
    annotated = {row["image_id"] for row in rows}
    kept, number = [], max((row["id"] for row in rows), default=0)
    for image in tqdm(content["images"], unit="photo"):
        if image["id"] not in annotated:
            found = label(model, read_image(folder / image["file_name"]), chosen.name, chosen.least)
            if found is None:
                continue
            number += 1
            facts = {"id": number, "image_id": image["id"], "category_id": ids[chosen.name], "iscrowd": 0}
            rows.append({**found, **facts})
        kept.append(image)
    labelled = len(rows) - len(content["annotations"])
    categories = [{"id": number, "name": name} for name, number in ids.items()]
    write_atomically(chosen.out, json.dumps({"images": kept, "annotations": rows, "categories": categories}))
    print(f"{labelled} photos labelled, {len(content['images']) - len(kept)} left out; written: {chosen.out}")


if __name__ == "__main__":
    main()
