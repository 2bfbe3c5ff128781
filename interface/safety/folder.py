"""The folder for visitors' files: it ends with the page, and if the page was killed, with the start of the next one."""

import contextlib
import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where nothing is removed but by a page's own end
    fcntl = None

PREFIX = "every-cat-"
LOCK = ".in-use"
UNLOCKED_SECONDS = 60  # a folder without a lock may have been made just now


def random_folder(parent):
    """Path of a new folder for one visitor's files: in `parent`, which is made too, by a name that nobody can guess."""
    folder = Path(parent) / secrets.token_hex(16)
    folder.mkdir(parents=True)
    return folder


@contextlib.contextmanager
def own_folder(parent):
    """A folder of this process, locked for as long as it runs. Those of processes that are gone are removed.

    Args:
        parent: path of the folder to make it in; is made.

    Yields:
        str. Its path.

    Raises:
        OSError: if it cannot be written to.
    """
    os.makedirs(parent, exist_ok=True)
    remove_orphans(parent)
    with (
        tempfile.TemporaryDirectory(prefix=PREFIX, dir=parent, ignore_cleanup_errors=True) as folder,
        open(os.path.join(folder, LOCK), "w") as lock,
    ):
        if fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def remove_orphans(parent):
    """Removes the folders of pages that were killed; not of those that run, of other users, or of other programs."""
    for folder in Path(parent).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if fcntl and not folder.is_symlink() and folder.stat().st_uid == os.getuid() and _is_orphan(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_orphan(folder):
    assert fcntl  # asked for by the caller
    try:
        with open(folder / LOCK) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except FileNotFoundError:
        return time.time() - folder.stat().st_mtime > UNLOCKED_SECONDS
    except BlockingIOError:
        return False
