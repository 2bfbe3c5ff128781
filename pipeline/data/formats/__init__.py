"""The annotation formats that `python -m pipeline prepare` reads, one a file, in one form.

A format is a class with

    looks_for      str. The names that it recognises its files by, for the sentence that nothing fits.
    recognises     (source) -> bool. Whether the files of a `Source` are of this format; looks at one or two of them.
    __init__       (source, options). Finds photos and annotations; ValueError in one sentence if that is impossible.
    saw            str. What was found, such as "120 labelme files".
    class_names    list of str.
    images         list of Path. The photos that are annotated, or that the annotations name.
    inputs         list of Path. Every file it reads.
    notes          list of str. Whole sentences on how something was understood.
    credits        dict. Author, licence and source by the stem of an image, where the format has them.
    parts          dict from Path to str, where the annotations divide the photos, as into train and val.
    read           (image, size) -> Annotation. ValueError in a few words if the photo cannot be used.

Masks come at the size that the annotation was made at; `pipeline.data.prepare` brings them to that of the photo.
"""

import functools
import math
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

FORMATS = {
    "open_images": "open_images.OpenImagesReader",
    "coco": "coco.CocoReader",
    "via": "via.ViaReader",
    "labelme": "labelme.LabelmeReader",
    "cvat": "cvat.CvatReader",
    "voc_masks": "voc_masks.VocMaskReader",
    "voc": "voc.VocReader",
    "yolo": "yolo.YoloReader",
    "label_masks": "label_masks.LabelMaskReader",
}


@dataclass
class Region:
    """One annotated thing, before it is brought to image size.

    Attributes:
        class_name: str. Empty for an ignore region that may be of any class.
        mask: bool array (h, w) of any size with the image's aspect ratio, or None if only the box is known.
        box: y1, x1, y2, x2 in pixels of the annotated size, y2/x2 exclusive; beside a mask it is where the
            object is should the mask turn out empty. None if not even the place is known: then the whole image. A box
            outside of the image is no region of it.
        ignore: bool. True for groups and doubtful things: neither positive nor negative.
    """

    class_name: str
    mask: np.ndarray | None = None
    box: tuple | None = None
    ignore: bool = False


@dataclass
class Annotation:
    """What is known of one image.

    Attributes:
        regions: list of Region.
        problems: list of str. What could not be used, in a few words each; details may follow after a colon.
        size: (height, width) that the annotation was made at, or None if it does not say.
    """

    regions: list = field(default_factory=list)
    problems: list = field(default_factory=list)
    size: tuple | None = None

    def add(self, class_name, draw, box=None, ignore=False):
        """Adds a region; if its outline cannot be read it becomes an ignore region, for something is there.

        Args:
            class_name: str.
            draw: function without arguments that returns the mask, or raises ValueError with a few words.
            box: y1, x1, y2, x2, where the region is; None if that is known from the mask alone.
            ignore: bool. Ignored anyway.
        """
        try:
            self.regions.append(Region(class_name, draw(), box, ignore))
        except ValueError as error:
            self.add_unreadable(class_name, str(error), box)

    def add_box(self, class_name, box, ignore=False):
        """Adds a region of which only the box is known."""
        self.regions.append(Region(class_name, box=box, ignore=ignore))

    def add_unreadable(self, class_name, problem, box=None):
        """Adds an ignore region for an object that cannot be read, and says why."""
        self.problems.append(problem)
        self.regions.append(Region(class_name, box=box, ignore=True))


@dataclass
class Options:
    """What a user may say about the annotations.

    Attributes:
        class_names: list of str or None. Names the classes of formats that do not.
        values: str. What the values of label masks stand for: `"instances"` or `"classes"`.
        unpack: Path or None. Folder that photos within annotation files are written to.
    """

    class_names: list | None = None
    values: str = "instances"
    unpack: Path | None = None


