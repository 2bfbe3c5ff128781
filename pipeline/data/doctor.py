"""What may be wrong with a data set, told before hours of training are spent on it.

It looks and says; it changes nothing. A finding is as severe as its consequence: `error` means that training stops,
learns what is false or is measured on what it has seen, `warning` that the model will be worse than it could be, `note`
that someone may want to know.
"""

import dataclasses
import re
from collections import Counter
from itertools import combinations

import numpy as np

from pipeline.data.photo import UPSIDE_DOWN
from pipeline.data.sizes import SIZES, TINY, choose_size, object_sizes, share_below

SEVERITIES = ("error", "warning", "note")
NAMED = 5  # files that a finding names in words; `files` has all
FEW_OBJECTS = 20  # of a class; with less, figures and model are a matter of luck
FEW_PHOTOS = 10  # of validation
SAME_OBJECT_IOU = 0.9
BOX_TOLERANCE = 3  # pixels, or a twentieth of the side, that a stated box may be off its mask
MANY_EMPTY = 0.5  # share of photos without objects
MANY_TINY = 0.1


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: str. A word for programs, such as `"unreadable"`.
        severity: str. One of SEVERITIES.
        what: str. What was seen.
        consequence: str. What it does to training or to its figures.
        remedy: str. What to do.
        files: list of str. The photos concerned, as the annotations name them.
    """

    kind: str
    severity: str
    what: str
    consequence: str
    remedy: str
    files: list = dataclasses.field(default_factory=list)

    def sentence(self):
        """The finding in words, two or three lines."""
        names = ", ".join(self.files[:NAMED]) + (f" and {len(self.files) - NAMED} more" if self.files[NAMED:] else "")
        where = f" ({names})" if names else ""
        return f"{self.severity.upper()} {self.what}{where}\n  so: {self.consequence}\n  do: {self.remedy}"


def examine(dataset, val=None, progress=True):
    """Look at every photo and every object.

    Args:
        dataset: `pipeline.data.dataset.CocoDataset` for training.
        val: `CocoDataset` for validation, or None.
        progress: bool. Whether to draw a progress bar on stderr.

    Returns:
        list of `Finding`, the most severe first.
    """
    sets = [dataset, *([val] if val else [])]
    looks, findings = [], []
    for each in sets:
        found, look_of = _photos(each, progress)
        findings += found
        looks.append(look_of)
    if val:
        findings += _in_both(dataset, val, *looks)
        findings += _validation(dataset, val)
    findings += _repeated(looks[0])
    findings += _classes(dataset)
    findings += _sizes(dataset)
    findings += _empty(dataset)
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def _photos(dataset, progress):
    """Findings on single photos, and the look of each that can be read by its file name."""
    from tqdm import tqdm

    from pipeline.data.likeness import look

    unreadable, undecodable, empty, doubled, disagreeing = {}, {}, [], [], []
    looks = {}
    for image_id in tqdm(dataset.image_ids, "check", unit="photo", disable=not progress):
        name = dataset.images[image_id]["file_name"]
        try:
            looks[name] = look(dataset.load_image(image_id))
        except ValueError as error:
            unreadable[name] = str(error)
            continue
        try:
            windows, class_ids, outlined = dataset.windows(image_id)
        except ValueError as error:
            undecodable[name] = str(error)
            continue
        rows = dataset.rows(image_id)
        if len(windows) < len(rows):
            empty.append(name)
        if _has_doubles(windows, class_ids):
            doubled.append(name)
        if len(windows) == len(rows) and any(map(_disagrees, rows, windows, outlined)):
            disagreeing.append(name)
    return [
        *_finding(
            unreadable,
            "unreadable",
            "error",
            "{n} photos of {folder} cannot be read",
            f"training leaves them out, evaluating stops at the first: {next(iter(unreadable.values()), '')}",
            "replace them, or prepare the folder again: it leaves them out",
            dataset,
        ),
        *_finding(
            undecodable,
            "undecodable",
            "error",
            "annotations of {n} photos of {folder} cannot be decoded",
            f"training leaves them out, evaluating stops at the first: {next(iter(undecodable.values()), '')}",
            "prepare the folder again: objects that cannot be read become ignore regions",
            dataset,
        ),
        *_finding(
            empty,
            "empty_mask",
            "warning",
            "{n} photos of {folder} have an object with an empty mask",
            "it is left out, and what is there is learned as background",
            "draw it again, or delete it if there is none",
            dataset,
        ),
        *_finding(
            doubled,
            "doubled",
            "warning",
            "in {n} photos of {folder} two objects of a class lie on each other",
            "one object is learned and counted twice; finding it once counts as a miss",
            "delete one of each pair",
            dataset,
        ),
        *_finding(
            disagreeing,
            "box_and_mask",
            "warning",
            "in {n} photos of {folder} a box disagrees with its mask",
            "one of both is of another object, or was made at another size; training derives boxes from masks",
            "look at the contact sheet of `prepare`, and correct what is wrong",
            dataset,
        ),
    ], looks


def _finding(files, kind, severity, what, consequence, remedy, dataset):
    """One finding or none, for photos of one data set."""
    if files:
        what = what.format(n=len(files), folder=dataset.folder)
        yield Finding(kind, severity, what, consequence, remedy, list(files))


def _has_doubles(windows, class_ids):
    from pipeline.data.dataset import IGNORE

    for (first, first_id), (second, second_id) in combinations(zip(windows, class_ids, strict=True), 2):
        if first_id == second_id != IGNORE and _iou(first, second) > SAME_OBJECT_IOU:
            return True
    return False


def _iou(first, second):
    """Intersection over union of two `MaskWindow`."""
    top, left = max(first.top, second.top), max(first.left, second.left)
    bottom = min(first.slices[0].stop, second.slices[0].stop)
    right = min(first.slices[1].stop, second.slices[1].stop)
    if bottom <= top or right <= left:
        return 0.0
    parts = [w.mask[top - w.top : bottom - w.top, left - w.left : right - w.left] for w in (first, second)]
    shared = np.count_nonzero(parts[0] & parts[1])
    return shared / (np.count_nonzero(first.mask) + np.count_nonzero(second.mask) - shared)


def _disagrees(row, window, outlined):
    """Whether the box that a row states is another one than its mask's."""
    if not outlined or "bbox" not in row:
        return False
    left, top, width, height = row["bbox"]
    rows, columns = window.slices
    stated = np.array([top, left, top + height, left + width])
    drawn = np.array([rows.start, columns.start, rows.stop, columns.stop])
    tolerance = np.maximum(BOX_TOLERANCE, np.array(window.mask.shape * 2) / 20)
    return bool((np.abs(stated - drawn) > tolerance).any())


