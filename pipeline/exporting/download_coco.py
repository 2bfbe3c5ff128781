"""The COCO weights of 2017 that matterport published with Mask_RCNN 2.0: ResNet-101, 80 classes, 258 MB."""

import hashlib
from urllib.parse import urlsplit

URL = "https://github.com/matterport/Mask_RCNN/releases/download/v2.0/mask_rcnn_coco.h5"
MD5 = "e98aaff6f99e307b5e2a8a3ff741a518"  # as NVIDIA's TensorRT sample for this file states it


def download(path, url=URL, md5=MD5, attempts=3, progress=True):
    """Download the file unless it is there, and compare its checksum.

    Args:
        path: Path. Where the file shall be.
        url: str. Where it comes from.
        md5: str. The checksum that it must have, 32 hexadecimal digits.
        attempts: int. Tries before giving up; each continues where the one before stopped.
        progress: bool. Whether to show a progress bar.

    Raises:
        ConnectionError: if it cannot be reached or breaks off; the same command continues.
        ValueError: if the file is another one. It is removed, unless it was there before.
    """
    from pipeline.data.open_images.transfer import fetch

    present = path.exists()
    try:
        fetch(url, path, attempts=attempts, progress=progress)
    except ConnectionError as error:
        raise ConnectionError(
            f"{path.name} could not be downloaded from {urlsplit(url).netloc}: is this machine online? "
            "The same command continues where it stopped"
        ) from error
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != md5:
        if not present:
            path.unlink()
        what = "is there already and" if present else "came from there but"
        raise ValueError(f"{path} {what} is not the published file: its MD5 is {found}, expected {md5}")
