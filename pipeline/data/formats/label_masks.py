"""PNG label masks, whose pixel values say what is where: one a photo, or one an object."""

import re
from pathlib import Path

import numpy as np

from mrcnn.images import ENDINGS
from pipeline.data.formats import Annotation, Region
from pipeline.data.formats.mask_values import VOID, is_band, tell

MASK_SUFFIXES = (".png", ".bmp", ".tif", ".tiff")
MASK_WORD = r"(masks?|labels?|seg|segmentations?|annotations?|gt|ground_?truth|instances?(ids)?)"
MASK_FOLDER = re.compile(rf"(.*[-_ .])?(\w*masks?|{MASK_WORD})([-_ .].*)?", re.IGNORECASE)
MASK_STEM = re.compile(rf"(.+?)[-_. ]+{MASK_WORD}([-_. ]*\d+)?", re.IGNORECASE)
NUMBERED = re.compile(r"(.+?)[-_. ]+\d+([-_. ]+\w*mask)?", re.IGNORECASE)


class LabelMaskReader:
    """Photos and masks, paired by name: `masks/a.png`, `a_mask.png`, `masks/a_1.png` or `masks/a/1.png` of `a.jpg`.

    0 is background. With `values="instances"` every other value (or colour) is one instance of the only
    class; with `values="classes"` value c is the c-th class, and each connected piece of it an instance. What 255 is
    follows from all masks, see `mask_values`. Where all masks of one a photo are black and white, each connected piece
    is an instance; of one an object, each file. A mask of zeros makes a negative.
    """

    looks_for = "PNG masks in masks/ or named NAME_mask.png"

    @staticmethod
    def recognises(source):
        photos, masks = _divide(source)
        if source.annotations is not None:
            return bool(masks)
        stems = {path.stem.lower() for path in photos}
        return any(_photo_stem(mask, stems) for mask in masks[:50])

    def __init__(self, source, options):
        named = options.class_names
        if options.values == "instances" and len(named or []) > 1:
            raise ValueError(
                f"values that number instances cannot tell {len(named)} classes apart; "
                "give one --class, or --values classes"
            )
        photos, masks = _divide(source)
        self.masks, stray, photos_of = {}, [], {}
        for mask in masks:
            part = source.part_of_file(mask)
            if part not in photos_of:
                photos_of[part] = _by_stem(path for path in photos if source.may_mean(part, path))
            stem = _photo_stem(mask, photos_of[part])
            self.masks.setdefault(photos_of[part][stem], []).append(mask) if stem else stray.append(mask.name)
        if not self.masks:
            raise ValueError(f"{source.where} holds no masks of the photos in {source.data}: {self.looks_for}")
        self.class_names, self.values = list(named or ["object"]), options.values
        self.images, self.inputs = sorted(self.masks), [*photos, *masks]
        self.credits, self.parts, self.notes = {}, {}, []
        if not named:
            self.notes.append("masks do not name their class: it is called 'object'; --class NAME names it")
        if stray:
            self.notes.append(f"{len(stray)} masks belong to no photo, the first is {stray[0]}")
        each = max(len(files) for files in self.masks.values()) > 1
        self.meaning = tell([path for files in self.masks.values() for path in files])
        self.notes += self.meaning.notes()
        self.split = not each and self.values == "instances" and self.meaning.black_and_white
        if self.split:
            self.notes.append(
                "the masks are black and white: each connected part is taken for one object, so objects that touch "
                "count as one, and one that is cut in two counts twice"
            )
        self.saw = f"{len(masks)} {'masks of one object each' if each else 'label masks'} of {len(self.masks)} photos"

    def read(self, image, size):
        """Reads the masks of an image."""
        annotation = Annotation()
        for path in self.masks[image]:
            try:
                labels = self.meaning.read(path)
            except ValueError:
                if len(self.masks[image]) == 1:
                    raise
                annotation.add_unreadable(self.class_names[0], "label mask is damaged")
                continue
            if annotation.size is not None and annotation.size != labels.shape:
                raise ValueError("masks of one photo have different sizes")
            annotation.size = labels.shape
            self._add(annotation, labels)
        return annotation

    def _add(self, annotation, labels):
        values = [int(value) for value in np.unique(labels) if value]
        for value in values:
            mask = labels == value
            if value == VOID and len(values) > 1 and not self.meaning.white_is_object:
                annotation.regions.append(Region("", mask=mask, ignore=True))
                if not self.meaning.palette and not is_band(labels):
                    annotation.problems.append("255 in a label mask is taken for void")
            elif self.values == "instances":
                pieces = connected_pieces(mask) if self.split else [mask]
                annotation.regions += [Region(self.class_names[0], mask=piece) for piece in pieces]
            elif value <= len(self.class_names) or (value == VOID and len(self.class_names) == 1):
                name = self.class_names[value - 1 if value <= len(self.class_names) else 0]
                annotation.regions += [Region(name, mask=piece) for piece in connected_pieces(mask)]
            else:
                annotation.problems.append(f"value {value} in a label mask stands for no class")
                annotation.regions.append(Region("", mask=mask, ignore=True))


def connected_pieces(mask):
    """The 8-connected pieces of a mask, a list of bool (H, W)."""
    from skimage.measure import label

    pieces = label(mask, connectivity=2)
    return [pieces == number for number in range(1, pieces.max() + 1)]


def _divide(source):
    """Photos and masks, two lists: masks lie where the annotations are said to be, or are named so."""
    if source.annotations is not None:
        masks = source.files(*MASK_SUFFIXES)
        return [path for path in source.images if path not in set(masks)], masks
    masks = {path for path in source.images if path.suffix.lower() in MASK_SUFFIXES and _named_mask(path, source)}
    return [path for path in source.images if path not in masks], sorted(masks)


def _named_mask(path, source):
    folders = path.relative_to(source.data).parts[:-1]
    return any(MASK_FOLDER.fullmatch(part) for part in folders) or bool(MASK_STEM.fullmatch(path.stem))


def _by_stem(photos):
    """Photos by lower-case stem."""
    by_stem = {}
    for path in photos:
        other = by_stem.setdefault(path.stem.lower(), path)
        if other is not path:
            raise ValueError(f"{other} and {path} have the same name, and masks do not tell which they mean")
    return by_stem


def _photo_stem(mask, stems):
    """The stem among `stems`, lower-case, of the photo that a mask belongs to; None if there is none."""
    candidates = [mask.stem, *(found[1] for rule in (MASK_STEM, NUMBERED) if (found := rule.fullmatch(mask.stem)))]
    if Path(mask.stem).suffix.lower() in ENDINGS:  # a.jpg.png
        candidates.append(Path(mask.stem).stem)
    folders = [mask.parent.name, mask.parent.parent.name]  # masks/a/1.png, a/masks/1.png
    return next((stem.lower() for stem in [*candidates, *folders] if stem.lower() in stems), None)
