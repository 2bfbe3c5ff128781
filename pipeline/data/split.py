"""Which photos are for training and which for validation."""

import re
import sys

import numpy as np

from pipeline.data.likeness import groups

PARTS = re.compile(r"(train|val|test)(ing|id|idation)?(\d{4})?", re.IGNORECASE)


def divide(records, share, seed, part_of, tell):
    """Divides the records of `pipeline.data.prepare.prepare_image`.

    Args:
        records: list of dict.
        share: float or None. Of the images, this share (or from 1 on this number) is for validation; those that look
            alike go together. None leaves them in the parts that they come in.
        seed: int. Of the division.
        part_of: function from a record to the part that it comes in, a str, or None.
        tell: function of str. Gets a sentence if photos that look alike had to be divided.

    Returns:
        dict from the part's name to its records; the only one is named "" if there are no parts. Records of dropped
        images go with the first part, if they come in none.

    Raises:
        ValueError: if there are too few images to divide.
    """
    if share is None:
        parts = {}
        for record in records:
            parts.setdefault(part_of(record) or "", []).append(record)
        if len(parts) == 1:
            return {"": records}
        dropped = [record for record in parts.get("", []) if "dropped" in record]
        if dropped and len(dropped) == len(parts[""]):
            del parts[""]
            parts[min(parts)].extend(dropped)
        return {name or "rest": parts[name] for name in sorted(parts)}
    usable = [record for record in records if "dropped" not in record]
    validation = choose([record["look"] for record in usable], share, seed, tell)
    chosen = {usable[index]["file_name"] for index in validation}
    return {
        "train": [record for record in records if record["file_name"] not in chosen],
        "val": [record for record in records if record["file_name"] in chosen],
    }


def choose(looks, share, seed, tell=lambda sentence: print(sentence, file=sys.stderr)):
    """The photos for validation, groups of photos that look alike as a whole.

    Photos of a fixed camera all look alike. Where whole groups give less than half of what is asked for, the largest
    one is cut: its last photos are for validation, so that frames which follow each other stay together but at the cut.

    Args:
        looks: list of str from `pipeline.data.likeness.look`, in the order in which the photos were taken.
        share: float. Below 1 a share of the photos, from 1 on their number.
        seed: int.
        tell: function of str. Gets a sentence if a group was cut. Defaults to printing it on stderr.

    Returns:
        set of int, indices of `looks`: as many as asked for, or up to half less so that no group is divided.

    Raises:
        ValueError: if that would leave one of both without photos.
    """
    group_of = np.array(groups(looks), int)
    wanted = max(1, round(share if share >= 1 else share * len(looks)))
    if wanted >= len(looks):
        raise ValueError(f"{len(looks)} images cannot be divided at {share:g}: none would be left for training")
    chosen = set()
    for group in np.random.default_rng(seed).permutation(np.unique(group_of)):
        members = np.flatnonzero(group_of == group).tolist()
        if len(chosen) + len(members) <= wanted:
            chosen.update(members)
    if len(chosen) < wanted / 2:
        left = [index for index in range(len(looks)) if index not in chosen]
        largest = np.bincount(group_of[left]).argmax()
        alike = np.flatnonzero(group_of == largest).tolist()
        cut = alike[len(chosen) - wanted :]
        chosen.update(cut)
        tell(
            f"{len(alike)} of {len(looks)} photos look alike, as those of a fixed camera do, and had to be divided: "
            f"the last {len(cut)} of them, in the order of their files, are for validation. THE FIGURES WILL FLATTER, "
            "for the model has seen such photos; honest ones come from photos of another place or day, given by --val"
        )
    return chosen


def part_by_folder(path, data):
    """The part of the data that the folders of a photo name, such as train, val or test; None if they name none."""
    return part_among(path.relative_to(data).parts[:-1] if path.is_relative_to(data) else ())


def part_among(names):
    """The first part that one of some folders is named for, None if none is."""
    found = next(filter(None, map(PARTS.fullmatch, names)), None)
    return found and found[1].lower()  # valid and validation are val
