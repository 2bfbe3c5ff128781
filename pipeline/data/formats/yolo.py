"""YOLO text files as Ultralytics, Roboflow and Darknet write them: boxes, or polygons of instances."""

import itertools
from pathlib import Path

import numpy as np

from pipeline.data.formats import Annotation
from pipeline.data.formats.claims import one_file_each
from pipeline.data.formats.shapes import bounds, polygon_mask
from pipeline.data.formats.yolo_names import NAME_FILES, read_lines, read_names

NO_LABELS = (*NAME_FILES, "train.txt", "val.txt", "valid.txt", "test.txt", "requirements.txt")


class YoloReader:
    """Photos with a text file of the same stem: `images/train/a.jpg` and `labels/train/a.txt`, or
    `train/images/a.jpg` and `train/labels/a.txt`, or both beside each other.

    A line is `class x y width height` or `class x1 y1 x2 y2 x3 y3 ...`, as shares of the photo's width and height. In
    labels of poses keypoints follow the box; they are left out.
    """

    looks_for = "data.yaml, or text files with lines of numbers beside photos or in labels/"

    @staticmethod
    def recognises(source):
        first = (lines[0] for path in _labels(source) if (lines := read_lines(path)))  # negatives have empty files
        return any(parse(line) or _has_pose(line) for line in itertools.islice(first, 20))

    def __init__(self, source, options):
        labels = _labels(source)
        self.credits, self.parts = {}, {}
        self.files, self.notes = one_file_each(source, {path: (_beside(path), path.stem) for path in labels})
        if not labels:
            raise ValueError(f"{source.where} holds no labels of YOLO: {self.looks_for}")
        bare = [image for image in source.images if image not in self.files and _is_labelled(image, labels)]
        if bare:
            self.notes.append(f"{len(bare)} photos have no text file: as YOLO has it, there is no object in them")
        self.images = [*self.files, *bare]
        names, names_file, keypoints = read_names(source)
        lines = [line for path in labels for line in read_lines(path)]
        self.keypoints = keypoints or _keypoints(lines)
        if self.keypoints:
            self.notes.append("the labels are poses: their boxes count, keypoints are left out")
        numbers = {parsed[0] for line in lines if (parsed := parse(line, self.keypoints))}
        if names_file is None:
            self.notes.append(
                "neither classes.txt nor a data.yaml whose train and val lead here names the classes: they are called "
                "by their numbers"
            )
        self.names = names | {number: f"class {number}" for number in numbers if number not in names}
        self.class_names = [self.names[number] for number in sorted(self.names)]
        self.inputs = [*self.images, *labels, *([names_file] if names_file else [])]
        self.saw = f"YOLO labels of {len(self.files)} photos"

    def read(self, image, size):
        """Reads the lines of an image; none makes it a negative."""
        annotation, scale = Annotation(), np.array([size[1], size[0]], float)
        for line in read_lines(self.files[image]) if image in self.files else []:
            parsed = parse(line, self.keypoints)
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


def _class_number(line):
    first = line.split()[0]
    return int(first) if first.isdigit() else None


def parse(line, keypoints=0):
    """A line of labels.

    Args:
        line: str.
        keypoints: int. How many numbers follow the box in labels of poses, which have no polygons. Defaults to none.

    Returns:
        The class number and its float64 values, of boxes 4 and of polygons 6 or more; None if it is no such line.
    """
    try:
        values = np.array(line.split(), np.float64)
    except ValueError:
        return None
    is_polygon = not keypoints and len(values) >= 7 and len(values) % 2 == 1
    is_shape = len(values) in (5, 5 + keypoints) or is_polygon
    if not is_shape or not np.isfinite(values).all() or values[0] < 0 or values[0] != int(values[0]):
        return None
    return int(values[0]), values[1:5] if keypoints else values[1:]


def _keypoints(lines):
    """How many numbers of keypoints follow the box, as x, y and 0, 1 or 2 for visible; 0 if the labels are no poses.

    All lines must be so, and one must be what no polygon is: odd in number, or with a 2, which is outside of the photo.
    """
    longer = [line for line in lines if len(line.split()) > 5]
    if len({len(line.split()) for line in longer}) != 1 or not all(map(_has_pose, longer)):
        return 0
    count = len(longer[0].split())
    certain = count % 2 == 0 or any(2 in map(float, line.split()[7::3]) for line in longer)
    return count - 5 if certain else 0


def _has_pose(line):
    """Whether a line may be a box with keypoints of three numbers, or a box alone."""
    count = len(line.split())
    return count % 3 == 2 and parse(line, count - 5) is not None and {*map(float, line.split()[7::3])} <= {0, 1, 2}


def _beside(path):
    """The path of a label's photo without its ending: the folder `labels` is `images` there."""
    parts = ["images" if part.lower() == "labels" else part for part in path.with_suffix("").parts]
    return str(Path(*parts[-3:]))


def _is_labelled(image, labels):
    """Whether a photo lies where photos with labels lie: in `images`, or beside a text file."""
    folders = {path.parent for path in labels}
    return any(part.lower() == "images" for part in image.parts) or image.parent in folders
