"""Which photos are for training and which for validation."""

import re

import numpy as np

from pipeline.data.likeness import groups

PARTS = re.compile(r"(train|val|test)(ing|id|idation)?(\d{4})?", re.IGNORECASE)


def divide(records, share, seed, part_of):
    """Divides the records of `pipeline.data.prepare.prepare_image`.

    Args:
        records: list of dict.
        share: float or None. Of the images, this share (or from 1 on this number) is for validation; those that look
            alike go together. None leaves them in the parts that they come in.
        seed: int. Of the division.
        part_of: function from a record to the part that it comes in, a str, or None.

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
    validation = choose([record["look"] for record in usable], share, seed)
    chosen = {usable[index]["file_name"] for index in validation}
    return {
        "train": [record for record in records if record["file_name"] not in chosen],
        "val": [record for record in records if record["file_name"] in chosen],
    }


def choose(looks, share, seed):
    """The photos for validation, groups of photos that look alike as a whole.

    Args:
        looks: list of str from `pipeline.data.likeness.look`.
        share: float. Below 1 a share of the photos, from 1 on their number.
        seed: int.

    Returns:
        set of int, indices of `looks`: as many as asked for, or a few less so that no group is divided.

    Raises:
        ValueError: if that would leave one of both without photos.
    """
    group_of = np.array(groups(looks), int)
    wanted = max(1, round(share if share >= 1 else share * len(looks)))
    chosen = set()
    for group in np.random.default_rng(seed).permutation(np.unique(group_of)):
        members = np.flatnonzero(group_of == group).tolist()
        if len(chosen) + len(members) <= wanted:
            chosen.update(members)
    if not chosen or len(chosen) == len(looks):
        raise ValueError(f"{len(looks)} images, of which many look alike, cannot be divided at {share:g}")
    return chosen


def part_by_folder(path, data):
    """The part of the data that the folders of a photo name, such as train, val or test; None if they name none."""
    for folder in path.relative_to(data).parts[:-1] if path.is_relative_to(data) else ():
        found = PARTS.fullmatch(folder)
        if found:
            return found[1].lower()  # valid and validation are val
    return None
