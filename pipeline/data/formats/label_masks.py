"""PNG label masks, whose pixel values say what is where: one a photo, or one an object."""

import re
from pathlib import Path

import numpy as np

from mrcnn.images import ENDINGS
from pipeline.data.formats import Annotation, Region

VOID = 255  # the edge band of Pascal VOC masks: neither object nor background
MASK_SUFFIXES = (".png", ".bmp", ".tif", ".tiff")
MASK_WORD = r"(masks?|labels?|seg|segmentations?|annotations?|gt|ground_?truth|instances?(ids)?)"
MASK_FOLDER = re.compile(rf"(.*[-_ .])?(\w*masks?|{MASK_WORD})([-_ .].*)?", re.IGNORECASE)
MASK_STEM = re.compile(rf"(.+?)[-_. ]+{MASK_WORD}([-_. ]*\d+)?", re.IGNORECASE)
NUMBERED = re.compile(r"(.+?)[-_. ]+\d+([-_. ]+\w*mask)?", re.IGNORECASE)
LOOKED_AT = 64  # masks, to tell what their values mean


class LabelMaskReader:
    """Photos and masks, paired by name: `masks/a.png`, `a_mask.png`, `masks/a_1.png` or `masks/a/1.png` of `a.jpg`.

    0 is background. With `values="instances"` every other value (or colour) is one instance of the only
    class; with `values="classes"` value c is the c-th class, and each connected piece of it an instance. 255
    is void, unless it is the only value. Where all masks of one a photo are black and white, each connected piece is an
    instance; of one an object, each file. A mask of zeros makes a negative.
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
        by_stem = {}
        for path in photos:
            if path.stem.lower() in by_stem:
                other = by_stem[path.stem.lower()]
                raise ValueError(f"{other} and {path} have the same name, and masks do not tell which they mean")
            by_stem[path.stem.lower()] = path
        self.masks, stray = {}, []
        for mask in masks:
            stem = _photo_stem(mask, by_stem)
            self.masks.setdefault(by_stem[stem], []).append(mask) if stem else stray.append(mask.name)
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
        self.split = not each and self.values == "instances" and _black_and_white([*self.masks.values()])
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
                labels = read_labels(path)
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
            if value == VOID and len(values) > 1:
                annotation.regions.append(Region("", mask=mask, ignore=True))
            elif self.values == "instances":
                pieces = connected_pieces(mask) if self.split else [mask]
                annotation.regions += [Region(self.class_names[0], mask=piece) for piece in pieces]
            elif value <= len(self.class_names) or (value == VOID and len(self.class_names) == 1):
                name = self.class_names[value - 1 if value <= len(self.class_names) else 0]
                annotation.regions += [Region(name, mask=piece) for piece in connected_pieces(mask)]
            else:
                annotation.problems.append(f"value {value} in a label mask stands for no class")
                annotation.regions.append(Region("", mask=mask, ignore=True))


def read_labels(path, colours=False):
    """Reads palette, grey, 16-bit, black and white, and colour masks as int32 (H, W).

    Args:
        path: Path.
        colours: bool. Red, green and blue as one number for every kind of mask. Defaults to values as they are; those
            of colour masks are then above 255, so that no colour is taken for void.

    Raises:
        ValueError: in a few words, if it cannot be read.
    """
    from mrcnn.images import open_image

    try:
        with open_image(path) as image:
            if colours or image.mode in ("RGB", "RGBA"):
                red, green, blue = np.moveaxis(np.asarray(image.convert("RGB"), np.int32), 2, 0)
                numbers = (red << 16) | (green << 8) | blue
                if not colours and (red == green).all() and (green == blue).all():
                    return red  # grey, saved as colour
                return numbers if colours else np.where(numbers > 0, numbers + 256, 0)
            labels = np.asarray(image.convert("L") if image.mode == "LA" else image)
            return labels.astype(np.int32)
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError("label mask is damaged") from error


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


def _photo_stem(mask, stems):
    """The stem among `stems`, lower-case, of the photo that a mask belongs to; None if there is none."""
    candidates = [mask.stem, *(found[1] for rule in (MASK_STEM, NUMBERED) if (found := rule.fullmatch(mask.stem)))]
    if Path(mask.stem).suffix.lower() in ENDINGS:  # a.jpg.png
        candidates.append(Path(mask.stem).stem)
    folders = [mask.parent.name, mask.parent.parent.name]  # masks/a/1.png, a/masks/1.png
    return next((stem.lower() for stem in [*candidates, *folders] if stem.lower() in stems), None)


def _black_and_white(files_of_photos):
    """Whether masks have one value beside 0, the same in all; told from an even sample."""
    step = max(1, len(files_of_photos) // LOOKED_AT)
    values = set()
    for (path,) in files_of_photos[::step]:
        try:
            values |= set(np.unique(read_labels(path)).tolist()) - {0}
        except ValueError:
            continue  # said when its photo is read
    return len(values) == 1
