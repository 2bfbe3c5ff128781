"""Pascal VOC XML boxes, one file an image, as LabelImg, `openimages` and many other tools write them."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from pipeline.data.formats import Annotation, Region, find_images


class VocReader:
    """Images and XML files below two folders (or one), paired by file name.

    Args:
        data: Path. Folder of images, searched to any depth.
        annotations: Path. Folder of XML files, searched to any depth.
    """

    def __init__(self, data, annotations):
        by_stem = find_images(data)
        self.images = list(by_stem.values())
        self.files = {path.stem: path for path in sorted(Path(annotations).rglob("*.xml"))}
        self.inputs = self.images + list(self.files.values())
        self.credits = {}
        names = set()
        for path in self.files.values():
            try:
                names.update(region.class_name for region in read_voc(path).regions)
            except ValueError:
                continue  # said when its image is read
        self.class_names = sorted(names)

    def read(self, image, size):
        """Reads the boxes of an image. A file without objects makes a negative; no file is a ValueError."""
        if image.stem not in self.files:
            raise ValueError("no annotation file")
        return read_voc(self.files[image.stem])


def read_voc(path):
    """Reads one XML file.

    Corners count as inclusive, from 0 (as `openimages` writes them). `difficult` objects are ignore regions.

    Returns:
        Annotation.

    Raises:
        ValueError: the file is not VOC XML.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, UnicodeDecodeError) as error:
        raise ValueError("annotation file is not readable XML") from error
    if root.tag != "annotation":
        raise ValueError("annotation file is not Pascal VOC")
    annotation = Annotation()
    width, height = root.findtext("size/width", "0"), root.findtext("size/height", "0")
    if width.strip().isdigit() and height.strip().isdigit() and int(width) and int(height):
        annotation.size = (int(height), int(width))
    for item in root.findall("object"):
        name = (item.findtext("name") or "").strip()
        try:
            x1, y1, x2, y2 = (float(item.findtext(f"bndbox/{edge}")) for edge in ("xmin", "ymin", "xmax", "ymax"))
        except (TypeError, ValueError):
            annotation.problems.append("box without four numbers")
            continue
        if not name or x2 < x1 or y2 < y1:
            annotation.problems.append("box without a name" if not name else "box turned inside out")
            continue
        ignore = item.findtext("difficult", "0").strip() == "1"
        annotation.regions.append(Region(name, box=(y1, x1, y2 + 1, x2 + 1), ignore=ignore))
    return annotation
