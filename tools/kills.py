"""Kills the pipeline's commands again and again, as power cuts would, and compares what they make in the end.

    python -m tools.kills                              # 20 in training, 10 each in download, prepare and evaluate
    python -m tools.kills --only prepare --kills 3

Each command first runs undisturbed. Then it is killed (SIGKILL, its children too) at a random moment in its work and
started anew, again and again; whenever it gets to the end, the results are compared, and it begins elsewhere from
nothing, until there were as many kills as asked for. The exit code is 1 if a result differs or a command fails. Takes
half an hour, as each start loads TensorFlow.
"""

import argparse
import dataclasses
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tools import open_images_stand_in as bucket
from tools.app_process import ROOT

KILLS = {"download": 10, "prepare": 10, "evaluate": 10, "train": 20}
NETWORK = {"image_size": 64, "pyramid_channels": 16, "post_nms_top_n": 10}
SETTINGS = {"steps": 120, "image_size": 64, "canvas_sizes": (64,), "batch_size": 2, "warmup_steps": 1}
SETTINGS |= {"checkpoint_steps": 3, "evaluate_steps": 60}
PREPARED = ("photos.json", "photos.report.json", "photos.contact.png")  # beside a text that names their folder
SECONDS = 600  # in which a command must get on; loading TensorFlow on a busy machine may take a minute
CLOSE = {"rtol": 1e-4, "atol": 1e-6}  # of trained weights: sums over threads have no order


@dataclasses.dataclass
class Job:
    """A command that is killed.

    Attributes:
        arguments: function of the folder that it works in; gives the command's arguments, list of str.
        progress: function of that folder; an int that grows while it works, 0 before.
        same: function of two such folders; raises AssertionError if the results differ.
        fill: function of a new folder that puts there what the command needs. Defaults to nothing.
    """

    arguments: Callable
    progress: Callable
    same: Callable
    fill: Callable = lambda folder: None

    def start(self, folder):
        command = [sys.executable, "-m", "pipeline", *map(str, self.arguments(folder))]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
        with open(folder.with_suffix(".log"), "ab") as log:
            return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log, stdout=log, start_new_session=True)

    def finish(self, folder):
        process = self.start(folder)
        self.check(process.wait(SECONDS), folder)

    def check(self, code, folder):
        if code:
            raise AssertionError(f"exit code {code}:\n{folder.with_suffix('.log').read_text(errors='replace')[-2000:]}")

    def run_undisturbed(self, folder):
        """Runs it to the end in a new folder, and gives how far its progress came."""
        folder.mkdir()
        self.fill(folder)
        process, most = self.start(folder), 0
        while process.poll() is None:
            most = max(most, self.progress(folder))
            time.sleep(0.002)
        self.check(process.returncode, folder)
        return most


