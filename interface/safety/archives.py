"""ZIP files of strangers: how many entries, how large, and what is in them, within a budget."""

import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from interface.safety import budget

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
END, END_64 = b"PK\x05\x06", b"PK\x06\x07"  # of the list of entries; of one that may be larger than 4 GB
END_SIZE, LONGEST_COMMENT = 22, 65_535
LONGEST_NAME = 200  # bytes; a disk takes 255, and results get longer names


def open_zip(path):
    """Opens a ZIP whose list of entries is short enough to be read.

    Args:
        path: path of a file for which `zipfile.is_zipfile` holds.

    Returns:
        `zipfile.ZipFile`, to be closed.

    Raises:
        ValueError: if it is damaged, or has too many entries; one sentence that may be shown.
    """
    name = Path(path).name
    try:
        _check_directory(path, name)
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, struct.error, OSError, UnicodeError, EOFError) as error:
        raise ValueError(f"{name} is a damaged ZIP ({error}).") from None
    if len(archive.infolist()) > budget.ZIP_ENTRIES:
        archive.close()
        raise ValueError(_too_many(name))
    return archive


def _check_directory(path, name):
    """Refuses a long list of entries before `zipfile` reads it, which for some files takes minutes."""
    with open(path, "rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - END_SIZE - LONGEST_COMMENT - 20))
        tail = file.read()
    end = tail.rfind(END)
    if end < 0 or end + END_SIZE > len(tail):
        raise zipfile.BadZipFile("its end is missing")
    entries, size = struct.unpack("<HI", tail[end + 10 : end + 16])
    if entries > budget.ZIP_ENTRIES or size > budget.ZIP_DIRECTORY or tail[max(0, end - 20) :].startswith(END_64):
        raise ValueError(_too_many(name))


def _too_many(name):
    return f"{name} has too many entries: a ZIP of up to {budget.ZIP_ENTRIES} files is accepted."


def member_name(member):
    """The file name of an entry without its folders, be they written as on Windows or elsewhere, and not too long."""
    name = PurePosixPath(member.filename.replace("\\", "/")).name
    name = "".join(character if character.isprintable() and character != ":" else "_" for character in name) or "_"
    if name in (".", ".."):
        return "_"
    if len(name.encode()) <= LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    ending = dot + ending[:9]
    return stem.encode()[: LONGEST_NAME - len(ending.encode())].decode(errors="ignore") + ending


def unpack(archive, member, folder):
    """Writes an entry into a folder, in place of the one before it.

    Args:
        archive: `zipfile.ZipFile`.
        member: `zipfile.ZipInfo` of it.
        folder: path.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ValueError: if it cannot be unpacked, or is too large; one sentence that may be shown.
    """
    name = member_name(member)
    if member.compress_type not in METHODS or member.flag_bits & 1:
        raise ValueError(f"{name} cannot be unpacked: it is encrypted, or packed in a way other than ZIP's usual one.")
    try:
        with archive.open(member) as file:
            # Not what the header promises: a file of a few KB may unpack to gigabytes.
            content = file.read(budget.ZIP_MEMBER + 1)
    except (RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error, OSError, EOFError, struct.error):
        raise ValueError(f"{name} cannot be unpacked, it seems to be damaged.") from None
    if len(content) > budget.ZIP_MEMBER:
        raise ValueError(f"{name} is larger than {budget.ZIP_MEMBER // 1_000_000} MB.")
    for before in Path(folder).iterdir():
        before.unlink()
    target = Path(folder) / name
    target.write_bytes(content)
    return target
