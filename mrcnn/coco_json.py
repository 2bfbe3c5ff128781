"""One JSON document a picture, the same from the page, the API and the command line."""


def coco_document(found, file_name, class_names, milliseconds=None):
    """A result as a COCO data set of one picture, which pycocotools and labelling tools open as it is.

    Args:
        found: `mrcnn.Instances`.
        file_name: str. The photo's name.
        class_names: the model's class names, for class ids 1, 2, and so on.
        milliseconds: float or `None`. How long the model took. Defaults to `None`.

    Returns:
        dict of plain Python values: `images` (one entry), `annotations` (the rows of `Instances.to_coco` with `id`
        and `iscrowd`), `categories` (`id` and `name`) and `info` (`milliseconds`).
    """
    height, width = found.image_size
    rows = enumerate(found.to_coco(image_id=1), start=1)
    return {
        "info": {"milliseconds": None if milliseconds is None else round(milliseconds, 1)},
        "images": [{"id": 1, "file_name": file_name, "width": width, "height": height}],
        "annotations": [{"id": number, "iscrowd": 0, **result} for number, result in rows],
        "categories": [{"id": number, "name": name} for number, name in enumerate(class_names, start=1)],
    }
