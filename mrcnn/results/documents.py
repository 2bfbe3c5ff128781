"""One document an image: COCO, the same from the page, the API and the command line, and the forms of labelme and YOLO.

The latter two are for correcting what was found instead of drawing it: `python -m pipeline prepare` reads them back.
"""

from mrcnn.results.polygons import joined_polygon, simple_polygons


def coco_document(found, file_name, class_names, milliseconds=None, polygons=False):
    """A result as a COCO data set of one image, which pycocotools and labelling tools open as it is.

    Args:
        found: `mrcnn.Instances`.
        file_name: str. The photo's name.
        class_names: the model's class names, for class ids 1, 2, and so on.
        milliseconds: float or `None`. How long the model took. Defaults to `None`.
        polygons: bool. Outlines instead of run lengths, for programs that read nothing else: within a pixel of the
            mask, not exact. An object of so few pixels that it has no outline is left out. Defaults to False.

    Returns:
        dict of plain Python values: `images` (one entry), `annotations` (the rows of `Instances.to_coco` with `id`
        and `iscrowd`), `categories` (`id` and `name`) and `info` (`milliseconds`).
    """
    height, width = found.image_size
    annotations = [{"id": number, "iscrowd": 0, **row} for number, row in enumerate(found.to_coco(image_id=1), start=1)]
    if polygons:
        for annotation, window in zip(annotations, found.windows, strict=True):
            annotation["segmentation"] = [_points(polygon).ravel().tolist() for polygon in simple_polygons(window)]
        annotations = [annotation for annotation in annotations if annotation["segmentation"]]
    return {
        "info": {"milliseconds": None if milliseconds is None else round(milliseconds, 1)},
        "images": [{"id": 1, "file_name": file_name, "width": width, "height": height}],
        "annotations": annotations,
        "categories": [
            {"id": found.category_id(class_id), "name": name} for class_id, name in enumerate(class_names, start=1)
        ],
    }


def labelme_document(found, file_name):
    """A result as labelme keeps it; to be put beside the photo.

    Args:
        found: `mrcnn.Instances`.
        file_name: str. The photo's name.

    Returns:
        dict of plain Python values. Polygons with the same `group_id` are parts of one object.
    """
    height, width = found.image_size
    shapes = [
        {
            "label": found.class_names[row],
            "points": _points(polygon).tolist(),
            "group_id": row + 1,
            "description": "",
            "shape_type": "polygon",
            "flags": {},
            "mask": None,
        }
        for row, window in enumerate(found.windows)
        for polygon in simple_polygons(window)
    ]
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": file_name,
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }


def yolo_document(found):
    """A result as a text file of YOLO for instance masks, as Ultralytics reads it.

    Args:
        found: `mrcnn.Instances`.

    Returns:
        str, a line an object: its class id, from 0, then `x y` of its outline as shares of the image's width and
        height. The form has one polygon an object, so parts are joined by lines without width. An object of so few
        pixels that it has no outline is left out.
    """
    height, width = found.image_size
    lines = []
    for row, window in enumerate(found.windows):
        polygons = simple_polygons(window)
        if polygons:
            points = joined_polygon(polygons) / (width, height)
            numbers = " ".join(f"{value:.6f}" for value in points.clip(0, 1).ravel())
            lines.append(f"{found.class_ids[row] - 1} {numbers}\n")
    return "".join(lines)


def _points(polygon):
    """Tenths of a pixel; more digits would only make the file longer."""
    return polygon.astype(float).round(1)
