"""What lies beside YOLO labels: names of the classes, in a YAML file or one a line, and the form of keypoints."""

import os
from pathlib import Path

NAME_FILES = ("classes.txt", "obj.names", "labels.txt")
PARTS = ("train", "val", "test")


def read_names(source):
    """Class names of a data set: what lies within it goes before what lies above it.

    `data.yaml` lies over train/ and valid/, which may be prepared one by one; one above counts if it leads here.

    Returns:
        dict from class number to name, the file that has them or None, and how many numbers of keypoints follow the
        box of a label, 0 if the file does not say.
    """
    above = sorted(source.where.resolve().parent.glob("*"))
    within = (_of_yaml(path) for path in source.files(".yaml", ".yml"))
    listed = (_of_list(path) for path in source.files(".txt", ".names"))
    yaml_above = (_of_yaml(path, source) for path in above if path.suffix.lower() in (".yaml", ".yml"))
    listed_above = (_of_list(path) for path in above)
    for candidates in (within, listed, yaml_above, listed_above):
        found = next(filter(None, candidates), None)
        if found:
            return found
    return {}, None, 0


def read_lines(path):
    """The lines of a text file that are not blank; none if it is no text in UTF-8."""
    try:
        return [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        return []


def _of_yaml(path, source=None):
    """What a YAML file says, None if it is none of YOLO's, or leads elsewhere than to the data of `source`."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return None
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not all(str(number).isdigit() for number in names):
        return None
    if source and not any(_leads_to(folder, path, content) for folder in (source.data, source.where)):
        return None
    return {int(number): str(name).strip() for number, name in names.items()}, path, _keypoints(content)


def _of_list(path):
    """The lines of a file of names, None if it is none."""
    if path.name.lower() not in NAME_FILES:
        return None
    try:
        lines = read_lines(path)
    except OSError:
        lines = []
    return {number: line.strip() for number, line in enumerate(lines)}, path, 0


def _leads_to(folder, path, content):
    """Whether the photos that a YAML file names lie in a folder.

    Their paths count from the file, from its `path`, or, as in Roboflow's `../train/images`, from one folder deeper.
    """
    folder, root = folder.resolve(), path.resolve().parent
    base = content["path"] if isinstance(content.get("path"), str) else ""
    for part in PARTS:
        entries = content.get(part) if isinstance(content.get(part), list) else [content.get(part)]
        for entry in (entry for entry in entries if isinstance(entry, str)):
            for start in (root / base, root, root / "deeper"):
                photos = Path(os.path.normpath(start / entry))
                if photos == folder or folder in photos.parents:
                    return True
    return False


def _keypoints(content):
    shape = content.get("kpt_shape")
    known = isinstance(shape, list) and len(shape) == 2 and all(isinstance(side, int) and side > 0 for side in shape)
    return shape[0] * shape[1] if known else 0
