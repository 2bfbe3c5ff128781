"""Drawn data sets: blobs on textured ground, with their exact masks, as COCO JSON beside a folder of PNGs."""

import json

import numpy as np
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask


def draw(random, side=128, instances=2, earless=0):
    """An image with bright blobs that have ears, and their masks.

    Args:
        random: `numpy.random.Generator`.
        side: int. Of the image in pixels. Defaults to 128.
        instances: int. Defaults to 2.
        earless: int. Further blobs, without ears, which are none of the instances. Defaults to 0.

    Returns:
        uint8 `(side, side, 3)` and bool `(instances, side, side)`.
    """
    ground = random.integers(40, 90, (side, side, 3), dtype=np.uint8)
    image = Image.fromarray(ground)
    masks = []
    places = random.permutation(instances + earless) if earless else range(instances)
    crowd = max(2, len(places))  # the more there are, the smaller, so that none covers another
    for number in places:
        stencil = Image.new("L", (side, side))
        pen = ImageDraw.Draw(stencil)
        radius = int(random.integers(side // (4 * crowd), side // (3 * crowd)))
        x = side * (2 * number + 1) // (2 * len(places)) + int(random.integers(-4, 5))
        y = int(random.integers(side // 3, 2 * side // 3))
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=255)
        has_ears = len(masks) < instances
        for ear in (-1, 1) if has_ears else ():
            tip = (x + ear * radius, y - 3 * radius // 2)
            pen.polygon([tip, (x, y - radius // 2), (x + ear * radius, y)], fill=255)
        image.paste(tuple(int(v) for v in random.integers(150, 255, 3)), mask=stencil)
        if has_ears:
            masks.append(np.asarray(stencil) > 0)
    return np.asarray(image), np.array(masks, bool).reshape(-1, side, side)


def write_dataset(folder, count, negatives, seed=0, side=128, name="cat", earless=0):
    """Write `count` images with two blobs and `negatives` without, `earless` in each; returns the folder."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    images, annotations = [], []
    for number in range(1, count + negatives + 1):
        image, masks = draw(random, side, 2 if number <= count else 0, earless)
        file_name = f"{number}.png"
        Image.fromarray(image).save(folder / file_name)
        images.append({"id": number, "file_name": file_name, "height": side, "width": side})
        for mask in masks:
            code = coco_mask.encode(np.asfortranarray(mask, np.uint8))
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "iscrowd": 0,
                    "area": int(mask.sum()),
                    "bbox": coco_mask.toBbox(code).tolist(),
                    "segmentation": {"size": code["size"], "counts": code["counts"].decode()},
                }
            )
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": name}]}
    folder.with_suffix(".json").write_text(json.dumps(content))
    return folder