def _in_both(dataset, val, looks, val_looks):
    from pipeline.data.likeness import near_pairs

    paths = {dataset.path(image_id).resolve() for image_id in dataset.image_ids}
    same = [val.images[image_id]["file_name"] for image_id in val.image_ids if val.path(image_id).resolve() in paths]
    if same:
        yield Finding(
            "in_both",
            "error",
            f"{len(same)} photos are for training and for validation",
            "the figures are of what the model has seen: far too good",
            "`prepare --split 0.2` divides all photos anew",
            same,
        )
    names, val_names = list(looks), list(val_looks)
    pairs = near_pairs(list(looks.values()), list(val_looks.values()))
    alike = {val_names[j]: names[i] for i, j in pairs if val_names[j] not in same}
    if alike:
        yield Finding(
            "alike_in_both",
            "warning",
            f"{len(alike)} photos for validation look like photos for training",
            "the figures are partly of scenes that the model has seen: too good",
            "`prepare --split 0.2` keeps photos that look alike on one side; where all do, as those of a fixed camera, "
            "validate with photos of another place or day",
            [f"{name} like {other}" for name, other in alike.items()],
        )


def _repeated(looks):
    from pipeline.data.likeness import groups

    group_of = groups(list(looks.values()))
    repeated = [name for name, group in zip(looks, group_of, strict=True) if group_of.count(group) > 1]
    if repeated:
        yield Finding(
            "alike",
            "note",
            f"{len(repeated)} of {len(looks)} photos look like another one of them",
            "they teach little more than one of each, and must not be divided over training and validation",
            "`prepare --split 0.2` keeps them together",
            repeated,
        )


