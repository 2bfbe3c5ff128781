"""Masks, boxes, COCO JSON or label masks to COCO instance JSON for training, with a report and a contact sheet."""

import json
import os
from pathlib import Path

SHEET_TILES = 48


def prepare(
    data,
    annotations=None,
    out=None,
    format_name="auto",
    class_names=None,
    values="instances",
    boxes="keep",
    progress=True,
):
    """Read every image, then write JSON, report and contact sheet; an interrupted call is continued by the same one.

    Args:
        data: Path. Folder of images.
        annotations: Path or `None`. Folder of XML or PNG files, or a COCO JSON file. Defaults to `data`.
        out: Path or `None`. The JSON file to write. Defaults to the folder's name with `.json`.
        format_name: str. One of `pipeline.data.formats.FORMATS`, or `"auto"` to tell it by the files.
        class_names: list of str or `None`. The classes to keep, in this order. Defaults to all.
        values: str. Of label masks: `"instances"` or `"classes"`, see `pipeline.data.formats.open_reader`.
        boxes: str. What becomes of objects without a mask: `"keep"`, `"fill"` or `"ignore"`.
        progress: bool. Whether to draw a progress bar on stderr.

    Returns:
        Path of the JSON file, and the report as a dict, see `pipeline.data.report.summarize`.

    Raises:
        ValueError: if an argument is wrong, or no image can be used.
        OSError: if a folder cannot be written; the same call continues.
    """
    from tqdm import tqdm

    from mrcnn.atomic import atomic_file, write_atomically
    from pipeline.data.contact_sheet import contact_sheet
    from pipeline.data.formats import default_annotations, open_reader
    from pipeline.data.report import describe, summarize
    from pipeline.resume import ProgressLog, fingerprint

    data = Path(data)
    out = Path(out) if out else default_annotations(data)
    if out.suffix != ".json":
        raise ValueError(f"--out is {out}; it must end in .json")
    reader = open_reader(format_name, data, annotations, class_names, values)
    kept_classes = _check_classes(class_names, reader.class_names)
    out.parent.mkdir(parents=True, exist_ok=True)
    root = out.with_suffix("")  # file names count from here, as in NAME.json beside NAME/
    root.mkdir(exist_ok=True)

    options = class_names, values, boxes, reader.class_names
    progress_log = ProgressLog(out.with_name(f"{out.name}.progress"), fingerprint(options, reader.inputs), "file_name")
    with progress_log:
        for path in tqdm(reader.images, desc="prepare", unit="image", disable=not progress):
            name = Path(os.path.relpath(path, root)).as_posix()
            if name not in progress_log.records:
                progress_log.add(prepare_image(reader, path, name, kept_classes, boxes))
    records = [progress_log.records[name] for name in sorted(progress_log.records)]

    content = to_coco(records, kept_classes, reader.credits)
    report = summarize(content, records)
    if not content["images"]:
        reasons = "; ".join(f"{count} x {reason}" for reason, count in report["dropped_images"].items())
        raise ValueError(f"no image of {data} can be used ({reasons})")
    write_atomically(out.with_suffix(".report.json"), json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    write_atomically(out.with_suffix(".report.txt"), describe(report, out))
    with atomic_file(out.with_suffix(".contact.png")) as file:
        contact_sheet(_tiles(content, root)).save(file, "PNG")
    write_atomically(out, json.dumps(content, ensure_ascii=False))  # last: where it is, everything is
    progress_log.path.unlink()
    return out, report


def prepare_image(reader, path, name, class_names, boxes="keep"):
    """Makes one image's record.

    Args:
        reader: one of the readers in `pipeline/data/formats`.
        path: Path of the image.
        name: str. The image's name in the JSON file.
        class_names: list of str. The classes to keep.
        boxes: str. `"keep"`, `"fill"` or `"ignore"`: what becomes of objects without a mask.

    Returns:
        Dictionary, ready for JSON, with `file_name` and either `dropped` (the reason) or `width`, `height`,
        `instances` (class, segmentation unless it is box-only, bbox, area, iscrowd, source) and `problems`. Reasons and
        problems are a few words; details may follow after a colon.
    """
    from pipeline.data.formats import fill_box, fit_mask
    from pipeline.data.formats.coco import encode_rle

    try:
        upright, stored = _read_sizes(path)
        annotation = reader.read(path, upright)
        scale = _annotation_scale(annotation.size, upright, stored)
    except ValueError as error:
        return {"file_name": name, "dropped": str(error)}
    has_masks = any(region.mask is not None and not region.ignore for region in annotation.regions)
    instances, problems = [], list(annotation.problems)
    for region in annotation.regions:
        if region.class_name not in class_names:
            continue
        ignore, source = region.ignore, "mask"
        try:
            if region.mask is not None:
                mask = fit_mask(region.mask, upright)
            else:
                mask = fill_box([edge * factor for edge, factor in zip(region.box, scale * 2, strict=True)], upright)
                source = "box"
                # Beside real masks a filled box would teach that some of these things are rectangles.
                ignore = ignore or boxes == "ignore" or (boxes == "fill" and has_masks)
        except ValueError as error:
            problems.append(str(error))
            continue
        if not mask.any():
            problems.append("empty mask" if source == "mask" else "box outside of the image")
            continue
        segmentation, box, area = encode_rle(mask)
        box_only = source == "box" and boxes == "keep" and not ignore
        instances.append(
            {
                "class": region.class_name,
                **({} if box_only else {"segmentation": segmentation}),
                "bbox": box,
                "area": area,
                "iscrowd": int(ignore),
                "source": source,
            }
        )
    return {
        "file_name": name,
        "height": upright[0],
        "width": upright[1],
        "instances": instances,
        "problems": problems,
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


def _read_sizes(path):
    """Decodes an image; returns its upright size and its size as stored, both (height, width)."""
    from mrcnn.images import open_image, read_image

    try:
        upright = read_image(path).shape[:2]
    except ValueError as error:
        if not path.exists():
            raise ValueError("image file is missing") from error
        raise ValueError(f"image cannot be read: {error}") from error
    with open_image(path) as image:
        return upright, (image.height, image.width)


def _annotation_scale(annotated, upright, stored):
    """Factors (y, x) from annotated to upright pixels.

    Raises:
        ValueError: the annotation was made at a size that does not fit, or before an EXIF rotation.
    """
    if annotated is None or tuple(annotated) == tuple(upright):
        return (1.0, 1.0)
    if tuple(annotated) == tuple(stored):
        raise ValueError("annotated before its EXIF rotation: turn the pixels and the annotation first")
    scale = (upright[0] / annotated[0], upright[1] / annotated[1])
    if not 0.98 < scale[0] / scale[1] < 1.02:
        raise ValueError(
            f"annotation of another size: {annotated[1]}x{annotated[0]}, the image has {upright[1]}x{upright[0]}"
        )
    return scale


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
