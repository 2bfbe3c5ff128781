"""Pairs of PNG masks as Pascal VOC has them: which object each pixel is of, and which class.

Also as CVAT ("Segmentation mask", colours told by `labelmap.txt`) and labelme2voc (`class_names.txt`) export them.
"""

from collections import Counter

import numpy as np

from pipeline.data.formats import Annotation, Region
from pipeline.data.formats.label_masks import connected_pieces
from pipeline.data.formats.mask_values import VOID, read_labels

VOID_COLOUR = 0xE0E0C0  # the band around objects that is of no class
VOC_CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog"),
    *("horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)


class VocMaskReader:
    """Photos with a PNG of the same stem in `SegmentationObject` and in `SegmentationClass`."""

    looks_for = "SegmentationObject and SegmentationClass with PNG masks"

    @staticmethod
    def recognises(source):
        return bool(_masks(source, "segmentationobject") and _masks(source, "segmentationclass"))

    def __init__(self, source, options):
        objects, classes = _masks(source, "segmentationobject"), _masks(source, "segmentationclass")
        pairs = sorted(objects.keys() & classes.keys())
        if not pairs:
            raise ValueError(f"{source.where} holds no pairs of masks: {self.looks_for}")
        masks = {*objects.values(), *classes.values()}
        photos = {}
        for path in source.images:
            if path not in masks and not _is_mask(path):
                photos.setdefault(path.stem.lower(), []).append(path)
        self.pairs = {}
        for part, stem in pairs:
            fitting = [path for path in photos.get(stem, []) if source.may_mean(part or None, path)]
            if len(fitting) > 1:
                raise ValueError(
                    f"{fitting[0]} and {fitting[1]} have the same name, and masks do not tell which they mean"
                )
            mask = objects[part, stem]
            photo = fitting[0] if fitting else source.expected(f"{stem}.jpg", mask)
            self.pairs[photo] = mask, classes[part, stem]
        self.names, names_file = _read_names(source)
        self.by_colour = names_file is not None and names_file.name == "labelmap.txt"
        self.images = list(self.pairs)
        self.inputs = [*self.images, *masks, *(path for path in source.images if _is_mask(path))]
        self.class_names = list(dict.fromkeys(self.names.values()))
        self.notes, self.credits, self.parts = [], {}, {}
        if names_file is None:
            self.notes.append("neither labelmap.txt nor class_names.txt: classes are named as in Pascal VOC")
        self.saw = f"{len(pairs)} pairs of VOC masks"

    def read(self, image, size):
        """Reads the objects of an image; empty masks make a negative."""
        objects, classes = (read_labels(path, colours=self.by_colour) for path in self.pairs[image])
        if objects.shape != classes.shape:
            raise ValueError("masks of objects and of classes have different sizes")
        annotation = Annotation(size=objects.shape)
        void = np.isin(objects, (VOID, VOID_COLOUR))
        for value in np.unique(objects[(objects > 0) & ~void]):
            mask = objects == value
            inside = Counter(classes[mask].tolist())
            known = [(count, number) for number, count in inside.items() if number in self.names]
            if known:
                annotation.regions.append(Region(self.names[max(known)[1]], mask=mask))
            else:
                annotation.problems.append(f"an object of no known class: value {max(inside, key=inside.get)}")
                annotation.regions.append(Region("", mask=mask, ignore=True))
        for piece in connected_pieces(void):  # a band touches its object; what does not is too hard to be told
            top, left = np.maximum(np.argwhere(piece).min(axis=0) - 1, 0)
            bottom, right = np.argwhere(piece).max(axis=0) + 2
            if not ((objects > 0) & ~void)[top:bottom, left:right].any():
                annotation.regions.append(Region("", mask=piece, ignore=True))
        return annotation


def _is_mask(path):
    return any(part.lower().startswith("segmentation") for part in path.parts)


def _masks(source, folder):
    """PNG masks by part of the data ("" if in none) and lower-case stem, of the folder of this name or one like it."""
    found = {}
    for path in source.files(".png"):
        parent = path.parent.name.lower()
        if parent.startswith(folder) and "visual" not in parent:
            found[source.part_of_file(path) or "", path.stem.lower()] = path
    return found


def _read_names(source):
    """Class names by value or, of `labelmap.txt`, by colour; and the file that has them."""
    for path in source.files(".txt"):
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines()]
        if path.name.lower() == "labelmap.txt":  # name:red,green,blue:parts:actions
            rows = [line.split(":") for line in lines if line and not line.startswith("#")]
            colours = {row[0]: [int(value) for value in row[1].split(",")] for row in rows if len(row) > 1}
            names = {(r << 16) | (g << 8) | b: name for name, (r, g, b) in colours.items()}
            return {colour: name for colour, name in names.items() if colour}, path
        if path.name.lower() == "class_names.txt":  # from -1, `__ignore__`, and 0, `_background_`
            names = [line for line in lines if line and line.strip("_") not in ("ignore", "background")]
            return dict(enumerate(names, start=1)), path
    return dict(enumerate(VOC_CLASSES, start=1)), None
