"""What annotation tools write to COCO instance JSON for training, with a report and a contact sheet."""

import contextlib
import errno
import json
import os
from collections import Counter
from pathlib import Path

from pipeline.data.formats.coco import encode_rle
from pipeline.data.photo import UPSIDE_DOWN, Photo

SHEET_TILES = 48


def prepare(
    data,
    annotations=None,
    out=None,
    format_name="auto",
    class_names=None,
    values="instances",
    boxes="keep",
    split=None,
    seed=0,
    progress=True,
    tell=lambda text: None,
):
    """Read every image, then write JSON, report and contact sheet; an interrupted call is continued by the same one.

    Args:
        data: Path. Folder of images.
        annotations: Path or `None`. Folder or file of the annotations. Defaults to `data`.
        out: Path or `None`. The JSON file to write. Defaults to the folder's name with `.json`.
        format_name: str. One of `pipeline.data.formats.FORMATS`, or `"auto"` to tell it by the files.
        class_names: list of str or `None`. The classes to keep, in this order. Defaults to all.
        values: str. Of label masks: `"instances"` or `"classes"`, see `pipeline.data.formats.label_masks`.
        boxes: str. What becomes of objects without a mask: `"keep"`, `"fill"` or `"ignore"`.
        split: float or `None`. Share of the images for validation, or from 1 on their number. Defaults to the parts
            that the data come in.
        seed: int. Of the division by `split`.
        progress: bool. Whether to draw a progress bar on stderr.
        tell: function of str. Gets what was recognised before the work begins. Defaults to silence.

    Returns:
        dict from the Path of each JSON file to its report, see `pipeline.data.report.summarize`.

    Raises:
        ValueError: if an argument is wrong, no image can be used, or there is no object.
        OSError: if a folder cannot be written; the same call continues.
    """
    from tqdm import tqdm

    from pipeline.data.formats import Options, default_annotations, open_reader
    from pipeline.data.report import announce
    from pipeline.data.split import divide
    from pipeline.resume import ProgressLog, fingerprint

    data = Path(data)
    out = Path(out) if out else default_annotations(data)
    if out.suffix != ".json":
        raise ValueError(f"--out is {out}; it must end in .json")
    if split is not None and split <= 0:
        raise ValueError(f"--split is {split:g}, expected a share such as 0.2, or a number of images")
    root = out.with_suffix("")  # file names count from here, as in NAME.json beside NAME/
    reader = open_reader(format_name, data, annotations, Options(class_names, values, unpack=root))
    inputs = {Path(path).resolve() for path in reader.inputs}
    for path in _outputs(out, reader, split):
        if path.resolve() in inputs:
            raise ValueError(
                f"{path} is what is read, and would be written over: add --out NAME.json with another name"
            )
    reader.notes = [_spelled(note) for note in reader.notes]
    tell(announce(reader))
    kept_classes = _check_classes(class_names, reader.class_names)

    def note(sentence):
        reader.notes.append(_spelled(sentence))
        tell(f"  NOTE: {_spelled(sentence)}\n")

    unannotated = set(reader.unannotated)
    paths = {_name(path, root): path for path in [*reader.images, *unannotated]}
    options = class_names, values, boxes, reader.class_names, str(root)
    with _writable(out):
        root.mkdir(parents=True, exist_ok=True)
        log = ProgressLog(out.with_name(f"{out.name}.progress"), fingerprint(options, reader.inputs), "file_name")
        with log:
            for name, path in tqdm(paths.items(), desc="prepare", unit="image", disable=not progress):
                if name not in log.records and path not in unannotated:
                    log.add(prepare_image(reader, path, name, kept_classes, boxes))
        records = [
            log.records.get(name) or {"file_name": name, "dropped": "not in the annotations"} for name in sorted(paths)
        ]
        records = _settle_turns(
            records, lambda name: prepare_image(reader, paths[name], name, kept_classes, boxes, as_stored=True), note
        )
        _check_found(records, data)
        parts = divide(records, split, seed, lambda record: reader.part_of(paths[record["file_name"]]), note)
        reports = {
            part_out: _write(part_out, part, root, kept_classes, reader)
            for part_out, part in ((_part_path(out, name), part) for name, part in parts.items())
        }
        log.path.unlink()
    _remove_empty(root)
    return reports


def _name(path, root):
    """The name of a photo in the JSON file."""
    return _spelled(Path(os.path.relpath(path, root)).as_posix())


def _spelled(text):
    """A text in which what is not UTF-8 of a file name stands as `\\udcff`, for it cannot be written."""
    return text.encode(errors="backslashreplace").decode()


