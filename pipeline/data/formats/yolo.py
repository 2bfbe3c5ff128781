"""YOLO text files as Ultralytics, Roboflow and Darknet write them: boxes, or polygons of instances."""

import itertools
from pathlib import Path

import numpy as np

from pipeline.data.formats import Annotation
from pipeline.data.formats.shapes import bounds, polygon_mask

NAME_FILES = ("classes.txt", "obj.names", "labels.txt")
NO_LABELS = (*NAME_FILES, "train.txt", "val.txt", "valid.txt", "test.txt", "requirements.txt")


class YoloReader:
    """Photos with a text file of the same stem: `images/train/a.jpg` and `labels/train/a.txt`, or
    `train/images/a.jpg` and `train/labels/a.txt`, or both beside each other.

    A line is `class x y width height` or `class x1 y1 x2 y2 x3 y3 ...`, as shares of the photo's width and height.
    """

    looks_for = "data.yaml, or text files with lines of numbers beside photos or in labels/"

    @staticmethod
    def recognises(source):
        first = (lines[0] for path in _labels(source) if (lines := _lines(path)))  # negatives have empty files
        return any(_parse(line) is not None for line in itertools.islice(first, 20))

    def __init__(self, source, options):
        labels = _labels(source)
        self.files, self.notes, self.credits, self.parts = {}, [], {}, {}
        for path in labels:
            photo = source.find(_beside(path), path) or source.find(path.stem, path)
            self.files.setdefault(photo or path.with_suffix(".jpg"), path)
        if not labels:
            raise ValueError(f"{source.where} holds no labels of YOLO: {self.looks_for}")
        bare = [image for image in source.images if image not in self.files and _is_labelled(image, labels)]
        if bare:
            self.notes.append(f"{len(bare)} photos have no text file: as YOLO has it, there is no object in them")
        self.images = [*self.files, *bare]
        names, names_file = _read_names(source)
        numbers = {_parse(line)[0] for path in labels for line in _lines(path) if _parse(line)}
        if names_file is None:
            self.notes.append("neither data.yaml nor classes.txt names the classes: they are called by their numbers")
        self.names = names | {number: f"class {number}" for number in numbers if number not in names}
        self.class_names = [self.names[number] for number in sorted(self.names)]
        self.inputs = [*self.images, *labels, *([names_file] if names_file else [])]
        self.saw = f"YOLO labels of {len(self.files)} photos"

    def read(self, image, size):
        """Reads the lines of an image; none makes it a negative."""
        annotation, scale = Annotation(), np.array([size[1], size[0]], float)
        for line in _lines(self.files[image]) if image in self.files else []:
            parsed = _parse(line)
            if parsed is None:
                name = self.names.get(_class_number(line), self.class_names[0])
                annotation.add_unreadable(name, "a line is neither box nor polygon")
                continue
            number, values = parsed
            if len(values) == 4:
                centre, half = values[:2] * scale, values[2:] * scale / 2
                (left, top), (right, bottom) = centre - half, centre + half
                annotation.add_box(self.names[number], (top, left, bottom, right))
            else:
                points = values.reshape(-1, 2) * scale
                draw = lambda points=points: polygon_mask([points], size)  # noqa: E731
                annotation.add(self.names[number], draw, bounds(points))
        return annotation


def _labels(source):
    """Text files that may hold labels."""
    return [
        path
        for path in source.files(".txt")
        if path.name.lower() not in NO_LABELS and "readme" not in path.name.lower()
    ]


def _lines(path):
    try:
        return [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        return []


def _class_number(line):
    first = line.split()[0]
    return int(first) if first.isdigit() else None


def _parse(line):
    """The class number and its float64 values, of boxes 4 and of polygons 6 or more; None if it is no such line."""
    try:
        values = np.array(line.split(), np.float64)
    except ValueError:
        return None
    is_shape = len(values) == 5 or (len(values) >= 7 and len(values) % 2 == 1)
    if not is_shape or not np.isfinite(values).all() or values[0] < 0 or values[0] != int(values[0]):
        return None
    return int(values[0]), values[1:]


def _beside(path):
    """The path of a label's photo without its ending: the folder `labels` is `images` there."""
    parts = ["images" if part.lower() == "labels" else part for part in path.with_suffix("").parts]
    return str(Path(*parts[-3:]))


def _is_labelled(image, labels):
    """Whether a photo lies where photos with labels lie: in `images`, or beside a text file."""
    folders = {path.parent for path in labels}
    return any(part.lower() == "images" for part in image.parts) or image.parent in folders


def _read_names(source):
    """Class names by number, and the file that has them."""
    import yaml

    for path in [*source.files(".yaml", ".yml"), *_files_above(source.where, (".yaml", ".yml"))]:
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
        except (yaml.YAMLError, UnicodeDecodeError):
            continue
        names = content.get("names") if isinstance(content, dict) else None
        if isinstance(names, list):
            names = dict(enumerate(names))
        if isinstance(names, dict) and all(str(number).isdigit() for number in names):
            return {int(number): str(name).strip() for number, name in names.items()}, path
    for path in [*source.files(".txt", ".names"), *_files_above(source.where, (".txt", ".names"))]:
        if path.name.lower() in NAME_FILES:
            return {number: line.strip() for number, line in enumerate(_lines(path))}, path
    return {}, None


def _files_above(folder, suffixes):
    """`data.yaml` lies over train/ and valid/, which may be prepared one by one."""
    return sorted(path for path in folder.resolve().parent.glob("*") if path.suffix.lower() in suffixes)
