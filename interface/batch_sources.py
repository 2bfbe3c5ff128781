"""The photos among the files of a visitor of the Many photos tab, those within ZIP files included."""

import contextlib
import functools
import shutil
import zipfile
from pathlib import Path

from interface.collage import write_scenes
from interface.examples import titled_examples
from interface.safety import budget
from interface.safety.archives import member_name, open_zip, unpack
from interface.safety.folder import random_folder

MOST_PHOTOS = 100
MOST_ZIPS = 20


def photo_sources(uploads, opened):
    """The photos among uploaded files.

    Args:
        uploads: list of paths; those that are ZIP files stand for what is in them.
        opened: `contextlib.ExitStack` that keeps those files open, for `read`.

    Returns:
        List of `(name, read)`, at most `MOST_PHOTOS`; `read(folder)` gives the path of the photo, which may be put into
        that folder for it. And the number of those that were left out.

    Raises:
        ValueError: if there is none, or a ZIP is damaged or too long.
    """
    sources, zips, entries = [], 0, 0
    for path in uploads:
        if not zipfile.is_zipfile(path):
            sources.append((Path(path).name, lambda folder, path=path: path))
            continue
        archive = opened.enter_context(open_zip(path))
        zips, entries = zips + 1, entries + len(archive.infolist())
        if zips > MOST_ZIPS or entries > budget.ZIP_ENTRIES:
            raise ValueError(
                f"Up to {MOST_ZIPS} ZIP files with up to {budget.ZIP_ENTRIES} files in all are accepted at a time."
            )
        for member in archive.infolist():
            # What macOS and others put in beside the photos.
            hidden = any(part.startswith((".", "__MACOSX")) for part in Path(member.filename).parts)
            if not member.is_dir() and not hidden:
                sources.append((member_name(member), functools.partial(unpack, archive, member)))
    if not sources:
        raise ValueError("There is no file in that ZIP.")
    return sources[:MOST_PHOTOS], max(0, len(sources) - MOST_PHOTOS)


def photo_path(uploads, index, folder):
    """The path of one of the photos of `photo_sources`, by its place there.

    Args:
        uploads: list of paths, as for `photo_sources`.
        index: int.
        folder: path. A folder with a random name is made in it for a photo that has to be unpacked.

    Raises:
        ValueError: if it is no longer there.
    """
    if not all(Path(path).exists() for path in uploads):
        raise ValueError("The photos are no longer kept here: please choose them again.")
    with contextlib.ExitStack() as opened:
        sources, _ = photo_sources(uploads, opened)
        return str(sources[index][1](random_folder(folder)))


def example_files(model, folder):
    """Writes example photos that may be shown.

    Args:
        model: `mrcnn.MaskRCNN`, which cuts out the cat of the scenes.
        folder: path. A folder with a random name is made in it.

    Returns:
        list of str, the paths.
    """
    own = random_folder(folder)
    scenes = [path for path, _ in write_scenes(model, own)]
    copies = [shutil.copy(path, own / f"{title}{Path(path).suffix}") for path, title in titled_examples()]
    return [str(path) for path in (*scenes, *copies)]
