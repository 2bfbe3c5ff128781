"""The download against a local stand-in for the public hosts, through the real `openimages` package."""

import argparse
import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from PIL import Image

from pipeline.commands import download
from tools import open_images_stand_in as bucket

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """The stand-in's files and the ids by split; tests that change files copy them."""
    folder = tmp_path_factory.mktemp("published")
    return folder, bucket.write_open_images(folder)


@pytest.fixture
def stand_in(published, tmp_path):
    """A server over hard links to the stand-in's files, so that tests may remove and replace them."""
    folder = tmp_path / "public"
    for path in published[0].rglob("*"):
        if path.is_file():
            copy = folder / path.relative_to(published[0])
            copy.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, copy)
    with bucket.StandIn(folder) as server:
        yield server


def arguments_for(stand_in, out, *options):
    classes = [] if "--class" in options else ["--class", "Balloon", "--class", "Kite"]
    return [*classes, "--out", str(out), "--quiet", *stand_in.options(), *options]


def run(stand_in, out, *options):
    parser = argparse.ArgumentParser()
    download.add_arguments(parser)
    assert download.main(parser.parse_args(arguments_for(stand_in, out, *options))) == 0
    return json.loads((out / "train/download.json").read_text()) if (out / "train").exists() else None


def run_command(stand_in, out, *options, **how):
    command = [sys.executable, "-m", "pipeline", "download", *arguments_for(stand_in, out, *options)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, **how)