def _outputs(out, reader, split):
    """The JSON files that are to be written."""
    if split is not None:
        return [_part_path(out, part) for part in ("train", "val")]
    parts = {reader.part_of(path) for path in [*reader.images, *reader.unannotated]}
    return [_part_path(out, part or "rest") for part in parts] if len(parts) > 1 else [out]


def _part_path(out, part):
    return out.with_name(f"{out.stem}-{part}.json") if part else out


def _write(out, records, root, class_names, reader):
    """Writes one part: JSON, reports and contact sheet, whose file names count from its own folder."""
    from mrcnn.atomic import atomic_file, write_atomically
    from pipeline.data.contact_sheet import contact_sheet
    from pipeline.data.report import describe, summarize

    folder = out.with_suffix("")
    folder.mkdir(exist_ok=True)
    if folder != root:
        step = Path(os.path.relpath(root, folder))
        records = [
            record | {"file_name": Path(os.path.normpath(step / record["file_name"])).as_posix()} for record in records
        ]
    content = to_coco(records, class_names, reader.credits)
    report = summarize(content, records) | {"format": reader.format, "notes": reader.notes}
    write_atomically(out.with_suffix(".report.json"), json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    write_atomically(out.with_suffix(".report.txt"), describe(report, out))
    with atomic_file(out.with_suffix(".contact.png")) as file:
        contact_sheet(_tiles(content, folder)).save(file, "PNG")
    write_atomically(out, json.dumps(content, ensure_ascii=False))  # last: where it is, everything is
    return report


@contextlib.contextmanager
def _writable(out):
    """Within it, a place that cannot be written is said with the remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise OSError(
                f"{out.parent} cannot be written ({error.strerror}): "
                "add --out NAME.json with a name in a folder that can be"
            ) from error
        raise


def _remove_empty(folder):
    """The folder that names counted from, if its parts have folders of their own and nothing lies in it."""
    if folder.with_suffix(".json").exists() or any(folder.iterdir()):
        return
    folder.rmdir()


def _settle_turns(records, read_as_stored, note):
    """Settles how annotations of photos held upside down or mirrored were drawn: as those of the other turned photos.

    Args:
        records: list of dict, from `prepare_image`.
        read_as_stored: function from the name of a photo to its record, if it was annotated as stored.
        note: function of str. Gets what was settled.

    Returns:
        list of dict. Where the others do not tell, photos have a problem.
    """
    drawn = {record.get("drawn") for record in records} - {None}
    if "either" not in drawn or drawn == {"either", "upright"}:
        return records
    unclear = [record["file_name"] for record in records if record.get("drawn") == "either"]
    if drawn == {"either", "stored"}:
        note(
            f"the annotation tool ignores EXIF, as photos turned by a quarter show: {len(unclear)} photos held upside "
            f"down or mirrored are taken to be annotated as stored, too, the first is {unclear[0]}"
        )
        return [read_as_stored(of["file_name"]) if of.get("drawn") == "either" else of for of in records]
    problem = f"{UPSIDE_DOWN}: nothing tells whether the annotation tool turned it, as EXIF asks for"
    return [of | {"problems": [*of["problems"], problem]} if of.get("drawn") == "either" else of for of in records]


def _check_found(records, data):
    """Refuses data in which no image can be used, or that show no object."""
    usable = [record for record in records if "dropped" not in record]
    if not usable:
        counts = Counter(record["dropped"].partition(":")[0] for record in records)
        reasons = "; ".join(f"{count} x {reason}" for reason, count in counts.most_common())
        raise ValueError(f"no image of {data} can be used ({reasons})")
    if not any(not row["iscrowd"] for record in usable for row in record["instances"]):
        counts = Counter(problem.partition(":")[0] for record in usable for problem in record["problems"])
        reasons = "; ".join(f"{count} x {reason}" for reason, count in counts.most_common()) or "none is annotated"
        raise ValueError(f"the {len(usable)} images of {data} show no object that could be learned ({reasons})")


def prepare_image(reader, path, name, class_names, boxes="keep", as_stored=False):
    """Makes one image's record.

    Args:
        reader: one of the readers in `pipeline/data/formats`.
        path: Path of the image.
        name: str. The image's name in the JSON file.
        class_names: list of str. The classes to keep.
        boxes: str. `"keep"`, `"fill"` or `"ignore"`: what becomes of objects without a mask.
        as_stored: bool. See `Photo.frame`.

    Returns:
        Dictionary, ready for JSON, with `file_name` and either `dropped` (the reason) or `width`, `height`, `look` (see
        `pipeline.data.likeness`), `instances` (class, segmentation unless it is box-only, bbox, area, iscrowd, source),
        `problems`, and `drawn` (see `Photo.drawn`; None if nothing is annotated). Reasons and problems are a few words;
        details may follow after a colon.
    """
    from pipeline.data.likeness import look

    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        return {"file_name": name, "dropped": "its name is not UTF-8: rename it"}
    try:
        photo = Photo.read(path)
        annotation = reader.read(path, photo.upright)
        frame = photo.frame(annotation.size, as_stored)
    except ValueError as error:
        return {"file_name": name, "dropped": str(error)}
    has_masks = any(region.mask is not None and not region.ignore for region in annotation.regions)
    instances, problems = [], list(annotation.problems)
    for region in annotation.regions:
        names = [region.class_name] if region.class_name else class_names  # an ignore region may be of any class
        names = [each for each in names if each in class_names]
        if not names:
            continue
        ignore, source = region.ignore or not region.class_name, "mask" if region.mask is not None else "box"
        try:
            mask = frame.bitmap(region)
        except ValueError as error:
            problems.append(str(error))
            ignore, mask = True, frame.place(region.box)
        if not mask.any():
            ignore, mask = True, frame.place(region.box)
            problems.append(f"empty {source}" if mask.any() else f"{source} outside of the image")
            if not mask.any():
                continue  # what is not in the photo hides nothing
        if source == "box":
            # Beside real masks a filled box would teach that some of these things are rectangles.
            ignore = ignore or boxes == "ignore" or (boxes == "fill" and has_masks)
        segmentation, box, area = encode_rle(mask)
        box_only = source == "box" and boxes == "keep" and not ignore
        instances += [
            {
                "class": each,
                **({} if box_only else {"segmentation": segmentation}),
                "bbox": box,
                "area": area,
                "iscrowd": int(ignore),
                "source": source,
            }
            for each in names
        ]
    return {
        "file_name": name,
        "height": photo.upright[0],
        "width": photo.upright[1],
        "look": look(photo.pixels),
        "instances": instances,
        "problems": problems,
        "drawn": photo.drawn(annotation.size) if annotation.regions else None,
    }


def to_coco(records, class_names, credits):
    """Joins the records to COCO instance JSON; categories are numbered from 1 in the order of the names."""
    category_ids = {name: number for number, name in enumerate(class_names, 1)}
    images, annotations, licences = [], [], {}
    for record in records:
        if "dropped" in record:
            continue
        image = {"id": len(images) + 1, **{key: record[key] for key in ("file_name", "width", "height")}}
        credit = credits.get(Path(record["file_name"]).stem)
        if credit:
            image["author"], image["source_url"] = credit["Author"], credit["OriginalLandingURL"]
            image["license"] = licences.setdefault(credit["License"], len(licences) + 1)
        images.append(image)
        for instance in record["instances"]:
            row = {key: value for key, value in instance.items() if key != "class"}
            row |= {"id": len(annotations) + 1, "image_id": image["id"]}
            annotations.append(row | {"category_id": category_ids[instance["class"]]})
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for name, number in category_ids.items()],
        "licenses": [{"id": number, "url": url} for url, number in licences.items()],
    }


def _check_classes(asked, known):
    """The classes to keep, in the asked order."""
    import difflib

    for name in asked or []:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3)
            hint = f"near matches: {', '.join(near)}" if near else f"there are {', '.join(known) or 'none'}"
            raise ValueError(f"the annotations have no class {name!r}; {hint}")
    return list(dict.fromkeys(asked)) if asked else list(known)


def _tiles(content, root):
    """An even sample of the images, as tiles of the contact sheet."""
    from mrcnn.images import read_image
    from pipeline.data.contact_sheet import Tile

    rows_of = {}
    for row in content["annotations"]:
        rows_of.setdefault(row["image_id"], []).append(row)
    count = len(content["images"])
    for place in range(min(count, SHEET_TILES)):
        image = content["images"][place * count // min(count, SHEET_TILES)]
        rows = rows_of.get(image["id"], [])
        size = image["height"], image["width"]
        masks = [[_mask_of(row, size) for row in rows if row["iscrowd"] == crowd] for crowd in (0, 1)]
        caption = f"{len(masks[0])} + {len(masks[1])} ignored  {Path(image['file_name']).stem}"
        yield Tile(read_image(root / image["file_name"]), *masks, caption)


def _mask_of(row, size):
    """The mask of a row, the filled box of a box-only one: bool (height, width)."""
    from pipeline.data.formats import fill_box
    from pipeline.data.formats.coco import decode_rle

    if "segmentation" in row:
        return decode_rle(row["segmentation"])
    left, top, width, height = row["bbox"]
    return fill_box((top, left, top + height, left + width), size)
