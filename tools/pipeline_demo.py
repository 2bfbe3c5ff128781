"""From a class name to a page that finds it, in minutes and without the internet.

    make pipeline-demo
    python -m tools.pipeline_demo --out /tmp/balloons      # keeps everything there

A local stand-in plays Open Images with drawn balloons and kites. Then follow the commands of docs/training.md, section
"From a class name": download, prepare, train, evaluate; and at the end the page, which is asked for the balloon in
a drawing that it has not seen. Fails if the mask it gives overlaps the true one by 0.8 or less.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.data.formats.coco import decode_rle
from tools import open_images_stand_in as bucket
from tools.app_process import ROOT, running_app

CLASS = "Balloon"
LEAST_IOU = 0.8

SETTINGS = {
    "steps": 80,
    "image_size": 160,
    "canvas_sizes": (128, 160),
    "learning_rate": 1e-3,
    "warmup_steps": 10,
    "ema_momentum": 0.9,
    "scale": (0.8, 1.3),
    "evaluate_steps": 40,
    "checkpoint_steps": 40,
}


def main(out, images):
    start = time.perf_counter()
    with step("stand-in of Open Images"):
        bucket.write_open_images(out / "bucket", images)
    train, validation = out / "data/balloon/train", out / "data/balloon/validation"
    environment = {**os.environ, "MRCNN_WEIGHTS": str(out / "weights"), "TF_CPP_MIN_LOG_LEVEL": "2"}

    def pipeline(*arguments):
        command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
        print("$ python " + " ".join(command[1:]), flush=True)
        subprocess.run(command, cwd=ROOT, env=environment, check=True)

    with step("download"), bucket.StandIn(out / "bucket") as stand_in:
        for split in ("train", "validation"):
            options = ["--split", split, "--out", train.parent, "--quiet", *stand_in.options()]
            pipeline("download", "--class", CLASS, *options)
    with step("prepare"):
        for folder in (train, validation):
            pipeline("prepare", "--data", folder, "--quiet")
    with step("train"):
        settings = [f"--set={key}={value}" for key, value in SETTINGS.items()]
        options = ["--class", CLASS, "--init", ROOT / "weights/cat", "--name", "balloon", *settings]
        pipeline("train", "--data", train, "--val", validation, "--out", out / "run", *options)
    with step("evaluate"):
        pipeline("evaluate", "--weights", "balloon", "--data", validation, "--json", out / "evaluation.json")
    with step("serve and ask"), running_app(MRCNN_WEIGHTS=environment["MRCNN_WEIGHTS"]) as app:
        photo, truth = unseen_balloon(out / "unseen.png")
        overlap = ask(app.address, photo, truth)
    print(f"the balloon in {photo}: mask IoU {overlap:.3f}; {time.perf_counter() - start:.0f} s in all")
    return 0 if overlap > LEAST_IOU else f"too little: more than {LEAST_IOU} was expected"


@contextlib.contextmanager
def step(name):
    """Prints how long a step took."""
    start = time.perf_counter()
    yield
    print(f"== {name}: {time.perf_counter() - start:.1f} s\n", flush=True)


def unseen_balloon(path):
    """Writes a drawing of one balloon that is in no split; returns its path and its mask, bool `(H, W)`."""
    for seed in range(1000):
        image, objects = bucket.draw_image(seed, (CLASS,))
        if len(objects) == 1:
            break
    Image.fromarray(image).save(path)
    mask = Image.fromarray(objects[0][1]).resize(image.shape[1::-1], Image.Resampling.NEAREST)
    return path, np.asarray(mask)


def ask(url, photo, truth):
    """The overlap (IoU) of the page's best detection with the true mask; 0 if it finds nothing."""
    from gradio_client import Client, handle_file

    document, *_ = Client(url, verbose=False).predict(handle_file(photo), api_name="/segment")
    if not document["annotations"]:
        return 0.0
    best = max(document["annotations"], key=lambda row: row["score"])
    names = {category["id"]: category["name"] for category in document["categories"]}
    print(f"the page says: {names[best['category_id']]}, score {best['score']:.2f}")
    assert names[best["category_id"]] == CLASS, json.dumps(names)
    found = decode_rle(best["segmentation"])
    return float((found & truth).sum() / (found | truth).sum())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep everything here (default: a temporary folder)")
    parser.add_argument("--images", type=int, default=80, help="training images (default: %(default)s)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(main((chosen.out or Path(temporary)).resolve(), chosen.images))
