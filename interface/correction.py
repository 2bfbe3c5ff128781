"""From what the network found to what the Correct tab brushes, and back."""

import dataclasses
import json
import secrets
from pathlib import Path

import numpy as np
from PIL import Image

from interface.encoding import data_uri, jpeg
from interface.label_map import MOST_NUMBERS, brush_size, brushed, from_runs, resized, runs
from mrcnn.results import drawing
from mrcnn.results.detections import Detections
from mrcnn.results.instances import Instances, MaskWindow
from mrcnn.results.wording import percent

LONGEST_EDIT = 12_000_000  # characters of what the browser sends


@dataclasses.dataclass(frozen=True)
class Opened:
    """A photo that is being corrected.

    Args:
        path: str. Of the photo.
        model_name: str.
        detections: `Detections` of it.
        confidence: float in `[0, 1]`. Objects of a lower score are no part of what is corrected.
        token: str. Told to the browser, and said by it again: a slow answer does not meet another photo.
    """

    path: str
    model_name: str
    detections: Detections
    confidence: float
    token: str = dataclasses.field(default_factory=lambda: secrets.token_hex(8))

    @property
    def name(self):
        return Path(self.path).name

    def found(self):
        """The predictions, `mrcnn.Instances`."""
        return self.detections.instances(self.confidence)


def editor_document(image, opened):
    """What the browser needs to show a photo's predictions as layers to brush.

    Args:
        image: uint8 `(H, W, 3)`.
        opened: `Opened`.

    Returns:
        str of JSON.
    """
    found = opened.found()
    height, width = brush_size(found.image_size)
    small = Image.fromarray(image).resize((width, height), Image.Resampling.BOX)
    rows = zip(found.class_names, found.scores, strict=True)
    return json.dumps(
        {
            "token": opened.token,
            "name": opened.name,
            "width": width,
            "height": height,
            "photo": data_uri(jpeg(small)),
            "runs": runs(resized(_label_map(found), (height, width))),
            "objects": [
                {"number": number, "class": name, "words": percent(score)}
                for number, (name, score) in enumerate(rows, start=1)
            ],
            "classes": list(opened.detections.class_names),
            "palette": drawing.PALETTE.tolist(),
        }
    )


def read_edit(text, opened):
    """The corrected objects.

    Args:
        text: str. What the editor in the browser sends.
        opened: `Opened`. The photo that it must belong to.

    Returns:
        `mrcnn.Instances` at the photo's own size, each of score 1; objects without pixels are left out.

    Raises:
        ValueError: if it is anything else; one sentence that may be shown.
    """
    if not isinstance(text, str) or len(text) > LONGEST_EDIT:
        raise ValueError(f"What was brushed must come as text of up to {LONGEST_EDIT // 1_000_000} MB.")
    try:
        edit = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("What was brushed did not come as JSON.") from None
    if not isinstance(edit, dict) or edit.get("token") != opened.token:
        raise ValueError("What was brushed belongs to another photo: please open the photo again.")
    classes = _classes(edit.get("objects"), opened.detections.class_names)
    before = _label_map(opened.found())
    small = from_runs(edit.get("runs"), brush_size(before.shape))
    return _instances(brushed(before, small, classes), classes, opened.detections)


def _label_map(found):
    """uint8 `(H, W)`: the number of each pixel's object, from 1; 0 is the background."""
    return found[:MOST_NUMBERS].instance_map(np.uint8)


def _classes(objects, class_names):
    """dict from an object's number to its class id."""
    classes = {}
    for row in objects if isinstance(objects, list) else [None]:
        number, name = (row.get("number"), row.get("class")) if isinstance(row, dict) else (None, None)
        if type(number) is not int or not 0 < number <= MOST_NUMBERS or number in classes:
            raise ValueError(f"Each object needs a number of its own from 1 to {MOST_NUMBERS}.")
        if name not in class_names:
            raise ValueError(f"Object {number} needs one of these classes: {', '.join(class_names)}.")
        classes[number] = class_names.index(name) + 1
    return classes


def _instances(labels, classes, detections):
    from scipy.ndimage import find_objects

    rows = []
    for number, place in enumerate(find_objects(labels), start=1):
        if place is not None:
            (down, along), mask = place, labels[place] == number
            rows.append((classes[number], MaskWindow(down.start, along.start, mask)))
    return Instances(
        boxes=np.array([window.box for _, window in rows]),
        scores=np.ones(len(rows)),
        class_ids=np.array([class_id for class_id, _ in rows]),
        class_names=[detections.class_names[class_id - 1] for class_id, _ in rows],
        image_size=labels.shape,
        windows=[window for _, window in rows],
        category_ids=detections.category_ids,
    )
