"""Corrected photos as a data set: photos and COCO masks, as `python -m pipeline train` and `prepare` read them.

    FOLDER/photos/         the photos, upright and without what cameras note in them, such as where they were taken
    FOLDER/photos.json     COCO instances, masks as run lengths at the photos' own size

`train --data FOLDER/photos` takes it as it stands, `prepare --data FOLDER` divides it and looks for faults.
"""

import dataclasses
import hashlib
import json
import os
import re
import threading
import zipfile
from pathlib import Path

from interface.correction import read_edit
from interface.encoding import jpeg, png
from interface.large_photos import at_own_size
from mrcnn.atomic import write_atomically
from mrcnn.results.documents import coco_document
from mrcnn.results.wording import counted

SETTING = "MRCNN_DATASET_FOLDER"  # in the environment: where corrected photos are kept on one's own machine
PHOTOS, ANNOTATIONS = "photos", "photos.json"
JPEG_QUALITY = 95
LONGEST_STEM = 60
EMPTY = {"images": [], "annotations": [], "categories": []}

_writing = threading.Lock()


def chosen_folder():
    """The folder that MRCNN_DATASET_FOLDER names, or `None`: then nothing is kept."""
    folder = os.environ.get(SETTING, "").strip()
    return Path(folder).expanduser() if folder else None


@dataclasses.dataclass(frozen=True)
class CorrectedPhoto:
    """One photo of a data set.

    Args:
        path: str. Where the photo lies as long as visitors' files are kept.
        fingerprint: str. The same for the same pixels.
        document: dict. COCO, of this photo alone.
    """

    path: str
    fingerprint: str
    document: dict

    @classmethod
    def of(cls, path, image, found, class_names):
        """A photo with its corrected objects.

        Args:
            path: path of the photo.
            image: uint8 `(H, W, 3)`.
            found: `mrcnn.Instances` of it, as corrected.
            class_names: names of the model's classes 1, 2, and so on.
        """
        fingerprint = hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()[:12]
        stem = re.sub(r"[^\w-]+", "_", Path(path).stem).strip("_")[:LONGEST_STEM] or "photo"
        ending = "png" if Path(path).suffix.lower() == ".png" else "jpg"
        document = coco_document(found, f"{stem}-{fingerprint}.{ending}", class_names)
        for row in document["annotations"]:
            del row["score"]  # it is no guess any more
        return cls(str(path), fingerprint, document)

    @property
    def file_name(self):
        return self.document["images"][0]["file_name"]

    @property
    def image_size(self):
        """`(height, width)` in pixels."""
        return self.document["images"][0]["height"], self.document["images"][0]["width"]


def photo_bytes(image, name):
    """The file of a photo, PNG or JPEG by its name."""
    return png(image) if name.endswith(".png") else jpeg(image, JPEG_QUALITY)


def with_photo(dataset, photo):
    """A data set with one photo more, or with new annotations of a photo that it has.

    Args:
        dataset: dict. COCO; it is not changed.
        photo: `CorrectedPhoto`.

    Returns:
        dict. COCO; classes are the same where they have the same name.
    """
    images = [row for row in dataset["images"] if photo.fingerprint not in row["file_name"]]
    known = {row["id"] for row in images}
    annotations = [row for row in dataset["annotations"] if row["image_id"] in known]
    categories = list(dataset["categories"])
    ids = {row["name"]: row["id"] for row in categories}
    meant = {}
    for row in photo.document["categories"]:
        if row["name"] not in ids:
            taken = set(ids.values())
            ids[row["name"]] = row["id"] if row["id"] not in taken else max(taken) + 1
            categories.append({**row, "id": ids[row["name"]]})
        meant[row["id"]] = ids[row["name"]]
    image_id = max(known, default=0) + 1
    first = max((row["id"] for row in annotations), default=0) + 1
    images.append({**photo.document["images"][0], "id": image_id})
    annotations += [
        {**row, "id": number, "image_id": image_id, "category_id": meant[row["category_id"]]}
        for number, row in enumerate(photo.document["annotations"], start=first)
    ]
    return {**dataset, "images": images, "annotations": annotations, "categories": categories}


def correct_photo(image, edit, opened, with_file):
    """What was brushed, as a photo of a data set.

    Args:
        image: uint8 `(H, W, 3)`. The photo.
        edit: str. What the editor in the browser sends.
        opened: `interface.correction.Opened`. The photo that it must belong to.
        with_file: bool. Whether the photo's file is wanted, too.

    Yields:
        Once: the `CorrectedPhoto`, in words what is in it, and the bytes of its file or `None`.

    Raises:
        ValueError: if the edit is anything else; one sentence that may be shown.
    """
    found = read_edit(edit, opened)
    photo = CorrectedPhoto.of(opened.path, image, found, opened.detections.class_names)
    yield photo, counted(found), photo_bytes(image, photo.file_name) if with_file else None


def encode_photo(image, name):
    """Yields `photo_bytes`."""
    yield photo_bytes(image, name)


def add_to_folder(folder, photo, content):
    """Adds a photo to the data set in a folder, or replaces what is written of it. Each file is there or it is not.

    Args:
        folder: path; is made if it is missing.
        photo: `CorrectedPhoto`.
        content: bytes of its file.

    Returns:
        int. How many photos the data set has now.

    Raises:
        ValueError: if the folder cannot be written to, or what is in it is no such data set; nothing is changed then.
    """
    folder = Path(folder)
    annotations = folder / ANNOTATIONS
    try:
        with _writing:
            before = _read(annotations)
            after = with_photo(before, photo)
            write_atomically(folder / PHOTOS / photo.file_name, content)
            write_atomically(annotations, json.dumps(after))
            gone = {row["file_name"] for row in before["images"]} - {row["file_name"] for row in after["images"]}
            for name in gone:  # the same photo, under the name that it had before
                (folder / PHOTOS / Path(name).name).unlink(missing_ok=True)
    except OSError as error:
        raise ValueError(f"The data set in {folder} cannot be written: {error.strerror or error}.") from None
    return len(after["images"])


def _read(path):
    if not path.exists():
        return EMPTY
    try:
        dataset = json.loads(path.read_text(encoding="utf-8"))
        needed = {"images": {"file_name": str}, "annotations": {"image_id": int}, "categories": {"name": str}}
        for kind, types in needed.items():
            for row in dataset[kind]:
                if not all(isinstance(row[key], wanted) for key, wanted in ({"id": int} | types).items()):
                    raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{path} is no COCO data set; please move it away, nothing was changed.") from None
    return dataset


def write_zip(path, photos):
    """Writes corrected photos as a ZIP of the folder.

    Args:
        path: path. Where it goes; its name without ending is the name of the folder within.
        photos: list of `CorrectedPhoto`.

    Returns:
        list of `CorrectedPhoto` that are not in it, because they can no longer be read.
    """
    path = Path(path)
    dataset, left_out = EMPTY, []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # photos are compressed already
        for photo in photos:
            try:
                (content,) = at_own_size(encode_photo, photo.path, photo.image_size, photo.file_name)
            except ValueError:
                left_out.append(photo)
                continue
            archive.writestr(f"{path.stem}/{PHOTOS}/{photo.file_name}", content)
            dataset = with_photo(dataset, photo)
        archive.writestr(f"{path.stem}/{ANNOTATIONS}", json.dumps(dataset), zipfile.ZIP_DEFLATED)
    return left_out
