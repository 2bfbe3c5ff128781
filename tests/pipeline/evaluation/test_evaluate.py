"""Figures of an evaluation, on squares whose overlaps can be worked out by hand."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from pipeline.data.dataset import CocoDataset
from pipeline.evaluation import coco_eval as evaluate
from pipeline.evaluation import figures as evaluation_figures
from pipeline.evaluation.matching import match_photos
from tests.pipeline.killing import kill_half_way

SIDE = 20  # of the squares, in pixels
# Moved by 2 pixels a square shares 18 * 20 pixels with itself, of 22 * 20 together.
IOU_MOVED_BY_2 = 18 / 22


def rle(top, left, height=SIDE, width=SIDE):
    mask = np.zeros((64, 96), np.uint8)
    mask[top : top + height, left : left + width] = 1
    code = coco_mask.encode(np.asfortranarray(mask))
    return {"size": code["size"], "counts": code["counts"].decode()}


def annotation(image_id, top, left, category_id=1, iscrowd=0):
    return {
        "image_id": image_id,
        "category_id": category_id,
        "iscrowd": iscrowd,
        "area": SIDE * SIDE,
        "bbox": [left, top, SIDE, SIDE],
        "segmentation": rle(top, left),
    }


def detection(image_id, top, left, score, category_id=1):
    return {**annotation(image_id, top, left, category_id), "score": score}


@pytest.fixture
def dataset(tmp_path):
    """Photo 1 with one square, 2 with two, 3 (a dog) and 4 (a toy) with none, 5 with an ignore region only."""
    kinds = {1: "cat", 2: "cat", 3: "dog", 4: "toy", 5: "toy"}
    rows = [annotation(1, 10, 10), annotation(2, 10, 10), annotation(2, 30, 60), annotation(5, 10, 10, iscrowd=1)]
    return write(tmp_path / "photos", kinds, rows, ["cat"])


def write(folder, kinds, rows, names):
    folder.mkdir()
    images = []
    for image_id, kind in kinds.items():
        Image.new("RGB", (96, 64), (90, 120, 90)).save(folder / f"{image_id}.png")
        image = {"id": image_id, "file_name": f"{image_id}.png", "height": 64, "width": 96}
        images.append({**image, "kind": kind} if kind else image)
    content = {
        "images": images,
        "annotations": [{"id": number, **row} for number, row in enumerate(rows, start=1)],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, start=1)],
    }
    folder.with_suffix(".json").write_text(json.dumps(content))
    return CocoDataset(folder)


PERFECT = [detection(1, 10, 10, 0.9), detection(2, 10, 10, 0.8), detection(2, 30, 60, 0.7)]


def test_perfect_detections_have_an_average_precision_of_1(dataset):
    report = evaluate.measure(dataset, PERFECT)
    for kind in ("mask", "box", "boundary"):
        assert report[kind] == {"AP": 1, "AP50": 1, "AP75": 1, "APs": 1, "APm": -1, "APl": -1, "AR": 1}
        assert report["AR_by_size"][kind] == {"small": 1, "medium": -1, "large": -1}
    assert "AR of small / medium / large: mask 1.000 / - / -, box 1.000 / - / -" in evaluate.table(report)
    assert report["pictures"] == 5
    assert report["false_alarms"] == 0
    assert report["single"] == {"pictures": 1, "AP": 1, "mean_iou": 1, "mean_boundary_iou": 1, "recall": 1}


def test_moved_detections_are_right_up_to_their_overlap(dataset):
    moved = [detection(row["image_id"], *place, row["score"]) for row, place in zip(PERFECT, MOVED, strict=True)]
    report = evaluate.measure(dataset, moved)
    # 0.818 passes the thresholds 0.50, 0.55, ..., 0.80: seven of ten.
    assert report["mask"]["AP"] == pytest.approx(0.7)
    assert report["mask"]["AP50"] == report["mask"]["AP75"] == 1
    assert report["single"]["mean_iou"] == pytest.approx(IOU_MOVED_BY_2, abs=1e-4)
    # The bands are 2 pixels wide, a fiftieth of the diagonal, and share what runs along the move: 72 pixels of 216.
    assert report["single"]["mean_boundary_iou"] == pytest.approx(1 / 3, abs=1e-4)
    assert report["boundary"]["AP"] == 0
    assert "boundary IoU of 0.333" in evaluate.table(report)


def test_an_annotation_of_the_id_0_is_found_like_any_other(tmp_path):
    rows = [annotation(1, 10, 10) | {"id": 0}, annotation(2, 10, 10) | {"id": 1}, annotation(2, 30, 60) | {"id": 2}]
    report = evaluate.measure(write(tmp_path / "photos", {1: None, 2: None}, rows, ["cat"]), PERFECT)
    assert report["mask"]["AP"] == report["box"]["AP"] == report["boundary"]["AP"] == 1


def test_masks_count_by_their_own_size_and_boxes_by_theirs(tmp_path):
    """Two corners of a box of 40 x 40 are small as a mask; the box that is found there is of medium size."""
    mask = np.zeros((64, 96), np.uint8)
    mask[5:15, 5:15] = mask[35:45, 35:45] = 1
    code = coco_mask.encode(np.asfortranarray(mask))
    corners = annotation(1, 5, 5) | {"segmentation": {"size": code["size"], "counts": code["counts"].decode()}}
    corners |= {"area": 200, "bbox": [5, 5, 40, 40]}
    dataset = write(tmp_path / "photos", {1: None, 2: None}, [corners], ["cat"])
    report = evaluate.measure(dataset, [corners | {"score": 0.8}, corners | {"score": 0.9, "image_id": 2}])
    assert report["mask"]["AP"] == report["mask"]["APs"] == report["boundary"]["APs"] == pytest.approx(0.5)
    assert (report["box"]["AP"], report["box"]["APs"]) == (pytest.approx(0.5), 1)


MOVED = [(12, 10), (12, 10), (30, 58)]


def test_detections_beside_the_squares_find_nothing(dataset):
    beside = [detection(1, 10, 20, 0.9), detection(2, 20, 10, 0.8), detection(2, 30, 50, 0.7)]  # IoU 1/3
    report = evaluate.measure(dataset, beside)
    assert report["mask"]["AP"] == report["mask"]["AR"] == 0
    assert report["single"]["recall"] == 0
    assert report["single"]["mean_iou"] == -1, "nothing was found, so there is no mean"


def test_a_missed_square_costs_its_share_of_recall(dataset):
    report = evaluate.measure(dataset, PERFECT[:2])
    assert report["mask"]["AR"] == report["AR_by_size"]["mask"]["small"] == pytest.approx(2 / 3, abs=1e-4)
    assert report["mask"]["AP"] == pytest.approx(67 / 101, abs=1e-4), "COCO samples recall at 0, 0.01, ..., 1"


def test_no_detections_at_all(dataset):
    report = evaluate.measure(dataset, [])
    assert report["mask"]["AP"] == report["box"]["AR"] == report["single"]["recall"] == 0
    assert report["false_alarms"] == 0
    assert "5 photos" in evaluate.table(report)


def test_false_alarms_count_from_confidence_one_half_and_by_kind(dataset):
    report = evaluate.measure(dataset, [*PERFECT, detection(3, 10, 10, 0.6), detection(4, 10, 10, 0.4)])
    assert report["false_alarms"] == pytest.approx(1 / 3, abs=1e-4)
    assert report["kinds"] == {
        "dog": {"pictures": 1, "flagged": 1, "false_alarms": 1.0},
        "toy": {"pictures": 2, "flagged": 0, "false_alarms": 0.0},
    }
    assert "(dog 1 of 1, toy 0 of 2)" in evaluate.table(report)


def test_calibration_compares_scores_with_what_is_right(dataset):
    wrong = detection(3, 10, 10, 0.85), detection(4, 10, 10, 1.0), detection(3, 10, 10, 0.4)
    report = evaluate.measure(dataset, [*PERFECT, *wrong])
    assert report["calibration"]["bins"] == [
        {"detections": 1, "score": 0.7, "right": 1.0},
        {"detections": 2, "score": 0.825, "right": 0.5},
        {"detections": 2, "score": 0.95, "right": 0.5},
    ]
    assert report["calibration"]["error"] == pytest.approx((0.3 + 2 * 0.325 + 2 * 0.45) / 5, abs=1e-4)
    assert "100% at 0.70, 50% at 0.82, 50% at 0.95; error 0.370" in evaluate.table(report)


def test_a_detection_on_an_ignore_region_is_neither_right_nor_wrong(dataset):
    report = evaluate.measure(dataset, [*PERFECT, detection(5, 10, 10, 0.99)])
    assert report["mask"]["AP"] == 1
    assert report["false_alarms"] == 0


def test_a_box_only_instance_counts_as_a_box_and_is_no_mask(tmp_path):
    """Photo 1 shows a square with a mask, photo 2 one with a box alone; the mask found there fills half of its box."""
    box_only = annotation(2, 30, 60)
    del box_only["segmentation"]
    dataset = write(tmp_path / "photos", {1: "cat", 2: "cat"}, [annotation(1, 10, 10), box_only], ["cat"])
    half = {**detection(2, 30, 60, 0.99), "segmentation": rle(30, 60, height=SIDE // 2)}
    report = evaluate.measure(dataset, [detection(1, 10, 10, 0.9), half])
    assert report["mask"]["AP"] == report["box"]["AP"] == 1
    assert report["found"] == {"pictures": 2, "found": 2}
    assert report["single"] == {"pictures": 1, "AP": 1, "mean_iou": 1, "mean_boundary_iou": 1, "recall": 1}
    report = evaluate.measure(dataset, [detection(1, 10, 10, 0.9), detection(2, 5, 5, 0.99)])
    assert report["found"] == {"pictures": 2, "found": 1}, "beside the box it is a false alarm"
    assert report["mask"]["AP"] < 1
    report = evaluate.measure(dataset, [detection(1, 10, 10, 0.9)])
    assert (report["mask"]["AP"], report["box"]["AR"]) == (1, 0.5), "a box that is not found is missed as a box alone"
    assert "photos with instances in which one is found: 1 of 2" in evaluate.table(report)


def test_each_class_has_its_own_figures(tmp_path):
    rows = [annotation(1, 10, 10, 1), annotation(1, 30, 60, 2)]
    dataset = write(tmp_path / "photos", {1: None}, rows, ["ant", "bee"])
    wrong_class = detection(1, 30, 60, 0.8, category_id=1)
    report = evaluate.measure(dataset, [detection(1, 10, 10, 0.9, 1), wrong_class])
    assert report["classes"]["ant"]["mask"]["AP"] == 1
    assert report["classes"]["bee"]["mask"]["AP"] == 0
    assert report["mask"]["AP"] == 0.5
    assert report["kinds"] == {}
    lines = evaluate.table(report).splitlines()
    assert [line.split()[:2] for line in lines[4:10]] == [
        ["mask", "ant"],
        ["box", "ant"],
        ["boundary", "ant"],
        ["mask", "bee"],
        ["box", "bee"],
        ["boundary", "bee"],
    ]


def test_the_best_score_takes_the_instance_and_the_second_is_a_false_alarm(dataset):
    truth = evaluate.read_truth(dataset)
    match = match_photos(truth, [detection(1, 10, 10, 0.6), detection(1, 12, 10, 0.9)])[1]
    assert match.instances == 1
    assert match.scores.tolist() == [0.9, 0.6]
    assert match.ious.tolist() == pytest.approx([IOU_MOVED_BY_2, 0])
    assert match.false_alarms(0.5) == 1
    assert match.false_alarms(0.7) == 0


def test_quality_is_lowered_by_what_is_missed_and_by_false_alarms(dataset):
    truth = evaluate.read_truth(dataset)
    matches = match_photos(truth, [detection(1, 10, 10, 0.9), detection(1, 40, 70, 0.8), detection(2, 10, 10, 0.9)])
    assert matches[1].quality(0.5) == pytest.approx(1 / 1.5)
    assert matches[2].quality(0.5) == pytest.approx(1 / 1.5)
    assert matches[3].quality(0.5) == 1
    assert match_photos(truth, [detection(3, 10, 10, 0.9)])[3].quality(0.5) == 0


def test_report_images_show_the_figures(dataset, tmp_path):
    results = [PERFECT[0], PERFECT[1], detection(3, 10, 10, 0.9), detection(4, 10, 10, 0.3)]
    paths = evaluation_figures.draw_report(dataset, results, tmp_path / "report")
    assert [path.name for path in paths] == ["precision_recall.png", "boundary.png", "scores.png", "worst.png"]
    for path in paths:
        assert np.asarray(Image.open(path).convert("L")).std() > 5, f"{path.name} is blank"
    # Photos 2 (one missed) and 3 (a false alarm) have faults: two tiles each. The third goes by confidence 0.3.
    assert Image.open(paths[3]).size == (4 * 220, 236)


def test_precision_curve_is_drawn_from_the_run(dataset):
    run = evaluate.coco_run(evaluate.read_truth(dataset), PERFECT[:2], "mask")
    recall, precision = evaluation_figures.precision_recall(run, "mask IoU").axes[0].lines[0].get_data()
    assert (precision[recall <= 0.66] == 1).all()
    assert (precision[recall >= 0.67] == 0).all()


def test_score_histogram_counts_right_and_wrong(dataset):
    truth = evaluate.read_truth(dataset)
    matches = match_photos(truth, [*PERFECT, detection(3, 10, 10, 0.21)])
    axes = evaluation_figures.score_histogram(matches.values()).axes[0]
    assert axes.get_legend_handles_labels()[1] == ["right (3)", "false alarm (1)"]
    assert sum(bar.get_height() for bar in axes.containers[0]) == 3


def small_network():
    from mrcnn.config import PRESETS, replace
    from mrcnn.network import Network

    return Network(replace(PRESETS["lite"], image_size=64, pyramid_channels=16, post_nms_top_n=10))


@pytest.mark.slow
def test_evaluate_runs_a_real_network_and_refuses_other_classes(tmp_path):
    from mrcnn import MaskRCNN

    model = MaskRCNN(small_network())
    dataset = write(tmp_path / "photos", {1: None, 2: None}, [annotation(1, 10, 10)], ["cat"])
    report = evaluate.evaluate(model, dataset, progress=False)
    assert 0 <= report["mask"]["AP"] <= 1
    assert report["ms_per_picture"] > 0
    assert "2 photos" in evaluate.table(report)
    other = write(tmp_path / "other", {1: None}, [annotation(1, 10, 10)], ["dog"])
    with pytest.raises(ValueError, match="the model finds .*cat.* has .*dog"):
        evaluate.evaluate(model, other, progress=False)


@pytest.mark.slow
def test_kill_in_the_middle_then_the_same_result(tmp_path):
    """kill -9 half-way; the next run looks only at the photos that are left, and measures the same."""
    from mrcnn import weights

    network = small_network()
    weights.save(network, tmp_path / "small.npz", weights.card_of(network))
    write(tmp_path / "photos", dict.fromkeys(range(1, 401)), [annotation(1, 10, 10)], ["cat"])
    command = [sys.executable, "-m", "pipeline", "evaluate", "--weights", str(tmp_path / "small.npz")]
    command += ["--data", str(tmp_path / "photos"), "--json"]
    killed, progress_log = tmp_path / "new/folder/a.json", tmp_path / "new/folder/a.json.progress"
    process = subprocess.Popen([*command, str(killed)], stderr=subprocess.DEVNULL, start_new_session=True)
    done = kill_half_way(process, progress_log, seconds=240)
    assert 0 < done < 400
    assert not killed.exists()

    for path in (killed, tmp_path / "b.json"):
        finished = subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=300)
        assert finished.returncode == 0, finished.stderr
        assert ("| 0/400" in finished.stderr) == (path != killed), "the killed one does not begin at the first photo"
    reports = [json.loads(path.read_text()) for path in (killed, tmp_path / "b.json")]
    for report in reports:
        assert report.pop("ms_per_picture") > 0
    assert reports[0] == reports[1]
    assert not list(tmp_path.rglob("*.progress"))


@pytest.mark.slow
def test_a_report_that_cannot_be_written_is_said_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    command = [sys.executable, "-m", "pipeline", "evaluate", "--weights", "cat", "--data", str(tmp_path)]
    done = subprocess.run([*command, "--report", str(tmp_path / "file")], capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "File exists" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
