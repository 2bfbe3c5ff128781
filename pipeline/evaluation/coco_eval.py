"""COCO's figures of a model on a data set, and those that COCO's protocol hides."""

import contextlib
import io
import time

import numpy as np

from pipeline.evaluation.matching import match_photos
from pipeline.resume import ProgressLog, fingerprint

LIMIT = 100  # detections an image, as in COCO
LEAST_CONFIDENCE = 0.01
SHOWN = 0.5  # confidence from which a detection counts as shown to people
# Places of COCOeval's IoU thresholds 0.50 to 0.95 and of its areas: all, small, medium, large.
IOU_50, IOU_75 = 0, 5
ALL, SMALL, MEDIUM, LARGE = range(4)
KINDS = ("mask", "box", "boundary")
# Of a result with a box pycocotools takes that for its size, also where masks are measured.
RESULT_KEYS = {
    kind: ("image_id", "category_id", "score", "bbox" if kind == "box" else "segmentation") for kind in KINDS
}
STATISTICS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR")


def evaluate(model, dataset, size=None, progress=True):
    """Run a model over a data set and measure what it finds.

    Args:
        model: `mrcnn.MaskRCNN`.
        dataset: `CocoDataset` with the model's classes.
        size: int or `None`. Longer side of the network's input in pixels.
        progress: bool. Whether to show a progress bar.

    Returns:
        dict: what `measure` returns, and `ms_per_picture`, from decoded photo to pasted masks.

    Raises:
        ValueError: if the classes differ.
    """
    results, milliseconds = detect_all(model, dataset, size, progress)
    return {**measure(dataset, results), "ms_per_picture": milliseconds}


def detect_all(model, dataset, size=None, progress=True, progress_log=None):
    """Detections in all photos of a data set, in COCO's results format, and the median milliseconds a photo.

    Arguments and errors are those of `evaluate`, and:

    Args:
        progress_log: `ProgressLog` by `image_id`, see `detection_log`. Photos in it are not looked at again. Defaults
            to none.

    Returns:
        list of dict, and float.
    """
    from tqdm import tqdm

    if tuple(model.class_names) != dataset.class_names:
        raise ValueError(f"the model finds {model.class_names}, the data set has {dataset.class_names}")
    records = progress_log.records if progress_log else {}
    done = len(records)
    waiting = [image_id for image_id in dataset.image_ids if image_id not in records]
    with progress_log or contextlib.nullcontext():
        for image_id in tqdm(waiting, "evaluate", len(dataset), initial=done, unit="photo", disable=not progress):
            image = dataset.load_image(image_id)
            start = time.perf_counter()
            found = model.segment(image, LEAST_CONFIDENCE, LIMIT, size, overlaps=True)
            record = {"image_id": image_id, "seconds": time.perf_counter() - start, "results": found.to_coco(image_id)}
            for row, class_id in zip(record["results"], found.class_ids, strict=True):
                row["category_id"] = dataset.category_ids[class_id - 1]  # of this data, not of the model's
            if progress_log:
                progress_log.add(record)
            else:
                records[image_id] = record
    results = [row for image_id in dataset.image_ids for row in records[image_id]["results"]]
    return results, round(1000 * float(np.median([record["seconds"] for record in records.values()])), 1)


def detection_log(path, weights_file, dataset, size=None):
    """The `ProgressLog` of `detect_all`: it is continued as long as weights, photos, annotations and size are the same.

    Args:
        path: path of the log.
        weights_file: Path of the model's weights.
        dataset: `CocoDataset`.
        size: int or `None`, as given to `detect_all`.
    """
    inputs = [weights_file, dataset.annotations, *(dataset.path(image_id) for image_id in dataset.image_ids)]
    return ProgressLog(path, fingerprint(size, inputs), "image_id")


