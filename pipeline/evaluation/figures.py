"""An evaluation as images: precision over recall, scores of right and wrong detections, and the worst photos."""

from pathlib import Path

import numpy as np

from mrcnn.results.drawing import PALETTE
from pipeline.data.contact_sheet import Tile, contact_sheet
from pipeline.data.dataset import IGNORE
from pipeline.data.formats.coco import decode_rle
from pipeline.evaluation.coco_eval import ALL, IOU_50, IOU_75, SHOWN, coco_run, read_truth
from pipeline.evaluation.matching import match_photos

IOU_90 = 8  # place of the threshold 0.90
WORST = 20  # photos on the sheet
BLUE, ORANGE, PURPLE = ("#{:02x}{:02x}{:02x}".format(*colour) for colour in PALETTE[:3])


def draw_report(dataset, results, folder):
    """Draw an evaluation.

    Args:
        dataset: `CocoDataset`.
        results: list of dict in COCO's results format.
        folder: path of the folder to write to; made if it is missing.

    Returns:
        list of the paths written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    truth = read_truth(dataset)
    matches = match_photos(truth, results)
    paths = [folder / name for name in ("precision_recall.png", "boundary.png", "scores.png", "worst.png")]
    precision_recall(coco_run(truth, results, "mask"), "mask IoU").savefig(paths[0])
    precision_recall(coco_run(truth, results, "boundary"), "boundary IoU").savefig(paths[1])
    score_histogram(matches.values()).savefig(paths[2])
    worst_photos(dataset, results, matches).save(paths[3])
    return paths


def precision_recall(run, measured):
    """Precision over recall at three overlaps, mean of all classes, as a matplotlib `Figure`.

    Args:
        run: what `coco_run` returns.
        measured: str. The kind of overlap, for the legend.
    """
    figure, axes = _figure("recall", "precision")
    for threshold, text, colour in ((IOU_50, "0.50", BLUE), (IOU_75, "0.75", ORANGE), (IOU_90, "0.90", PURPLE)):
        precision = run.eval["precision"][threshold, :, :, ALL, -1]
        precision = precision[:, (precision > -1).all(axis=0)]
        if not precision.size:  # all instances are box-only
            break
        precision = precision.mean(axis=1)
        label = f"{measured} {text}: AP {precision.mean():.3f}"
        axes.plot(run.params.recThrs, precision, color=colour, linewidth=2, label=label)
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    if axes.lines:
        axes.legend(loc="lower left", framealpha=0.9)
    return figure


def score_histogram(matches):
    """How many detections of each score are right and how many are false alarms, as a matplotlib `Figure`."""
    scores = np.concatenate([match.scores for match in matches] or [[]])
    right = np.concatenate([match.ious for match in matches] or [[]]) > 0
    figure, axes = _figure("score", "detections")
    parts = [scores[right], scores[~right]]
    labels = [f"right ({right.sum()})", f"false alarm ({(~right).sum()})"]
    axes.hist(parts, bins=np.linspace(0, 1, 41), stacked=True, color=[BLUE, ORANGE], label=labels)
    axes.set_yscale("symlog", linthresh=10)
    axes.axvline(SHOWN, color="black", linewidth=1, linestyle=":")
    axes.legend(loc="upper center", framealpha=0.9)
    return figure


def worst_photos(dataset, results, matches, count=WORST):
    """The photos of the lowest quality, what they show beside what was found, as a `PIL.Image`.

    Args:
        dataset: `CocoDataset`.
        results: list of dict in COCO's results format.
        matches: dict from image id to `PhotoMatch`.
        count: int. Most photos. Photos without any fault are left out.
    """
    quality = {image_id: match.quality(SHOWN) for image_id, match in matches.items()}
    worst = sorted(quality, key=quality.get)[:count]
    worst = [image_id for image_id in worst if quality[image_id] < 1]

    def tiles():
        for image_id in worst:
            image, match = dataset.load_image(image_id), matches[image_id]
            name = Path(dataset.images[image_id]["file_name"]).name
            yield Tile(image, *_true_masks(dataset, image_id), f"{match.instances} in {name}")
            found, false = len(match.found(SHOWN)), match.false_alarms(SHOWN)
            caption = f"{quality[image_id]:.2f}: {found} right, {false} false"
            yield Tile(image, _found_masks(results, image_id), caption=caption)

    return contact_sheet(tiles(), columns=6)


def _true_masks(dataset, image_id):
    """Whole-image masks of a photo's instances and of its ignore regions."""
    size = dataset.images[image_id]["height"], dataset.images[image_id]["width"]
    masks = {True: [], False: []}
    for window, class_id, _ in zip(*dataset.windows(image_id), strict=True):
        mask = np.zeros(size, bool)
        mask[window.slices] = window.mask
        masks[bool(class_id == IGNORE)].append(mask)
    return masks[False], masks[True]


def _found_masks(results, image_id):
    shown = [row for row in results if row["image_id"] == image_id and row["score"] >= SHOWN]
    return [decode_rle(row["segmentation"]) for row in shown]


def _figure(across, up):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.5), dpi=120, layout="constrained")
    axes = figure.add_subplot(xlabel=across, ylabel=up)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