def _validation(dataset, val):
    if len(val) < FEW_PHOTOS:
        yield Finding(
            "few_val",
            "warning",
            f"validation has {len(val)} photos",
            "its figures change by several points from one run to the next, and choose the wrong weights",
            "`prepare --split 0.2` of more photos",
        )
    unknown = sorted(set(val.class_names) - set(dataset.class_names))
    if unknown:
        yield Finding(
            "unknown_class",
            "error",
            f"validation has classes that training has not: {', '.join(unknown)}",
            "the model cannot find them",
            "name the classes alike, or train with `--class` on those that both have",
        )


def _classes(dataset):
    for name, count in dataset.count_instances().items():
        if count < FEW_OBJECTS:
            yield Finding(
                "rare_class",
                "warning",
                f"the class {name!r} has {count} objects",
                "it will hardly be found, and its figures are a matter of luck",
                "annotate more of it, or leave it out with `--class`",
            )
    by_spelling = {}
    for name in dataset.class_names:
        by_spelling.setdefault(re.sub(r"[\W_]+", "", name.casefold()).rstrip("s"), []).append(name)
    for names in by_spelling.values():
        if len(names) > 1:
            yield Finding(
                "spelling",
                "warning",
                f"classes that may be one in two spellings: {', '.join(map(repr, names))}",
                "each is learned as what the other is not",
                "give all of them one name in the annotations",
            )


def _sizes(dataset):
    sizes = object_sizes([dataset])
    chosen, reason = choose_size(sizes)
    tiny = share_below(sizes, chosen, TINY)
    if tiny > MANY_TINY:
        yield Finding(
            "tiny",
            "warning",
            f"{tiny:.0%} of the objects are under {TINY} pixels even at an input of {chosen}",
            "next to none of them will be found",
            "cut the photos into tiles, or photograph nearer",
        )
    elif chosen > SIZES[0]:
        yield Finding(
            "small",
            "note",
            reason.replace("training at", "train chooses"),
            f"a photo takes {(chosen / SIZES[0]) ** 2:.1f} times as long as at {SIZES[0]}",
            "nothing; `--size` of train sets another one",
        )


def _empty(dataset):
    empty = [
        dataset.images[image_id]["file_name"] for image_id in dataset.image_ids if not dataset.has_instances(image_id)
    ]
    if len(empty) == len(dataset):
        yield Finding("empty", "error", "no photo shows an object", "there is nothing to learn", "annotate some", empty)
    elif empty:
        many = len(empty) > MANY_EMPTY * len(dataset)
        yield Finding(
            "empty",
            "warning" if many else "note",
            f"{len(empty)} of {len(dataset)} photos show no object",
            "they teach what is no object; where an object was forgotten they teach that it is none",
            "see whether they are really empty",
            empty,
        )


def dropped(report):
    """Findings of a preparation: what it left out.

    Args:
        report: dict from `pipeline.data.report.summarize`.

    Returns:
        list of `Finding`.
    """
    findings = []
    for reason, number in report["dropped_images"].items():
        files = [name for name, why in report["dropped_files"].items() if why.partition(":")[0] == reason]
        findings.append(
            Finding(
                "dropped",
                "warning",
                f"{number} photos are left out: {reason}",
                "nothing is learned from them",
                "mend or annotate them, or take them away",
                files,
            )
        )
    for reason, number in report["problems"].items():
        files = [
            name
            for name, each in report["problem_files"].items()
            if any(problem.partition(":")[0] == reason for problem in each)
        ]
        if reason == UPSIDE_DOWN:
            findings.append(
                Finding(
                    "upside_down",
                    "warning",
                    f"{number} annotated photos are held upside down or mirrored",
                    "they are turned as EXIF asks for; if the annotation tool did not, their outlines lie wrong",
                    "look at them on the contact sheet of `prepare`; if so, save them without EXIF",
                    files,
                )
            )
        else:
            findings.append(
                Finding(
                    "unreadable_object",
                    "warning",
                    f"{number} objects cannot be read: {reason}",
                    "they are ignored: neither learned nor taken for background",
                    "draw them again",
                    files,
                )
            )
    return findings


def count(findings):
    """How many findings of each severity there are, in words."""
    counts = Counter(finding.severity for finding in findings)
    return ", ".join(f"{counts[name]} {name}{'s' * (counts[name] != 1)}" for name in SEVERITIES)
