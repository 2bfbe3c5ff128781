"""How a long command survives: a log of what it has finished, and a full disk said in one sentence."""

import contextlib
import errno
import hashlib
import json
import os
from pathlib import Path

from mrcnn.atomic import raise_if_full


class ProgressLog:
    """Finished records, one JSON line each; a context manager that is open for further ones.

    Args:
        path: path of the log.
        fingerprint: str. Stands for all that the records depend on; a log of anything else is thrown away.
        key: str. The entry of a record that names it.

    Attributes:
        records: dict from its name to each finished record.
    """

    def __init__(self, path, fingerprint, key):
        self.path, self.key, self.records = Path(path), key, {}
        self.first = f"{fingerprint}\n".encode()
        self.kept = 0  # bytes
        lines = self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []
        if lines[:1] != [self.first]:
            return
        self.kept = len(self.first)
        for line in lines[1:]:
            try:
                record = json.loads(line)
                name = record[key]
            except (ValueError, KeyError, TypeError, RecursionError):
                break  # torn, when the disk was full or the power failed
            if not line.endswith(b"\n") or not isinstance(name, str | int):
                break
            self.records[name] = record
            self.kept += len(line)

    def __enter__(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = open(self.path, "ab", buffering=0)
        self.file.truncate(self.kept)
        if not self.kept:
            self._write(self.first)
        return self

    def __exit__(self, *_):
        self.file.close()

    def add(self, record):
        """Keeps a record; it is on its way to the disk when this returns."""
        self.records[record[self.key]] = record
        self._write(json.dumps(record, ensure_ascii=False).encode() + b"\n")

    def _write(self, line):
        try:
            while line:
                line = line[self.file.write(line) :]  # a disk that is nearly full takes a part
        except OSError as error:
            raise_if_full(error, self.path)
            raise


def fingerprint(options, inputs):
    """Changes with the options and with the name, size or time of any input file.

    Args:
        options: anything whose `repr` says all that matters.
        inputs: iterable of Path. They need not exist.

    Returns:
        str.
    """
    digest = hashlib.sha256(repr(options).encode())
    for path in inputs:
        stat = path.stat() if path.exists() else None
        digest.update(repr((str(path), stat and (stat.st_size, stat.st_mtime_ns))).encode())
    return digest.hexdigest()


@contextlib.contextmanager
def full_disk_said(path):
    """For writing to `path`, a file or folder, within the context.

    Raises:
        OSError: naming `path` and what to do, if the disk is full.
    """
    import tensorflow as tf

    try:
        yield
    except OSError as error:
        raise_if_full(error, path)
        raise
    except tf.errors.OpError as error:  # its kinds differ, its text is that of the system
        for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            if os.strerror(number) in error.message:
                raise_if_full(OSError(number, error.message), path)
        raise