def kill_series(job, folder, kills, seed=0):
    """Kills a job so many times.

    Args:
        job: `Job`.
        folder: path of an empty folder.
        kills: int.
        seed: int. Of the moments.

    Returns:
        int. How many times it got to the end, each time with the same result.
    """
    moments = random.Random(seed)
    whole = folder / "whole"
    most = job.run_undisturbed(whole)
    killed, ends = 0, 0
    while killed < kills:
        part = folder / f"{ends}"
        part.mkdir()
        job.fill(part)
        while killed < kills:
            process = job.start(part)
            if ended_before(process, job, part, moments.randint(1, max(1, most // 2)), moments.uniform(0, 0.05)):
                job.check(process.returncode, part)
                break
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
            print(f"\r{killed} of {kills} ", end="", file=sys.stderr, flush=True)
        else:
            job.finish(part)
        job.same(whole, part)
        ends += 1
        shutil.rmtree(part)
    return ends


def ended_before(process, job, folder, steps, seconds):
    """Whether a process came to its end before its progress grew by so many steps and so many seconds went by."""
    goal, deadline = job.progress(folder) + steps, time.monotonic() + SECONDS
    while job.progress(folder) < goal:
        if process.poll() is not None:
            return True
        if time.monotonic() > deadline:
            raise AssertionError(f"it came no further within {SECONDS} seconds")
        time.sleep(0.002)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def lines(path):
    """The number of lines in a file, 0 if there is none."""
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def tree(folder):
    """Every file below a folder with the checksum of its content."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def same_files(one, other, endings=("",)):
    first, second = (
        {name: content for name, content in tree(folder).items() if name.endswith(endings)} for folder in (one, other)
    )
    differing = [name for name in first.keys() | second.keys() if first.get(name) != second.get(name)]
    assert first and not differing, f"other files: {', '.join(sorted(differing))}"


def same_report(one, other):
    first, second = (json.loads((folder / "report.json").read_text()) for folder in (one, other))
    for report in (first, second):
        report.pop("ms_per_picture")
    assert first == second, "other figures"


def same_weights(one, other):
    with np.load(one / "run/checkpoint.npz") as first, np.load(other / "run/checkpoint.npz") as second:
        assert set(first.files) == set(second.files)
        for name in first.files:
            np.testing.assert_allclose(first[name], second[name], rtol=CLOSE["rtol"], atol=CLOSE["atol"], err_msg=name)
    assert lines(one / "run/log.csv") == lines(other / "run/log.csv")


def write_photos(folder, count, side):
    """Drawn photos, each with a balloon or a kite, as prepared data; gives the path of the folder of photos."""
    from PIL import Image

    from pipeline.data.formats.coco import encode_rle

    (folder / "photos").mkdir(parents=True)
    content = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "thing"}]}
    for number in range(1, count + 1):
        image, objects = bucket.draw_image(number, long_side=side)
        height, width = image.shape[:2]
        Image.fromarray(image).save(folder / "photos" / f"{number}.png")
        content["images"].append({"id": number, "file_name": f"{number}.png", "height": height, "width": width})
        for _, mask in objects:
            mask = np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST)) > 0
            rle, box, area = encode_rle(mask)
            row = {"image_id": number, "category_id": 1, "segmentation": rle, "bbox": box, "area": area, "iscrowd": 0}
            content["annotations"].append({"id": len(content["annotations"]) + 1, **row})
    (folder / "photos.json").write_text(json.dumps(content))
    return folder / "photos"


def write_small_model(path):
    """Weights of a small network that nobody has trained."""
    from mrcnn import weights
    from mrcnn.config import PRESETS, replace
    from mrcnn.network import Network

    network = Network(replace(PRESETS["lite"], class_names=("thing",), **NETWORK))
    weights.save(network, path, weights.card_of(network))
    return path


def make_job(name, folder, stand_in):
    """The `Job` of a command, whose inputs are put into a folder."""
    if name == "download":
        options = ["--class", "Balloon", "--class", "Kite", "--quiet", *stand_in.options()]
        return Job(
            lambda place: ["download", "--out", place / "toys", *options],
            lambda place: sum(1 for path in place.rglob("*") if path.is_file()),
            same_files,
        )
    if name == "prepare":
        photos = write_photos(folder / "prepare", 300, 128)

        def fill(place):
            shutil.copytree(photos, place / "photos", copy_function=shutil.copy2)
            shutil.copy2(photos.with_suffix(".json"), place / "some.json")

        return Job(
            lambda place: ["prepare", "--data", place / "photos", "--annotations", place / "some.json", "--quiet"],
            lambda place: lines(place / "photos.json.progress"),
            lambda one, other: same_files(one, other, PREPARED),
            fill,
        )
    if name == "evaluate":
        photos, model = write_photos(folder / "evaluate", 400, 64), write_small_model(folder / "small.npz")
        return Job(
            lambda place: ["evaluate", "--weights", model, "--data", photos, "--json", place / "report.json"],
            lambda place: lines(place / "report.json.progress"),
            same_report,
        )
    photos = write_photos(folder / "train", 12, 64)
    settings = [f"--set={key}={value}" for key, value in SETTINGS.items()]

    def arguments(place):
        resume = ["--resume"] if (place / "run/checkpoint.npz").exists() else []
        if not resume:
            shutil.rmtree(place / "run", ignore_errors=True)  # it was killed before there was anything to go on from
        return ["train", "--data", photos, "--out", place / "run", *settings, *resume]

    return Job(arguments, lambda place: lines(place / "run/log.csv"), same_weights)


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m tools.kills", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=KILLS, default=list(KILLS), help="which commands (default: all)")
    parser.add_argument("--kills", type=int, help="of each (default: 20 in training, else 10)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default 0)")
    chosen = parser.parse_args(arguments)
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        inputs = Path(temporary) / "inputs"
        bucket.write_open_images(inputs / "bucket", 60)
        with bucket.StandIn(inputs / "bucket") as stand_in:
            for name in chosen.only:
                kills, start = chosen.kills or KILLS[name], time.perf_counter()
                folder = Path(temporary) / name
                folder.mkdir()
                try:
                    ends = kill_series(make_job(name, inputs, stand_in), folder, kills, chosen.seed)
                    outcome = f"{ends} times to the end, each with the undisturbed result"
                except AssertionError as error:
                    failed, outcome = 1, f"FAILED, {error}"
                print(f"\r{name}: {kills} kills, {outcome}; {time.perf_counter() - start:.0f} s", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