def measure(dataset, results):
    """All figures of a data set's detections.

    Args:
        dataset: `CocoDataset`.
        results: list of dict in COCO's results format.

    Returns:
        dict. `mask`, `box` and `boundary` (see `pipeline.evaluation.boundary`): AP, AP50, AP75, APs, APm, APl and AR as
        fractions 0 to 1 (-1 where the data has nothing to measure). `AR_by_size`: AR of small, medium and large
        instances, for these three. `classes`: the same three for each class by its name. `pictures`: number of photos.
        `false_alarms`: share of the photos without instances that show a detection of confidence 0.5. `kinds`: photos
        without instances and their false alarms for each `kind` of image, where the annotations name one, with their
        number `flagged`. `found`: photos with instances, `pictures`, and how many of them show one that is found at
        confidence 0.5. `calibration`: for scores from 0.5 on, in steps of a tenth, the number of detections, their mean
        score and the share of them that is right; and `error`, the mean distance of the two over all these detections,
        as in Guo et al., "On Calibration of Modern Neural Networks", 2017, equation 3. `single`: photos with exactly
        one instance, their mask AP, the mean IoU and boundary IoU of the instances found at confidence 0.5, and
        their share, `recall`; photos of a box-only instance are left out of it. `edges`: the `sides` of instances found
        at confidence 0.5 that an edge of the photo cuts off, and the `cover` of the outermost 2 % of the photo there,
        as a multiple of that further inside, see `pipeline.evaluation.edges`.

    Box-only instances count in `box` as all others do. In `mask` and `boundary` they are ignore regions: whatever is
    found there is neither right nor wrong. They are found by a detection whose box overlaps theirs by 0.5.
    """
    truth = read_truth(dataset)
    runs = {kind: coco_run(truth, results, kind) for kind in KINDS}
    matches = match_photos(truth, results)
    return {
        **{kind: statistics(run) for kind, run in runs.items()},
        "AR_by_size": {kind: recall_by_size(run) for kind, run in runs.items()},
        "classes": {
            name: {kind: statistics(run, row) for kind, run in runs.items()}
            for row, (_, name) in enumerate(sorted(zip(dataset.category_ids, dataset.class_names, strict=True)))
        },
        "pictures": len(dataset),
        **_false_alarms(dataset, matches),
        "found": _photos_found(matches),
        "calibration": _calibration(matches.values()),
        "single": _single(truth, results, matches),
        "edges": _edges(matches.values()),
    }


def read_truth(dataset):
    """The annotations of a data set as `pycocotools.coco.COCO`."""
    return _index(dataset.to_coco())


def _index(content):
    from pycocotools.coco import COCO

    truth = COCO()
    truth.dataset = content
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        truth.createIndex()
    return truth


def coco_run(truth, results, kind, image_ids=None):
    """An accumulated `COCOeval` for a kind of `KINDS`, on some photos or all.

    Except for "box", box-only instances are ignore regions.
    """
    from pycocotools.cocoeval import COCOeval

    from pipeline.evaluation.boundary import BoundaryEval

    if kind != "box" and any(row.get("box_only") for row in truth.dataset["annotations"]):
        rows = [row | {"iscrowd": 1} if row.get("box_only") else row for row in truth.dataset["annotations"]]
        truth = _index({**truth.dataset, "annotations": rows})
    with contextlib.redirect_stdout(io.StringIO()):
        rows = [{key: row[key] for key in RESULT_KEYS[kind]} for row in results]
        found = truth.loadRes(rows) if rows else _index({**truth.dataset, "annotations": []})
        if kind == "boundary":
            run = BoundaryEval(truth, found)
        else:
            run = COCOeval(truth, found, {"mask": "segm", "box": "bbox"}[kind])
        if image_ids is not None:
            run.params.imgIds = sorted(image_ids)
        run.evaluate()
        run.accumulate()
    return run


def statistics(run, row=None):
    """COCO's summary of a run as a dict of fractions: of the class in this row, or the mean of all."""
    classes = slice(None) if row is None else slice(row, row + 1)
    precision = run.eval["precision"][:, :, classes, :, -1]  # IoU, recall, class, area
    values = {
        "AP": precision[..., ALL],
        "AP50": precision[IOU_50, ..., ALL],
        "AP75": precision[IOU_75, ..., ALL],
        "APs": precision[..., SMALL],
        "APm": precision[..., MEDIUM],
        "APl": precision[..., LARGE],
        "AR": run.eval["recall"][:, classes, ALL, -1],
    }
    return {name: _mean(value[value > -1]) for name, value in values.items()}


def recall_by_size(run):
    """AR of a run for small, medium and large instances."""
    sizes = {"small": SMALL, "medium": MEDIUM, "large": LARGE}
    recall = {name: run.eval["recall"][..., size, -1] for name, size in sizes.items()}  # IoU, class
    return {name: _mean(values[values > -1]) for name, values in recall.items()}


def _mean(values):
    return round(float(np.mean(values)), 4) if len(values) else -1.0


def _false_alarms(dataset, matches):
    empty = [image_id for image_id in dataset.image_ids if not dataset.has_instances(image_id)]
    alarms = {image_id: matches[image_id].shows_anything(SHOWN) for image_id in empty}
    kinds = {}
    for image_id, alarm in alarms.items():
        kinds.setdefault(dataset.images[image_id].get("kind"), []).append(alarm)
    kinds.pop(None, None)
    return {
        "false_alarms": _mean(list(alarms.values())),
        "kinds": {
            kind: {"pictures": len(of), "flagged": sum(of), "false_alarms": _mean(of)}
            for kind, of in sorted(kinds.items())
        },
    }


