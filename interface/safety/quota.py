"""How much of the disk visitors' files may fill; beyond it the oldest go first."""

import collections
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
        self._uploads = collections.defaultdict(collections.deque)
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
        for path in Path(folder).rglob("*"):
            with contextlib.suppress(OSError):  # deleted by others in the meantime
                state = path.lstat()
                if path.is_file() and str(path) not in kept and path.name != LOCK:
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
            own = self._uploads[address]
            for path in paths:
                with contextlib.suppress(OSError):
                    own.append((path, os.path.getsize(path)))
            while own and not os.path.exists(own[0][0]):
                own.popleft()
            while len(own) > 1 and sum(size for _, size in own) > self._each:
                with contextlib.suppress(OSError):
                    os.unlink(own.popleft()[0])
            if not own:
                del self._uploads[address]

    def forget(self):
        """Forgets the addresses whose files are gone."""
        with self._lock:
            for address, own in list(self._uploads.items()):
                if not any(os.path.exists(path) for path, _ in own):
                    del self._uploads[address]
