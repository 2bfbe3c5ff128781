"""VGG Image Annotator, versions 1 and 2: exported annotations (`via_region_data.json`) and saved projects."""

import json
from collections import Counter

from pipeline.data.formats import Annotation
from pipeline.data.formats.claims import Rows, photos_of_rows
from pipeline.data.formats.shapes import bounds, ellipse, polygon_mask, rectangle
from pipeline.data.formats.source import sorted_names

CLASS_KEYS = ("class", "name", "label", "type", "category", "object", "object_name")


class ViaReader:
    """Photos that VIA files name. VIA keeps no sizes; its shapes lie on the photo as a browser shows it, upright."""

    looks_for = "via_region_data.json or a project of VIA 2"

    @staticmethod
    def recognises(source):
        return source.first_json(_entries) is not None

    def __init__(self, source, options):
        files = [path for path in source.files(".json") if _entries(source.json(path))]
        if not files:
            raise ValueError(f"{source.where} holds no file of VIA: {self.looks_for}")
        entries = [(path, entry) for path in files for entry in _entries(source.json(path))]
        photos = photos_of_rows(source, [(str(entry.get("filename", "")), path, None) for path, entry in entries])
        rows = Rows(lambda row: json.dumps([row.get("shape_attributes"), row.get("region_attributes")], sort_keys=True))
        for photo, (_, entry) in zip(photos, entries, strict=True):
            regions = entry["regions"]
            rows.add(photo, regions.values() if isinstance(regions, dict) else regions)
        self.rows = rows.of
        self.images, self.inputs = list(self.rows), [*self.rows, *files]
        self.saw = f"{len(files)} VIA file{'s' * (len(files) > 1)} of {len(self.rows)} photos"
        self.notes, self.credits, self.parts = rows.notes(), {}, {}
        self.key = _class_key(row for rows in self.rows.values() for row in rows)
        self.name = (options.class_names or ["object"])[0]
        if self.key is None:
            self.class_names = [self.name]
            if not options.class_names:
                self.notes.append("the regions name no class and are called 'object'; --class NAME names them")
        else:
            self.class_names = sorted_names(self._class_of(row) for rows in self.rows.values() for row in rows)

    def read(self, image, size):
        """Reads the regions of an image; none makes it a negative."""
        annotation = Annotation()
        for row in self.rows[image]:
            shape = row.get("shape_attributes") or {}
            try:
                outline, problem = _outline(shape), f"a VIA {shape.get('name')} has no outline"
            except (KeyError, TypeError, ValueError):
                outline, problem = None, "VIA region is incomplete"
            if outline is None:
                annotation.add_unreadable(self._class_of(row), problem, _place(shape))
            else:
                draw = lambda outline=outline: polygon_mask([outline], size)  # noqa: E731
                annotation.add(self._class_of(row), draw, bounds(outline))
        return annotation

    def _class_of(self, row):
        value = _value(row, self.key)
        return value or self.name


def _entries(content):
    """The photos of a VIA file, a list of dict; empty if it is none."""
    if not isinstance(content, dict):
        return []
    images = content.get("_via_img_metadata", content)
    if not isinstance(images, dict) or not images:
        return []
    entries = list(images.values())
    known = all(isinstance(entry, dict) and "filename" in entry and "regions" in entry for entry in entries)
    return entries if known else []


def _outline(shape):
    """Points (x, y) of a shape; None for what has no outline, such as a point."""
    match shape["name"]:
        case "polygon" | "polyline":
            return list(zip(shape["all_points_x"], shape["all_points_y"], strict=True))
        case "rect":
            left, top = float(shape["x"]), float(shape["y"])
            return rectangle(left, top, left + float(shape["width"]), top + float(shape["height"]))
        case "circle":
            return ellipse(float(shape["cx"]), float(shape["cy"]), float(shape["r"]), float(shape["r"]))
        case "ellipse":
            axes = float(shape["cx"]), float(shape["cy"]), float(shape["rx"]), float(shape["ry"])
            return ellipse(*axes, float(shape.get("theta", 0)))
    return None


def _place(shape):
    """The box of a point, the only shape without an outline; None for what cannot be read."""
    return bounds([(shape.get("cx"), shape.get("cy"))]) if shape.get("name") == "point" else None


def _class_key(rows):
    """The attribute that tells the class: one of the usual names, or else the one that most regions have."""
    counts = Counter()
    for row in rows:
        counts.update(key for key in row.get("region_attributes") or {} if _value(row, key))
    usual = [key for key in counts if key.lower() in CLASS_KEYS]
    ranked = sorted(usual or counts, key=lambda key: (-counts[key], key))
    return ranked[0] if ranked else None


def _value(row, key):
    """A region's attribute as text; of a checkbox, what is ticked."""
    value = (row.get("region_attributes") or {}).get(key, "")
    if isinstance(value, dict):
        value = " ".join(str(choice) for choice, ticked in value.items() if ticked)
    return str(value).strip()
