"""How much of the disk visitors' files may fill; beyond it the oldest go first."""

import contextlib
import os
import threading
import time
from pathlib import Path

from interface.safety.folder import LOCK

BYTES = 4_000_000_000  # of all files of all visitors, results included; DISK_QUOTA_MB in the environment changes it
BYTES_EACH = 1_000_000_000  # of the uploads of one address
YOUNGEST = 60  # seconds for which a file stays whatever comes: it may just be in use


class Quota:
    """What each address has uploaded, and a bound on it.

    Args:
        total: int or `None`. Most bytes in all. Defaults to DISK_QUOTA_MB, or `BYTES`.
        each: int. Most bytes of one address.
    """

    def __init__(self, total=None, each=BYTES_EACH):
        configured = os.environ.get("DISK_QUOTA_MB", "")
        self._total = total or (int(configured) * 1_000_000 if configured.isdecimal() else BYTES)
        self._each = min(each, self._total)
        self._uploads = {}  # address: dict from path to size, the oldest first
        self._lock = threading.Lock()

    def make_room(self, folder, kept=()):
        """Deletes the oldest files until the folder holds no more than it may.

        Args:
            folder: path.
            kept: paths, as str, of files that stay.

        Returns:
            bool. Whether there is room now.
        """
        files, now = [], time.time()
        for path in files_below(folder):
            with contextlib.suppress(OSError):  # deleted by others in the meantime
                state = path.lstat()
                if str(path) not in kept and path.name != LOCK:
                    files.append((state.st_mtime, state.st_size, path))
        filled = sum(size for _, size, _ in files)
        for changed, size, path in sorted(files):
            if filled <= self._total or now - changed < YOUNGEST:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                filled -= size
        return filled <= self._total

    def uploaded(self, address, paths):
        """Counts files that an address uploaded, and deletes its oldest ones if they are too much."""
        with self._lock:
            self._forget()
            own = self._uploads.setdefault(address, {})
            for path in paths:  # the same file again has the same path, and is now the youngest
                own.pop(path, None)
                with contextlib.suppress(OSError):
                    own[path] = os.path.getsize(path)
            while len(own) > 1 and sum(own.values()) > self._each:
                oldest = next(iter(own))
                del own[oldest]
                with contextlib.suppress(OSError):
                    os.unlink(oldest)

    def _forget(self):
        """Forgets the files that are gone, and the addresses that have none left."""
        for address, own in list(self._uploads.items()):
            left = {path: size for path, size in own.items() if os.path.exists(path)}
            if left:
                self._uploads[address] = left
            else:
                del self._uploads[address]


def kept_files(app):
    """Paths, set of str, of the files that stay: the page's own examples, and the mark that the folder is in use."""
    kept = set().union(*(block.keep_in_cache for block in app.get_blocks().blocks.values()))
    return kept | {os.path.join(app.uploaded_file_dir, LOCK)}


def files_below(folder):
    """The files below a folder, list of Path; what others delete in the meantime may be among them."""
    return [Path(place, name) for place, _, names in os.walk(folder) for name in names]