def open_reader(name, data, annotations=None, options=None):
    """Opens a data set for reading.

    Args:
        name: str. One of FORMATS, or `"auto"` to tell the format by what lies there.
        data: Path. Folder of images.
        annotations: Path or None. Folder or file of the annotations. Defaults to `data`.
        options: `Options`.

    Returns:
        The reader. It has besides what its class has: `format`, its name; `unannotated`, a list of the photos that are
        not in the annotations; and `part_of`, a function from a photo to its part, such as train, or None.

    Raises:
        ValueError: the folder is missing or its format cannot be told.
    """
    from pipeline.data.formats.source import Source
    from pipeline.data.split import part_by_folder

    data = Path(data)
    if not data.is_dir():
        raise ValueError(f"{data} is not a folder; --data takes the folder that holds the images")
    if annotations is not None and not Path(annotations).exists():
        raise ValueError(f"{annotations} does not exist; --annotations takes a folder or a file of annotations")
    source = Source(data, annotations)
    if name == "auto":
        name = tell_format(source)
    make = _misshapen_is_said(format_class(name), f"the annotations in {source.where} are not as {name} has them")
    reader = make(source, options or Options())
    reader.read = _misshapen_is_said(reader.read, f"annotation is not as {name} has it")
    known = {*reader.images, *reader.inputs}
    reader.format = name
    reader.unannotated = [path for path in source.images if path not in known]
    reader.part_of = lambda path: reader.parts.get(path) or part_by_folder(path, data)
    return reader


# What Python says where a file holds a number for a list, nothing for a name, or infinity for a place.
MISSHAPEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError)


def _misshapen_is_said(read, sentence):
    """A function that reads annotations as `read` does, and has `ValueError` for whatever their form leads to."""

    @functools.wraps(read)
    def careful(*arguments):
        try:
            return read(*arguments)
        except MISSHAPEN as error:
            raise ValueError(f"{sentence} ({type(error).__name__}: {error})") from error

    return careful


def format_class(name):
    """The class of a format, imported when it is asked for."""
    import importlib

    module, _, class_name = FORMATS[name].partition(".")
    return getattr(importlib.import_module(f"pipeline.data.formats.{module}"), class_name)


def tell_format(source):
    """The first of FORMATS that recognises a source.

    Raises:
        ValueError: if none does, with what was seen and what was looked for.
    """
    for name in FORMATS:
        if format_class(name).recognises(source):
            return name
    looked_for = "; ".join(f"{name}: {format_class(name).looks_for}" for name in FORMATS)
    raise ValueError(
        f"no annotations were found in {source.where}: it holds {source.summary()}. Looked for were {looked_for}. "
        "--annotations says where they are, --format what they are"
    )


def default_annotations(folder):
    """The COCO JSON file that belongs to a folder of images: `NAME.json` beside `NAME/`."""
    folder = Path(folder)
    if folder.name in ("", ".."):  # such as "."
        folder = Path(os.path.abspath(folder))
    return folder.with_name(f"{folder.name}.json")


def fit_mask(mask, size):
    """Brings a mask to image size, by the nearest pixel.

    Args:
        mask: bool array (h, w).
        size: (height, width) of the image.

    Returns:
        bool array (height, width).

    Raises:
        ValueError: the mask has another aspect ratio than the image (by more than 5 %).
    """
    from PIL import Image

    if mask.shape == tuple(size):
        return mask
    stretch = (mask.shape[0] / size[0]) / (mask.shape[1] / size[1])
    if not 0.95 < stretch < 1.05:
        raise ValueError(f"mask of another shape: {mask.shape[1]}x{mask.shape[0]}, the image has {size[1]}x{size[0]}")
    resized = Image.fromarray(mask.astype(np.uint8)).resize((size[1], size[0]), Image.Resampling.NEAREST)
    return np.asarray(resized, bool)


def fill_box(box, size):
    """The bitmap of a filled box: every pixel that the box covers at least half.

    Args:
        box: y1, x1, y2, x2 in pixels, y2/x2 exclusive.
        size: (height, width) of the image; the box is clipped to it.

    Returns:
        bool array (height, width).

    Raises:
        ValueError: an edge is not a finite number.
    """
    if not all(map(math.isfinite, box)):
        raise ValueError("box without four numbers")
    y1, x1, y2, x2 = (max(0, int(edge + 0.5)) for edge in box)
    mask = np.zeros(size, bool)
    mask[y1:y2, x1:x2] = True
    return mask