def tree(folder):
    """Every file below a folder with the checksum of its content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def replace(path, data):
    path.unlink()  # it is a hard link to the file that the other tests use
    path.write_bytes(data)


def pad_file(archive, size):
    """Adds a member that nobody asks for."""
    members = bucket.read_archive(archive) | {"other.png": os.urandom(size)}
    archive.unlink()
    bucket.write_archive(archive, members)


def bytes_of(folder, pattern):
    return sum(path.stat().st_size for path in folder.rglob(pattern))


@pytest.mark.slow
def test_everything_of_a_split_comes(stand_in, published, tmp_path):
    root, ids = published
    out = tmp_path / "data/toys"
    summary = run(stand_in, out, "--annotations", "both")
    train = out / "train"
    expected = sorted(ids["train"])

    assert [path.stem for path in sorted((train / "images").iterdir())] == expected
    for image_id in expected:
        original = root / bucket.BUCKET / "train" / f"{image_id}.jpg"
        assert (train / "images" / original.name).read_bytes() == original.read_bytes()
    masks = {}
    for archive in (root / "openimages/v5/train-masks").iterdir():
        masks |= bucket.read_archive(archive)
    assert {path.name: path.read_bytes() for path in (train / "masks").iterdir()} == masks
    with open(train / "masks.csv", newline="") as file:
        assert {row["MaskPath"] for row in csv.DictReader(file)} == set(masks)
    with open(train / "attribution.csv", newline="", encoding="utf-8") as file:
        credits = list(csv.DictReader(file))
    assert [row["ImageID"] for row in credits] == expected
    numbers = {image_id: number for number, image_id in enumerate(ids["train"])}
    for row in credits:
        assert row["Author"] == f"Zoë, {numbers[row['ImageID']]}"
        assert row["License"] == "https://creativecommons.org/licenses/by/2.0/"
    assert summary["images"] == len(expected)
    assert summary["masks"] == len(masks)
    assert summary["images_missing"] == summary["masks_missing"] == summary["without_attribution"] == []
    assert not (out / "validation").exists()
    assert not list(out.parent.rglob("*.part*"))


def test_boxes_keep_what_the_package_drops(stand_in, published, tmp_path):
    """Occluded, truncated and group boxes stay, with their flags, under the class's own name."""
    root, ids = published
    run(stand_in, tmp_path / "toys", "--annotations", "both")
    with open(root / "openimages/2018_04/train/train-annotations-bbox.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    names = {code: name for name, code in bucket.CLASSES.items()}
    for image_id in ids["train"]:
        path = tmp_path / "toys/train/boxes" / f"{image_id}.xml"
        with Image.open(path.parents[1] / "images" / f"{image_id}.jpg") as image:
            width, height = image.size
        expected = set()
        for row in rows:
            if row["ImageID"] == image_id:
                edges = [
                    int(float(row["XMin"]) * width),
                    int(float(row["YMin"]) * height),
                    min(width - 1, int(float(row["XMax"]) * width)),
                    min(height - 1, int(float(row["YMax"]) * height)),
                ]
                flags = row["IsTruncated"], row["IsOccluded"], row["IsGroupOf"]
                expected.add((names[row["LabelName"]], *map(str, edges), *flags))
        found = set()
        for item in ElementTree.parse(path).getroot().findall("object"):
            fields = ["name", "bndbox/xmin", "bndbox/ymin", "bndbox/xmax", "bndbox/ymax"]
            fields += ["truncated", "occluded", "difficult"]
            found.add(tuple(item.findtext(field) for field in fields))
        assert found == expected


@pytest.mark.slow
@pytest.mark.parametrize("shape", [{"class_header": True}, {"header": False}, {"clicks": True}])
def test_every_published_shape_of_the_tables_gives_the_same(stand_in, tmp_path, shape):
    run(stand_in, tmp_path / "usual")
    bucket.write_open_images(tmp_path / "other", **shape)
    with bucket.StandIn(tmp_path / "other") as other:
        run(other, tmp_path / "second/toys")
    assert tree(tmp_path / "second/toys") == tree(tmp_path / "usual")


def test_ids_that_look_like_numbers(tmp_path):
    ids = bucket.write_open_images(tmp_path / "public", images=4, digits_only=True)
    with bucket.StandIn(tmp_path / "public") as stand_in:
        summary = run(stand_in, tmp_path / "toys")
    assert summary["images"] == 4
    assert {path.stem for path in (tmp_path / "toys/train/boxes").iterdir()} == set(ids["train"])


@pytest.mark.slow
def test_limit_holds_for_each_split_and_more_are_added_later(stand_in, published, tmp_path):
    masked = [image_id for number, image_id in enumerate(published[1]["train"]) if number % 5 != 4]
    out, splits = tmp_path / "toys", ["--split", "train", "--split", "validation"]
    run(stand_in, out, "--class", "Kite", "--limit", "2", *splits)
    first = {split: {path.stem for path in (out / split / "images").iterdir()} for split in ("train", "validation")}
    assert {split: len(ids) for split, ids in first.items()} == {"train": 2, "validation": 2}
    assert first["train"] <= set(masked)
    assert first["validation"] <= set(published[1]["validation"])
    digits = {image_id[0] for image_id in first["train"]}
    fetched = {path.rpartition("-")[2] for path in stand_in.fetched() if "/train-masks/" in path}
    assert fetched == {f"{digit}.zip" for digit in digits}

    stand_in.requests.clear()
    run(stand_in, out, "--class", "Kite", "--limit", "3")
    second = {path.stem for path in (out / "train/images").iterdir()}
    assert second > first["train"]
    images = [path for path in stand_in.fetched() if path.startswith(f"/{bucket.BUCKET}")]
    assert images == [f"/{bucket.BUCKET}/train/{image_id}.jpg" for image_id in second - first["train"]]


@pytest.mark.slow
def test_what_is_there_stays_whatever_is_asked_for_later(stand_in, tmp_path):
    """Masks, boxes, authors: else `prepare` would fill the boxes of images whose masks are on the disk."""
    out = tmp_path / "toys"
    before = run(stand_in, out, "--class", "Kite", "--limit", "4")
    files = tree(out)
    del files["train/download.json"]
    after = run(stand_in, out, "--class", "Kite", "--limit", "1")
    assert (after["images"], after["masks"], after["limit"]) == (before["images"], before["masks"], 1)
    assert tree(out).items() >= files.items()
    boxes = run(stand_in, out, "--class", "Kite", "--limit", "1", "--annotations", "boxes")
    assert boxes["masks"] == before["masks"]
    assert {name: sums for name, sums in tree(out).items() if "masks" in name}.items() <= files.items()
    assert tree(out)["train/masks.csv"] == files["train/masks.csv"]


def test_a_second_run_asks_for_nothing(stand_in, tmp_path):
    run(stand_in, tmp_path / "toys")
    before = tree(tmp_path / "toys")
    stand_in.requests.clear()
    run(stand_in, tmp_path / "toys")
    assert stand_in.requests == []
    assert tree(tmp_path / "toys") == before


def test_boxes_alone_need_no_masks(stand_in, published, tmp_path):
    summary = run(stand_in, tmp_path / "toys", "--annotations", "boxes", "--limit", "3")
    assert summary["masks"] == 0
    assert summary["images"] >= 3
    assert not [path for path in stand_in.fetched() if "mask" in path or "segmentation" in path]
    assert len(list((tmp_path / "toys/train/boxes").iterdir())) == summary["images"]


@pytest.mark.parametrize(
    ("name", "near"), [("Baloon", "Balloon"), ("Kitte", "Kite"), ("face", "Human face"), ("Katz", "Cat, Bat")]
)
def test_unknown_class_names_its_neighbours(stand_in, tmp_path, name, near):
    with pytest.raises(ValueError, match=f"no class '{name}' among its 5 boxable classes; near matches: .*{near}"):
        run(stand_in, tmp_path / "toys", "--class", name)
    assert stand_in.fetched() == ["/openimages/v5/class-descriptions-boxable.csv"]


@pytest.mark.parametrize("name", ["", " ", "气球"])
def test_a_class_name_that_resembles_none(stand_in, tmp_path, name):
    with pytest.raises(ValueError, match=f"no class '{name}' among its 5 boxable classes; nothing is near"):
        run(stand_in, tmp_path / "toys", "--class", name)


def test_class_names_may_be_written_in_lower_case(stand_in, tmp_path):
    assert run(stand_in, tmp_path / "toys", "--class", "kite", "--limit", "1")["classes"] == {"Kite": "/m/02zt3"}


def test_a_class_without_masks(stand_in, tmp_path):
    with pytest.raises(ValueError, match="no masks of Cat in train"):
        run(stand_in, tmp_path / "toys", "--class", "Cat")


@pytest.mark.slow
def test_a_folder_keeps_its_classes(stand_in, tmp_path):
    run(stand_in, tmp_path / "toys", "--class", "Kite", "--limit", "1")
    with pytest.raises(ValueError, match="holds Kite, not Balloon"):
        run(stand_in, tmp_path / "toys", "--class", "Balloon", "--limit", "1")
    for names in (["Kite", "Balloon"], ["Balloon", "Kite"]):
        options = [option for name in names for option in ("--class", name)]
        assert list(run(stand_in, tmp_path / "both", *options, "--limit", "1")["classes"]) == names


def test_missing_and_unreadable_images_are_skipped_and_counted(stand_in, published, tmp_path):
    images = stand_in.folder / bucket.BUCKET / "train"
    gone, garbage, torn, *rest = sorted(published[1]["train"])
    (images / f"{gone}.jpg").unlink()
    replace(images / f"{garbage}.jpg", b"this is no image")
    replace(images / f"{torn}.jpg", (images / f"{rest[0]}.jpg").read_bytes()[:5000])
    summary = run(stand_in, tmp_path / "toys", "--annotations", "both")
    assert summary["images_missing"] == [gone]
    assert summary["images_unreadable"] == sorted([garbage, torn])
    assert {path.stem for path in (tmp_path / "toys/train/images").iterdir()} == set(rest)
    assert {path.stem for path in (tmp_path / "toys/train/boxes").iterdir()} == set(rest)
    assert not [path for path in (tmp_path / "toys").rglob("*") if path.is_file() and path.stat().st_size == 0]


def test_missing_and_damaged_masks_are_counted(stand_in, tmp_path):
    archive = next(
        path
        for path in sorted((stand_in.folder / "openimages/v5/train-masks").iterdir())
        if len(bucket.read_archive(path)) > 2
    )
    members = bucket.read_archive(archive)
    missing, damaged = sorted(members)[:2]
    content = members.pop(damaged)
    archive.unlink()
    bucket.write_archive(
        archive, {name: data for name, data in members.items() if name != missing} | {damaged: content}
    )
    data = bytearray(archive.read_bytes())
    data[data.index(content) + len(content) // 2] ^= 0xFF  # its CRC-32 no longer fits
    archive.write_bytes(data)
    summary = run(stand_in, tmp_path / "toys")
    assert summary["masks_missing"] == [missing]
    assert summary["masks_corrupt"] == [damaged]
    names = {path.name for path in (tmp_path / "toys/train/masks").iterdir()}
    assert set(members) - {missing} <= names
    assert not names & {missing, damaged}


def test_an_archive_that_is_none(stand_in, tmp_path):
    archive = sorted((stand_in.folder / "openimages/v5/train-masks").iterdir())[0]
    replace(archive, b"<html>Service is being moved</html>")
    with pytest.raises(ValueError, match=f"{archive.name} is not a zip archive"):
        run(stand_in, tmp_path / "toys")
    assert not list(tmp_path.rglob(f"cache/**/{archive.name}*"))


def test_a_table_that_does_not_exist(stand_in, tmp_path):
    (stand_in.folder / "openimages/2018_04/train/train-annotations-bbox.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"train-annotations-bbox\.csv does not exist .HTTP status 404"):
        run(stand_in, tmp_path / "toys")


@pytest.mark.slow
def test_an_unreachable_bucket(stand_in, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    options = ["--images-url", "http://127.0.0.1:9"]
    with pytest.raises(ConnectionError, match=r"bucket at http://127.0.0.1:9 cannot be read .*, it continues"):
        run(stand_in, tmp_path / "toys", *options)
    assert not list((tmp_path / "toys/train/images").iterdir())
    run(stand_in, tmp_path / "toys")
    run(stand_in, tmp_path / "other/toys")
    assert tree(tmp_path / "toys") == tree(tmp_path / "other/toys")


@pytest.mark.slow
@pytest.mark.parametrize("place", ["table", "archive", "image"])
def test_kill_in_the_middle_then_the_same_result(stand_in, published, tmp_path, place):
    """kill -9 while an answer hangs half-way; the next run gives what an uninterrupted one gives."""
    address = {
        "table": "/openimages/2018_04/train/train-annotations-bbox.csv",
        "archive": f"/openimages/v5/train-masks/train-masks-{sorted(published[1]['train'])[2][0]}.zip",
        "image": f"/{bucket.BUCKET}/train/{sorted(published[1]['train'])[2]}.jpg",
    }[place]
    if place == "archive":
        pad_file(stand_in.folder / address.lstrip("/"), 3_000_000)
    stand_in.faults[address] = [("hang", 2_500_000 if place == "archive" else 500)]
    command = [sys.executable, "-m", "pipeline", "download", *arguments_for(stand_in, tmp_path / "a/toys")]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        assert stand_in.hanging.wait(120)
        deadline = time.monotonic() + 60
        while place == "archive" and bytes_of(tmp_path / "a", "*.zip.part") < 2 << 20:
            assert time.monotonic() < deadline, "the first two mebibytes never reached the disk"
            time.sleep(0.01)
        assert process.poll() is None
    finally:
        os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    stand_in.release.set()
    assert not (tmp_path / "a/toys/train/download.json").exists()

    stand_in.requests.clear()
    finished = run_command(stand_in, tmp_path / "a/toys")
    assert finished.returncode == 0, finished.stderr
    if place == "archive":  # it had whole mebibytes on the disk
        assert ("GET", address, f"bytes={2 << 20}-") in stand_in.requests
    run(stand_in, tmp_path / "b/toys")
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


@pytest.mark.slow
@pytest.mark.parametrize("place", ["archive", "image"])
def test_a_disk_that_fills_up(stand_in, published, tmp_path, place):
    """A file size limit stands for the full disk; both come back from write() as an OSError."""
    if place == "archive":
        archive = sorted((stand_in.folder / "openimages/v5/train-masks").iterdir())[-1]
        pad_file(archive, 600_000)
    limit = {"archive": 300_000, "image": 8_000}[place]
    code = (
        f"import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}));"
        "sys.argv[0] = 'pipeline'; runpy.run_module('pipeline', run_name='__main__')"
    )
    out = tmp_path / "a/toys"
    full = subprocess.run(
        [sys.executable, "-c", code, "download", *arguments_for(stand_in, out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert full.returncode == 1
    assert "no space left to write" in full.stderr.splitlines()[-1]
    assert "Traceback" not in full.stderr
    assert not (out / "train/download.json").exists()
    for path in (tmp_path / "a").rglob("*"):
        assert not path.is_file() or path.suffix in (".part", ".version") or path.stat().st_size > 0

    stand_in.requests.clear()
    finished = run_command(stand_in, out)
    assert finished.returncode == 0, finished.stderr
    if place == "archive":
        continued = [ranges for _, path, ranges in stand_in.requests if path.endswith(archive.name)]
        assert continued == ["bytes=300000-"]
    run(stand_in, tmp_path / "b/toys")
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


@pytest.mark.slow
def test_the_package_leaves_warnings_logging_and_environment_alone(stand_in, tmp_path):
    """In a process of its own, since the package does its damage when it is imported first."""
    code = f"""
import argparse, logging, os, sys, warnings
root = logging.getLogger()
before = list(root.handlers), root.level, dict(os.environ)
from pipeline.commands import download
parser = argparse.ArgumentParser()
download.add_arguments(parser)
download.main(parser.parse_args({arguments_for(stand_in, tmp_path / "toys")!r}))
assert "openimages.download" in sys.modules
assert (list(root.handlers), root.level, dict(os.environ)) == before
silent = [each for each in warnings.filters if each[0] == "ignore" and each[1] is None and each[2] is Warning]
assert not silent, silent
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_errors_of_the_command_are_one_sentence(stand_in, tmp_path):
    done = run_command(stand_in, tmp_path / "toys", "--class", "Kitte")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "near matches: Kite" in done.stderr
    done = run_command(stand_in, tmp_path / "toys", "--limit", "0")
    assert done.returncode == 1
    assert "--limit is 0; it must be at least 1" in done.stderr
