"""PNG label masks: one PNG an image, of the same name, whose pixel values say what is where."""

from pathlib import Path

import numpy as np

from pipeline.data.formats import Annotation, Region, find_images

VOID = 255  # the edge band of Pascal VOC masks: neither object nor background


class LabelMaskReader:
    """Images and PNG masks below two folders, paired by file name.

    0 is background. With `values="instances"` every other value (or colour) is one instance of the only
    class; with `values="classes"` value c is the c-th class, and each connected piece of it an instance. 255
    is void, unless it is the only value (a black and white mask): then white is the object. A mask of zeros
    makes a negative.

    Args:
        data: Path. Folder of images, searched to any depth.
        annotations: Path. Folder of PNG masks, searched to any depth.
        class_names: list of str.
        values: str. `"instances"` or `"classes"`.
    """

    def __init__(self, data, annotations, class_names, values):
        if annotations is None:
            raise ValueError("label masks need their folder: add --annotations FOLDER")
        if not class_names:
            raise ValueError("label masks do not name their classes: add --class NAME")
        if values == "instances" and len(class_names) > 1:
            raise ValueError(
                f"values that number instances cannot tell {len(class_names)} classes apart; "
                "give one --class, or --values classes"
            )
        self.class_names, self.values = list(class_names), values
        masks_folder = Path(annotations)
        self.images = list(find_images(data, without=masks_folder).values())
        self.masks = {path.stem: path for path in sorted(masks_folder.rglob("*.png"))}
        self.inputs = self.images + list(self.masks.values())
        self.credits = {}

    def read(self, image, size):
        """Reads the mask of an image; no mask is a ValueError."""
        if image.stem not in self.masks:
            raise ValueError("no label mask")
        labels = _read_labels(self.masks[image.stem])
        annotation = Annotation(size=labels.shape)
        values = [int(value) for value in np.unique(labels) if value]
        for value in values:
            mask = labels == value
            if value == VOID and len(values) > 1:
                annotation.regions += [Region(name, mask=mask, ignore=True) for name in self.class_names]
            elif self.values == "instances":
                annotation.regions.append(Region(self.class_names[0], mask=mask))
            elif value <= len(self.class_names):
                annotation.regions += [Region(self.class_names[value - 1], mask=piece) for piece in _pieces(mask)]
            elif value == VOID and len(self.class_names) == 1:
                annotation.regions += [Region(self.class_names[0], mask=piece) for piece in _pieces(mask)]
            else:
                annotation.problems.append(f"value {value} in a label mask stands for no class")
        return annotation


def _read_labels(path):
    """Reads palette, grey, 16-bit, black and white, and colour masks as int32 (H, W)."""
    from mrcnn.images import open_image

    try:
        with open_image(path) as image:
            if image.mode in ("RGB", "RGBA"):
                red, green, blue = np.moveaxis(np.asarray(image.convert("RGB"), np.int32), 2, 0)
                colours = (red << 16) | (green << 8) | blue
                # Values above 255, so that no colour is taken for void; black stays 0.
                return np.where(colours > 0, colours + 256, 0)
            labels = np.asarray(image.convert("L") if image.mode == "LA" else image)
            return labels.astype(np.int32)
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError("label mask is damaged") from error


def _pieces(mask):
    """The 8-connected pieces of a mask."""
    from skimage.measure import label

    pieces = label(mask, connectivity=2)
    return [pieces == number for number in range(1, pieces.max() + 1)]
