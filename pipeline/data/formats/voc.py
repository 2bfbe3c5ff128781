"""Pascal VOC XML boxes, one file an image, as LabelImg, `openimages` and many other tools write them."""

import xml.etree.ElementTree as ElementTree

from pipeline.data.formats import Annotation
from pipeline.data.formats.source import sorted_names


class VocReader:
    """Photos with an XML file of the same stem, or that an XML file names."""

    looks_for = "Pascal VOC XML with annotation elements"

    @staticmethod
    def recognises(source):
        # One broken file must not hide the others.
        return source.first_xml("annotation") is not None

    def __init__(self, source, options):
        self.files, self.notes, self.credits, self.parts, names = {}, [], {}, {}, set()
        for path in source.files(".xml"):
            photo = source.find(path.stem, path) or source.find(_file_name(path), path)
            self.files.setdefault(photo or source.data / (_file_name(path) or f"{path.stem}.jpg"), path)
            try:
                names.update(region.class_name for region in read_voc(path).regions)
            except ValueError:
                continue  # said when its image is read
        if not self.files:
            raise ValueError(f"{source.where} holds no XML files: {self.looks_for}")
        self.images = sorted(self.files)
        self.inputs = [*self.images, *self.files.values()]
        self.class_names = sorted_names(names)
        self.saw = f"{len(self.files)} files of Pascal VOC XML"

    def read(self, image, size):
        """Reads the boxes of an image. A file without objects makes a negative."""
        return read_voc(self.files[image])


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
            annotation.add_unreadable(name, "box without four numbers")
            continue
        box = (min(y1, y2), min(x1, x2), max(y1, y2) + 1, max(x1, x2) + 1)
        if not name or x2 < x1 or y2 < y1:
            annotation.add_unreadable(name, "box without a name" if not name else "box turned inside out", box)
            continue
        annotation.add_box(name, box, ignore=item.findtext("difficult", "0").strip() == "1")
    return annotation


def _file_name(path):
    """The photo that an XML file names, empty if it names none."""
    try:
        return (ElementTree.parse(path).getroot().findtext("filename") or "").strip()
    except (ElementTree.ParseError, UnicodeDecodeError):
        return ""
