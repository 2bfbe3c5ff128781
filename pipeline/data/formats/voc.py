"""Pascal VOC XML boxes, one file an image, as LabelImg, `openimages` and many other tools write them."""

import xml.etree.ElementTree as ElementTree

from pipeline.data.formats import Annotation
from pipeline.data.formats.claims import one_file_each
from pipeline.data.formats.source import sorted_names

EDGES = ("xmin", "ymin", "xmax", "ymax")


class VocReader:
    """Photos with an XML file of the same stem, or that an XML file names."""

    looks_for = "Pascal VOC XML with annotation elements"

    @staticmethod
    def recognises(source):
        # One broken file must not hide the others.
        return source.first_xml("annotation") is not None

    def __init__(self, source, options):
        self.credits, self.parts, names = {}, {}, set()
        names_of = {path: (path.stem, _file_name(path)) for path in source.files(".xml")}
        elsewhere = {path: source.data / named for path, (_, named) in names_of.items() if named}
        self.files, self.notes = one_file_each(source, names_of, elsewhere)
        for path in self.files.values():
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

    Corners count as inclusive, from 0 (as `openimages` writes them), from 1 in files that name the VOC database as
    their source. `difficult` objects are ignore regions.

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
    first = _first_pixel(root)
    for item in root.findall("object"):
        name = (item.findtext("name") or "").strip()
        try:
            x1, y1, x2, y2 = (float(item.findtext(f"bndbox/{edge}")) - first for edge in EDGES)
        except (TypeError, ValueError):
            annotation.add_unreadable(name, "box without four numbers")
            continue
        box = (min(y1, y2), min(x1, x2), max(y1, y2) + 1, max(x1, x2) + 1)
        if not name or x2 < x1 or y2 < y1:
            annotation.add_unreadable(name, "box without a name" if not name else "box turned inside out", box)
            continue
        annotation.add_box(name, box, ignore=item.findtext("difficult", "0").strip() == "1")
    return annotation


def _first_pixel(root):
    """The number of the first row and column: 1 in Pascal's own files, unless a corner is below."""
    database = root.findtext("source/database", "")
    corners = [item.findtext(f"bndbox/{edge}", "") for item in root.findall("object") for edge in EDGES[:2]]
    return int("VOC" in database.upper() and not any(corner.strip().startswith(("0", "-")) for corner in corners))


def _file_name(path):
    """The photo that an XML file names, empty if it names none."""
    try:
        return (ElementTree.parse(path).getroot().findtext("filename") or "").strip()
    except (ElementTree.ParseError, UnicodeDecodeError):
        return ""
