"""A split folder as `python -m pipeline download` leaves it: instance masks, and boxes without masks."""

import numpy as np

from mrcnn.results.boxes import box_iou
from pipeline.data.formats import Annotation, Region, fit_mask
from pipeline.data.formats.voc import read_voc
from pipeline.data.open_images.tables import CLASS_COLUMNS, MASK_COLUMNS, read_rows

SAME_OBJECT_IOU = 0.5  # masks and boxes come from two tables without a common key


class OpenImagesReader:
    """Masks and boxes of one downloaded split, such as `data/cat/train`."""

    looks_for = "classes.csv beside images/, as `download` leaves it"

    @staticmethod
    def recognises(source):
        folder = source.data
        return source.annotations is None and (folder / "classes.csv").exists() and (folder / "images").is_dir()

    def __init__(self, source, options):
        self.folder = folder = source.data
        self.images = sorted((folder / "images").glob("*.jpg"))
        names = {row["LabelName"]: row["DisplayName"] for row in _rows(folder / "classes.csv", CLASS_COLUMNS)}
        self.class_names = list(names.values())
        self.masks = {}
        for row in _rows(folder / "masks.csv", MASK_COLUMNS):
            self.masks.setdefault(row["ImageID"], []).append(row | {"class": names[row["LabelName"]]})
        credit_columns = ("ImageID", "Author", "License", "OriginalLandingURL")
        self.credits = {row["ImageID"]: row for row in _rows(folder / "attribution.csv", credit_columns)}
        self.inputs = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        if not self.images:
            raise ValueError(f"{folder / 'images'} holds no images; run `python -m pipeline download` first")
        self.saw = f"a download from Open Images with {len(self.images)} photos"
        self.notes, self.parts = [], {}

    def read(self, image, size):
        """Reads the masks of an image, then the boxes that no mask belongs to.

        An object whose mask is missing or damaged becomes an ignore region: something is there, its outline
        is unknown.
        """
        annotation = Annotation()
        height, width = size
        mask_boxes = []
        for row in self.masks.get(image.stem, []):
            edges = [float(row[f"Box{edge}"]) for edge in ("YMin", "XMin", "YMax", "XMax")]
            box = tuple(edge * scale for edge, scale in zip(edges, (height, width, height, width), strict=True))
            mask_boxes.append((row["class"], box))
            try:
                mask = fit_mask(_read_mask(self.folder / "masks" / row["MaskPath"]), size)
                annotation.regions.append(Region(row["class"], mask=mask))
            except ValueError as error:
                annotation.problems.append(str(error))
                annotation.regions.append(Region(row["class"], box=box, ignore=True))
        xml = self.folder / "boxes" / f"{image.stem}.xml"
        if xml.exists():
            boxes = read_voc(xml)
            annotation.size = boxes.size
            annotation.problems += boxes.problems
            for region in boxes.regions:
                alike = [box for name, box in mask_boxes if name == region.class_name]
                if not alike or box_iou([region.box], alike).max() < SAME_OBJECT_IOU:
                    annotation.regions.append(region)
        if not annotation.regions:
            raise ValueError("neither masks nor boxes")
        return annotation


def _rows(path, columns):
    return list(read_rows(path, columns, columns[0], None)) if path.exists() else []


def _read_mask(path):
    """Reads a mask; white is the object. Raises ValueError with a few words if that is not possible."""
    from mrcnn.images import open_image

    try:
        with open_image(path) as image:
            return np.asarray(image.convert("L")) > 0
    except FileNotFoundError as error:
        raise ValueError("mask file is missing") from error
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's ways to say that a file is damaged
        raise ValueError("mask file is damaged") from error
