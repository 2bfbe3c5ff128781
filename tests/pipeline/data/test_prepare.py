"""From a downloaded folder to COCO JSON, report and contact sheet."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.commands import download, prepare
from pipeline.data import prepare as work
from pipeline.data.contact_sheet import Tile, contact_sheet
from pipeline.data.dataset import CocoDataset
from pipeline.data.formats import default_annotations
from pipeline.data.formats.coco import decode_rle
from tests.pipeline.killing import kill_half_way
from tools import open_images_stand_in as bucket

ROOT = Path(__file__).parents[3]


def run(*options):
    parser = argparse.ArgumentParser()
    prepare.add_arguments(parser)
    arguments = parser.parse_args(["--quiet", *map(str, options)])
    assert prepare.main(arguments) == 0
    return json.loads((arguments.out or default_annotations(arguments.data)).with_suffix(".report.json").read_text())


@pytest.fixture(scope="module")
def downloaded(tmp_path_factory):
    """Root of a finished download of the stand-in, and its ids in the order they were drawn."""
    folder = tmp_path_factory.mktemp("downloaded")
    ids = bucket.write_open_images(folder / "public", images=10)["train"]
    parser = argparse.ArgumentParser()
    download.add_arguments(parser)
    with bucket.StandIn(folder / "public") as stand_in:
        options = [
            "--class",
            "Balloon",
            "--class",
            "Kite",
            "--annotations",
            "both",
            "--quiet",
            *stand_in.options(),
        ]
        download.main(parser.parse_args([*options, "--out", str(folder / "toys")]))
    return folder / "toys", ids


@pytest.fixture
def train(downloaded, tmp_path):
    """A copy of the downloaded split, free to be damaged."""
    copy_tree(downloaded[0] / "train", tmp_path / "toys/train")
    return tmp_path / "toys/train"


def copy_tree(source, target):
    for path in source.rglob("*"):
        if path.is_file():
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
            stat = path.stat()
            os.utime(copy, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def read(train):
    content = json.loads(train.with_suffix(".json").read_text())
    rows_of = {Path(image["file_name"]).stem: [] for image in content["images"]}
    stems = {image["id"]: Path(image["file_name"]).stem for image in content["images"]}
    for row in content["annotations"]:
        rows_of[stems[row["image_id"]]].append(row)
    return content, rows_of


def masks_of(folder, image_id):
    return sorted((folder / "masks").glob(f"{image_id}_*.png"))


def test_masks_at_the_exact_size_of_their_image(train, downloaded):
    """Each mask, drawn 1.6 times as large, is compared with its outline scaled down by area."""
    run("--data", train)
    content, rows_of = read(train)
    names = {row["id"]: row["name"] for row in content["categories"]}
    assert names == {1: "Balloon", 2: "Kite"}
    sizes = {Path(image["file_name"]).stem: (image["height"], image["width"]) for image in content["images"]}
    compared = 0
    for number, image_id in enumerate(downloaded[1]):
        pixels, objects = bucket.draw_image(bucket.seed_of(image_id))
        assert sizes[image_id] == pixels.shape[:2]
        rows = [row for row in rows_of[image_id] if not row["iscrowd"] and row["source"] == "mask"]
        assert len(rows) == (0 if number % 5 == 4 else len(objects))
        for row, (name, drawn) in zip(rows, objects, strict=False):
            mask = decode_rle(row["segmentation"])
            assert mask.shape == pixels.shape[:2]
            small = Image.fromarray(drawn.astype(np.float32)).resize(mask.shape[::-1], Image.Resampling.BOX)
            expected = np.asarray(small) > 0.5
            assert (mask & expected).sum() / (mask | expected).sum() > 0.96
            assert names[row["category_id"]] == name
            ys, xs = np.nonzero(mask)
            assert row["bbox"] == [xs.min(), ys.min(), xs.max() + 1 - xs.min(), ys.max() + 1 - ys.min()]
            assert row["area"] == mask.sum()
            compared += 1
    assert compared > 8


def test_groups_become_ignore_regions(train, downloaded):
    run("--data", train)
    _, rows_of = read(train)
    for number, image_id in enumerate(downloaded[1]):
        groups = [row for row in rows_of[image_id] if row["iscrowd"]]
        assert len(groups) == (number % 4 == 0)
        for row in groups:  # x from 0 to 0.1 and y from 0 to 0.12 of the image
            pixels, _ = bucket.draw_image(bucket.seed_of(image_id))
            height, width = pixels.shape[:2]
            assert row["bbox"][:2] == [0, 0]
            assert row["bbox"][2:] == pytest.approx([0.1 * width, 0.12 * height], abs=1.01)


def test_objects_with_boxes_alone_stay_boxes_and_the_report_says_so(train, downloaded):
    report = run("--data", train)
    _, rows_of = read(train)
    rows = [row for image_id in downloaded[1][4::5] for row in rows_of[image_id] if not row["iscrowd"]]
    assert report["box_only"] == len(rows) > 0
    assert report["filled_boxes"] == 0
    assert not any("segmentation" in row for row in rows)
    text = train.with_suffix(".report.txt").read_text()
    assert f"NOTE: {len(rows)} objects have a box and no mask: they train class and box, not masks" in text
    dataset = CocoDataset(train)
    ids = {row["image_id"] for row in rows}
    assert sum((~dataset.windows(image_id)[2]).sum() for image_id in ids) == len(rows)


def test_images_with_boxes_alone_can_get_filled_boxes_and_the_report_says_so(train, downloaded):
    report = run("--data", train, "--boxes", "fill")
    _, rows_of = read(train)
    filled = 0
    for image_id in downloaded[1][4::5]:
        _, objects = bucket.draw_image(bucket.seed_of(image_id))
        rows = [row for row in rows_of[image_id] if not row["iscrowd"]]
        assert len(rows) == len(objects)
        for row in rows:
            assert row["source"] == "box"
            assert row["area"] == row["bbox"][2] * row["bbox"][3]
        filled += len(rows)
    assert report["filled_boxes"] == filled > 0
    text = train.with_suffix(".report.txt").read_text()
    assert f"NOTE: {filled} objects are filled boxes" in text

    report = run("--data", train, "--boxes", "ignore")
    assert report["filled_boxes"] == 0
    assert sum(report["ignored"].values()) == filled + sum(number % 4 == 0 for number in range(10))


def test_missing_and_damaged_masks_become_ignore_regions(train, downloaded):
    several = [image_id for image_id in downloaded[1] if len(masks_of(train, image_id)) == 3][:1]
    others = [image_id for image_id in downloaded[1] if masks_of(train, image_id) and image_id not in several]
    run("--data", train)
    _, before = read(train)
    lost, torn, turned = masks_of(train, several[0]), masks_of(train, others[0]), masks_of(train, others[1])
    lost[0].unlink()
    torn[0].write_bytes(torn[0].read_bytes()[:60])
    with Image.open(turned[0]) as image:
        image.resize((image.width, image.height * 2)).save(turned[0])
    report = run("--data", train)
    _, after = read(train)
    reasons = dict(report["problems"])
    assert reasons.pop("mask file is missing") == 1
    assert reasons.pop("mask file is damaged") == 1
    assert reasons == {"mask of another shape": 1}
    for image_id in (several[0], *others[:2]):
        assert len(after[image_id]) == len(before[image_id])
        extra = [row for row in after[image_id] if row["iscrowd"] and row not in before[image_id]]
        assert sum(row["iscrowd"] for row in after[image_id]) == sum(row["iscrowd"] for row in before[image_id]) + 1
        # The ignore region lies over the object whose mask was lost.
        gone = [row for row in before[image_id] if not row["iscrowd"]]
        overlap = [
            (decode_rle(row["segmentation"]) & decode_rle(new["segmentation"])).sum() / row["area"]
            for row in gone
            for new in extra
        ]
        assert max(overlap) > 0.9


def test_damaged_images_are_dropped_with_the_reason(train, downloaded):
    torn = train / "images" / f"{downloaded[1][0]}.jpg"
    torn.write_bytes(torn.read_bytes()[:3000])
    report = run("--data", train)
    assert report["images"] == 9
    assert list(report["dropped_files"]) == [f"images/{torn.name}"]
    assert "damaged" in report["dropped_files"][f"images/{torn.name}"]
    assert "dropped 1 images: image cannot be read" in train.with_suffix(".report.txt").read_text()


def test_images_whose_names_are_not_utf_8_are_dropped_with_the_remedy(train, downloaded, capsys):
    image, mask = train / "images" / f"{downloaded[1][0]}.jpg", masks_of(train, downloaded[1][1])[0]
    try:
        image.rename(image.with_name(os.fsdecode(b"sch\xf6n.jpg")))
        mask.rename(mask.with_name(os.fsdecode(b"sch\xf6n.png")))
    except OSError:
        pytest.skip("this system has no such names")
    (train / "boxes" / f"{image.stem}.xml").rename(train / "boxes" / os.fsdecode(b"sch\xf6n.xml"))
    report = run("--data", train)
    assert report["images"] == 9
    assert report["dropped_files"] == {r"images/sch\udcf6n.jpg": "its name is not UTF-8: rename it"}
    assert r"dropped 1 images: its name is not UTF-8: images/sch\udcf6n.jpg" in capsys.readouterr().out
    assert run("--data", train) == report
    assert len(CocoDataset(train)) == 9


def test_masks_whose_names_are_not_utf_8_are_named_in_a_note(tmp_path):
    for name in ("a.jpg", "a_mask.png", os.fsdecode(b"sch\xf6n_mask.png")):
        path = tmp_path / "toys" / name
        path.parent.mkdir(exist_ok=True)
        pixels = np.zeros((40, 60), np.uint8)
        pixels[5:15, 5:15] = 1
        try:
            Image.fromarray(pixels).save(path)
        except OSError:
            pytest.skip("this system has no such names")
    report = run("--data", tmp_path / "toys", "--format", "label_masks")
    assert report["images"] == 1
    assert any(r"sch\udcf6n_mask.png" in note for note in report["notes"])


def test_nothing_usable_is_an_error_and_writes_no_json(train):
    for path in (train / "images").iterdir():
        path.write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"no image of .* can be used .10 x image cannot be read"):
        run("--data", train)
    assert not train.with_suffix(".json").exists()


def test_author_and_licence_stay_with_the_image(train, downloaded):
    run("--data", train)
    content, _ = read(train)
    numbers = {image_id: number for number, image_id in enumerate(downloaded[1])}
    assert content["licenses"] == [{"id": 1, "url": "https://creativecommons.org/licenses/by/2.0/"}]
    for image in content["images"]:
        assert image["author"] == f"Zoë, {numbers[Path(image['file_name']).stem]}"
        assert image["license"] == 1


def test_report_counts(train):
    report = run("--data", train)
    content, _ = read(train)
    objects = [row for row in content["annotations"] if not row["iscrowd"]]
    assert report["images"] == report["images_with_instances"] == 10
    assert report["instances"]["Balloon"] + report["instances"]["Kite"] == len(objects)
    assert sum(report["instances_by_size"].values()) == len(objects)
    assert report["image_sizes"] == {"least": 256, "median": 256, "most": 256}
    assert report == json.loads(train.with_suffix(".report.json").read_text())
    with Image.open(train.with_suffix(".contact.png")) as sheet:
        assert sheet.size == (6 * 220, 2 * 236)


def test_one_class_of_two(train):
    """Images without the class stay, as negatives."""
    report = run("--data", train, "--class", "Kite")
    content, rows_of = read(train)
    assert content["categories"] == [{"id": 1, "name": "Kite"}]
    assert report["images"] == 10
    assert report["images_without_instances"] == sum(
        not any(not row["iscrowd"] for row in rows) for rows in rows_of.values()
    )
    assert report["images_without_instances"] > 0
    with pytest.raises(ValueError, match="no class 'Kit'; near matches: Kite"):
        run("--data", train, "--class", "Kit")


def test_training_reads_what_was_prepared(train):
    run("--data", train)
    dataset = CocoDataset(train)
    content, _ = read(train)
    assert dataset.class_names == ("Balloon", "Kite")
    for image in content["images"]:
        rows = [row for row in content["annotations"] if row["image_id"] == image["id"] and not row["iscrowd"]]
        masks, class_ids = dataset.load_mask(image["id"])
        assert dataset.load_image(image["id"]).shape == (*masks.shape[:2], 3)
        assert masks.shape[2] == len(rows)
        assert masks.sum(axis=(0, 1)).tolist() == [row["area"] for row in rows]
        assert class_ids.tolist() == [row["category_id"] for row in rows]


@pytest.mark.slow
def test_kill_in_the_middle_then_the_same_result(downloaded, tmp_path, monkeypatch):
    """kill -9 half-way; the next run does only what is left, and gives what an uninterrupted one gives."""
    train = tmp_path / "a/toys/train"
    copy_tree(downloaded[0] / "train", train)
    for image in list((train / "images").iterdir()):  # enough work to be caught in the middle of it
        for copy in range(12):
            name = f"{image.stem}_{copy}"
            (train / "images" / f"{name}.jpg").write_bytes(image.read_bytes())
            boxes = train / "boxes" / f"{image.stem}.xml"
            (train / "boxes" / f"{name}.xml").write_bytes(boxes.read_bytes())
    copy_tree(train, tmp_path / "b/toys/train")
    total = len(list((train / "images").iterdir()))

    command = [sys.executable, "-m", "pipeline", "prepare", "--data", str(train), "--quiet"]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    progress_log = train.parent / "train.json.progress"
    done = kill_half_way(process, progress_log, seconds=120)
    assert not train.with_suffix(".json").exists()
    assert 0 < done < total
    with open(progress_log, "a") as file:
        file.write('{"file_name": "images/torn')  # as a power cut may leave it

    prepared = []
    real = work.prepare_image
    monkeypatch.setattr(work, "prepare_image", lambda *given: prepared.append(given[1]) or real(*given))
    run("--data", train)
    assert len(prepared) == total - done
    run("--data", tmp_path / "b/toys/train")
    for suffix in (".json", ".report.json", ".contact.png"):
        first, second = (tmp_path / side / f"toys/train{suffix}" for side in "ab")
        assert first.read_bytes() == second.read_bytes()
    assert not list(train.parent.glob("*.progress")) + list(train.parent.glob("*.part"))


@pytest.mark.slow
def test_a_disk_that_fills_up(downloaded, tmp_path):
    """A file size limit stands for the full disk."""
    first, second = tmp_path / "a/toys/train", tmp_path / "b/toys/train"
    copy_tree(downloaded[0] / "train", first)
    copy_tree(downloaded[0] / "train", second)
    code = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500));"
        "sys.argv[0] = 'pipeline'; runpy.run_module('pipeline', run_name='__main__')"
    )
    command = [sys.executable, "-c", code, "prepare", "--data", str(first), "--quiet"]
    full = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert full.returncode == 1
    (sentence,) = full.stderr.splitlines()
    assert "no space left to write" in sentence
    assert "train.json.progress; free some and run the same command again" in sentence
    assert [path.name for path in first.parent.glob("train.*")] == ["train.json.progress"]
    run("--data", first)
    run("--data", second)
    for suffix in (".json", ".report.json", ".contact.png"):
        assert first.with_suffix(suffix).read_bytes() == second.with_suffix(suffix).read_bytes()


def test_a_progress_log_of_other_files_is_not_used(train, downloaded):
    run("--data", train)
    expected = train.with_suffix(".json").read_bytes()
    progress_log = train.parent / "train.json.progress"
    stale = {"file_name": f"images/{downloaded[1][0]}.jpg", "dropped": "said by an older run"}
    progress_log.write_text("another fingerprint\n" + json.dumps(stale) + "\n")
    run("--data", train)
    assert train.with_suffix(".json").read_bytes() == expected


@pytest.mark.slow
def test_errors_of_the_command_are_one_sentence(tmp_path):
    command = [sys.executable, "-m", "pipeline", "prepare", "--data", str(tmp_path / "nowhere")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "nowhere is not a folder" in done.stderr


def test_contact_sheet_draws_masks_and_hatches_what_is_ignored():
    image = np.full((100, 200, 3), 200, np.uint8)
    mask, ignored = np.zeros((2, 100, 200), bool)
    mask[20:80, 20:80] = True
    ignored[20:80, 120:180] = True
    plain, drawn = (
        np.asarray(contact_sheet([Tile(image, *layers)], tile_size=206), int)
        for layers in ([[], []], [[mask], [ignored]])
    )
    changed = np.abs(plain - drawn).sum(axis=2) > 0
    top, left = (206 - 100) // 2, (206 - 200) // 2
    assert changed[top + 30 : top + 70, left + 30 : left + 70].all()
    hatched = changed[top + 20 : top + 80, left + 120 : left + 180].mean()
    assert 0.2 < hatched < 0.5
    changed[top + 20 : top + 80, left + 20 : left + 180] = False
    assert not changed.any()
