"""One large file over HTTP: streamed to NAME.part, continued after an interruption, checked, then renamed."""

import base64
import hashlib
import os
import shutil
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from mrcnn.atomic import raise_if_full

CHUNK_BYTES = 1 << 20
TIMEOUT_SECONDS = (15, 60)  # to connect, between two chunks


def fetch(url, path, attempts=5, pause_seconds=1.0, progress=True):
    """Downloads `url` to `path`, unless it is there already.

    The bytes go to `NAME.part` first. `NAME.part.version` keeps the server's version tag of the file, so that
    a part is only ever continued (HTTP Range with If-Range) with bytes of the very same file; without such a
    tag the download starts over. The finished part is compared with its length and with the checksums that
    the server states (Google Cloud Storage sends MD5 or CRC-32C in `x-goog-hash`), and renamed only then.

    Args:
        url: str. What to download.
        path: str or Path. Where the file shall be.
        attempts: int. Tries before giving up; each continues where the one before stopped.
        pause_seconds: float. Pause after the first failure, doubled after each further one.
        progress: bool. Whether to draw a progress bar on stderr.

    Returns:
        Path of the complete file.

    Raises:
        ValueError: `url` is no address.
        FileNotFoundError: the server has no such file.
        ConnectionError: every try failed; the part stays for the next run.
        OSError: the disk is full; the part stays for the next run.
    """
    import requests

    path = Path(path)
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(attempts):
        try:
            _continue(url, path, progress)
            return path
        except (requests.RequestException, _BadTransfer) as error:
            if isinstance(error, ValueError):  # requests' ways to say that an address is none
                raise ValueError(f"{url} is not an address that can be downloaded from") from error
            reason = str(error)
            if isinstance(error, requests.ConnectionError):
                reason = f"the connection to {urlsplit(url).netloc} failed; is this machine online?"
            elif progress and attempt + 1 < attempts:
                print(f"{path.name}: {reason}; trying again", file=sys.stderr)
            if attempt + 1 < attempts:
                time.sleep(pause_seconds * 2**attempt)
    raise ConnectionError(
        f"{url} could not be downloaded in {attempts} tries (the last one: {reason}); "
        "run the same command again, it continues where it stopped"
    )


class _BadTransfer(Exception):
    """The server's answer cannot be used; another try may help."""


def _continue(url, path, progress):
    """One try: asks for what is missing, appends it, checks the whole and renames it."""
    import requests

    part = path.with_name(path.name + ".part")
    version_file = path.with_name(path.name + ".part.version")
    version = version_file.read_text() if version_file.exists() else ""
    present = part.stat().st_size if part.exists() and version else 0
    headers = {"Accept-Encoding": "identity"}
    if present:
        headers |= {"Range": f"bytes={present}-", "If-Range": version}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
        if response.status_code in (403, 404):
            raise FileNotFoundError(f"{url} does not exist (HTTP status {response.status_code})")
        whole = int(response.headers.get("Content-Range", "/-1").rpartition("/")[2].replace("*", "-1"))
        if response.status_code == 416 and whole == present:
            pass  # the process died between the last byte and the renaming
        elif response.status_code == 206 and response.headers["Content-Range"].startswith(f"bytes {present}-"):
            _append(response, part, "ab", present, whole, progress)
        elif response.status_code == 200:
            version_file.write_text(_version(response.headers))
            whole = int(response.headers.get("Content-Length", -1))
            _append(response, part, "wb", 0, whole, progress)
        else:
            version_file.unlink(missing_ok=True)  # so that the next try starts over
            raise _BadTransfer(f"HTTP status {response.status_code}")
        fault = _fault(part, whole, response.headers.get("x-goog-hash", ""))
        if fault:
            version_file.unlink(missing_ok=True)
            raise _BadTransfer(fault)
    os.replace(part, path)
    version_file.unlink(missing_ok=True)


def _version(headers):
    """The tag that If-Range accepts: a strong ETag, else the date; empty if there is neither."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")


def _append(response, part, mode, present, whole, progress):
    from tqdm import tqdm

    free = shutil.disk_usage(part.parent).free
    if whole - present > free:
        raise OSError(
            f"{part.stem} needs {(whole - present) / 1e6:,.0f} MB, and {part.parent} has {free / 1e6:,.0f} MB free"
        )
    bar = tqdm(
        desc=part.stem,
        total=max(whole, 0) or None,
        initial=present,
        unit="B",
        unit_scale=True,
        disable=not progress,
    )
    try:
        with bar, open(part, mode) as file:
            for chunk in response.iter_content(CHUNK_BYTES):
                file.write(chunk)
                bar.update(len(chunk))
    except OSError as error:
        raise_if_full(error, part)
        raise


def _fault(part, whole, stated):
    """What is wrong with the finished part, or None."""
    import google_crc32c

    size = part.stat().st_size
    if whole >= 0 and size != whole:
        return f"{size} bytes came and {whole} were announced"
    checks = {"md5": hashlib.md5(usedforsecurity=False), "crc32c": google_crc32c.Checksum()}
    expected = dict(pair.strip().split("=", 1) for pair in stated.split(",") if "=" in pair)
    checks = {name: check for name, check in checks.items() if name in expected}
    with open(part, "rb") as file:
        while checks and (chunk := file.read(CHUNK_BYTES)):
            for check in checks.values():
                check.update(chunk)
    for name, check in checks.items():
        if check.digest() != base64.b64decode(expected[name]):
            return f"the {name} checksum differs from the one that the server states"
    return None
