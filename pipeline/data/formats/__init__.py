"""The annotation formats that `python -m pipeline prepare` reads, one a file, behind one small interface.

A reader has `class_names` (list of str), `images` (list of Path), `inputs` (every file it reads), `credits`
(author, licence and source by image) and `read(image, size) -> Annotation`.
"""

import math
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
FORMATS = ("open_images", "voc", "coco", "label_masks")


@dataclass
class Region:
    """One annotated thing, before it is brought to image size.

    Attributes:
        class_name: str.
        mask: bool array (h, w) of any size with the image's aspect ratio, or None if only the box is known.
        box: y1, x1, y2, x2 in pixels of the annotated size, y2/x2 exclusive; None if there is a mask.
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


def open_reader(name, data, annotations=None, class_names=None, values="instances"):
    """Opens a data set for reading.

    Args:
        name: str. One of FORMATS, or `"auto"` to tell the format by what lies there.
        data: Path. Folder of images.
        annotations: Path or None. Folder of XML or PNG files, or a COCO JSON file. Defaults to `data`.
        class_names: list of str. Label masks do not name their classes; the other formats do.
        values: str. What the values of label masks stand for: `"instances"` or `"classes"`.

    Raises:
        ValueError: the folder is missing or its format cannot be told.
    """
    from pipeline.data.formats.coco import CocoReader
    from pipeline.data.formats.label_masks import LabelMaskReader
    from pipeline.data.formats.open_images import OpenImagesReader
    from pipeline.data.formats.voc import VocReader

    data = Path(data)
    if not data.is_dir():
        raise ValueError(f"{data} is not a folder; --data takes the folder that holds the images")
    if annotations is not None and not Path(annotations).exists():
        raise ValueError(f"{annotations} does not exist; --annotations takes a folder or a COCO JSON file")
    if name == "auto":
        name = _tell_format(data, annotations)
    if name == "open_images":
        return OpenImagesReader(data)
    if name == "voc":
        return VocReader(data, annotations or data)
    if name == "coco":
        return CocoReader(data, annotations)
    return LabelMaskReader(data, annotations, class_names, values)


def _tell_format(data, annotations):
    if annotations is None and (data / "classes.csv").exists() and (data / "images").is_dir():
        return "open_images"
    where = Path(annotations or data)
    if where.is_file():
        return "coco"
    if next(where.rglob("*.xml"), None):
        return "voc"
    if annotations is not None and next(where.rglob("*.png"), None):
        return "label_masks"
    raise ValueError(
        f"no annotations were found in {where}; accepted are a folder that `download` made, "
        "Pascal VOC XML files, a COCO JSON file or PNG label masks (the latter two with --annotations PATH)"
    )


def default_annotations(folder):
    """The COCO JSON file that belongs to a folder of images: `NAME.json` beside `NAME/`."""
    folder = Path(folder)
    if folder.name in ("", ".."):  # such as "."
        folder = Path(os.path.abspath(folder))
    return folder.with_name(f"{folder.name}.json")


def find_images(folder, without=None):
    """Images below a folder, sorted, by file name without suffix.

    Args:
        folder: Path.
        without: Path or None. A folder below it to leave out (the one with label masks).

    Returns:
        Dictionary from stem to Path.

    Raises:
        ValueError: there are none, or two have the same stem, so that annotations would be ambiguous.
    """
    images = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix.lower() not in IMAGE_SUFFIXES or (without and Path(without) in path.parents):
            continue
        if path.stem in images:
            raise ValueError(f"{images[path.stem]} and {path} have the same name; annotations cannot be told apart")
        images[path.stem] = path
    if not images:
        raise ValueError(f"{folder} holds no images; accepted are {', '.join(IMAGE_SUFFIXES)}")
    return images


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