def _photos_found(matches):
    there = [match for match in matches.values() if match.instances]
    return {"pictures": len(there), "found": sum(len(match.found(SHOWN)) > 0 for match in there)}


def _calibration(matches):
    matches = list(matches)
    scores = np.concatenate([match.scores for match in matches] or [[]])
    right = np.concatenate([match.ious for match in matches] or [[]]) > 0
    bins, distance = [], 0.0
    for tenth in range(5, 10):
        here = (scores >= tenth / 10) & (scores < (tenth + 1) / 10 + (tenth == 9))  # the last one holds 1 as well
        if here.any():
            score, share = float(scores[here].mean()), float(right[here].mean())
            distance += here.sum() * abs(score - share)
            bins.append({"detections": int(here.sum()), "score": round(score, 4), "right": round(share, 4)})
    count = int((scores >= SHOWN).sum())
    return {"error": round(float(distance / count), 4) if count else -1.0, "bins": bins}


def _single(truth, results, matches):
    box_only = {row["image_id"] for row in truth.dataset["annotations"] if row.get("box_only")}
    single = [image_id for image_id, match in matches.items() if match.instances == 1 and image_id not in box_only]
    if not single:
        return {"pictures": 0, "AP": -1.0, "mean_iou": -1.0, "mean_boundary_iou": -1.0, "recall": -1.0}
    found = [iou for image_id in single for iou in matches[image_id].found(SHOWN)]
    boundary = [iou for image_id in single for iou in matches[image_id].boundaries(SHOWN)]
    # All photos' detections are handed over: COCOeval looks only at those of the photos asked for.
    run = coco_run(truth, results, "mask", single)
    return {
        "pictures": len(single),
        "AP": statistics(run)["AP"],
        "mean_iou": _mean(found),
        "mean_boundary_iou": _mean(boundary),
        "recall": round(len(found) / len(single), 4),
    }


def _edges(matches):
    covers = np.concatenate([np.zeros((0, 2)), *(match.edge_covers(SHOWN) for match in matches)])
    outermost, inside = covers.sum(axis=0)
    return {"sides": len(covers), "cover": round(float(outermost / inside), 4) if inside else -1.0}


def table(report):
    """The report as lines of text."""

    def row(name, values):
        return f"{name:<14}" + "".join(f"{values[column]:8.3f}" for column in STATISTICS)

    lines = [" " * 14 + "".join(f"{name:>8}" for name in STATISTICS)]
    lines += [row(kind, report[kind]) for kind in KINDS]
    if len(report["classes"]) > 1:
        lines += [row(f"{kind} {name}"[:14], of[kind]) for name, of in report["classes"].items() for kind in of]
    recall = [
        f"{kind} " + " / ".join("-" if value < 0 else f"{value:.3f}" for value in of.values())
        for kind, of in report["AR_by_size"].items()
    ]
    lines.append(f"AR of small / medium / large: {', '.join(recall)}")
    there = report["found"]
    lines.append(f"photos with instances in which one is found: {there['found']} of {there['pictures']}")
    single = report["single"]
    if single["pictures"]:
        lines.append(
            f"{single['pictures']} photos with one instance: mask AP {single['AP']:.3f}, found {single['recall']:.1%} "
            f"at confidence {SHOWN}, with a mean mask IoU of {single['mean_iou']:.3f} and boundary IoU of "
            f"{single['mean_boundary_iou']:.3f}"
        )
    edges = report["edges"]
    if edges["sides"]:
        lines.append(f"{edges['sides']} sides cut off by the photo: covered to {edges['cover']:.3f} of inside")
    if report["calibration"]["bins"]:
        bins = [f"{of['right']:.0%} at {of['score']:.2f}" for of in report["calibration"]["bins"]]
        lines.append(f"detections that are right: {', '.join(bins)}; error {report['calibration']['error']:.3f}")
    if report["false_alarms"] >= 0:
        kinds = [f"{kind} {of['flagged']} of {of['pictures']}" for kind, of in report["kinds"].items()]
        kinds = f" ({', '.join(kinds)})" if kinds else ""
        lines.append(f"false alarms on photos without instances: {report['false_alarms']:.1%}{kinds}")
    time_text = f", {report['ms_per_picture']} ms each" if "ms_per_picture" in report else ""
    return "\n".join([*lines, f"{report['pictures']} photos{time_text}"])
