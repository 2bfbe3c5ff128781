"""Files that are there completely or not at all, whatever interrupts the writing."""

import errno
import os
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_file(path, mode="wb"):
    """Opens `NAME.part` for writing and renames it to `path` when the block ends without an error.

    Args:
        path: str or Path. Where the file shall be. Its folder is made if it is missing.
        mode: str. `"wb"` or `"w"` (UTF-8, line ends as written).

    Raises:
        OSError: naming the file and what to do, when the disk is full.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    encoding, newline = (None, None) if "b" in mode else ("utf-8", "")
    try:
        with open(part, mode, encoding=encoding, newline=newline) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a power cut could leave the new name on an empty file
        os.replace(part, path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        raise_if_full(error, path)
        raise


def write_atomically(path, data):
    """Writes bytes or text to `path`, completely or not at all."""
    with atomic_file(path, "wb" if isinstance(data, bytes) else "w") as file:
        file.write(data)


def raise_if_full(error, path):
    """Raises one clear sentence if `error` says that the disk (or a quota, or a file size limit) is full."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        raise OSError(
            f"no space left to write {path}; free some and run the same command again, it continues"
        ) from error
