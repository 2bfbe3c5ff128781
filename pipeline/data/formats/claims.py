"""Which annotations a photo has where several name it: those of a photo that is missing must not become another's."""

import os
from pathlib import Path


def one_file_each(source, named, elsewhere=()):
    """The annotation file of each photo, in formats that have one file a photo.

    Args:
        source: `Source`.
        named: dict from the annotation file to the names of its photo, the best first, each as `Source.find` takes it.
        elsewhere: dict from the annotation file to where its photo may lie outside of the data. Defaults to nothing.

    Returns:
        dict from the photo, or the path that it should have, to the annotation file; and notes, list of str.

    Raises:
        ValueError: if two files that differ fit a photo equally well.
    """
    claims, files, notes, beaten, copies = {}, {}, [], [], 0
    for path, names in named.items():
        photo = next(filter(None, (source.find(name, path) for name in names if name)), None)
        outside = elsewhere[path] if path in elsewhere and os.path.isfile(elsewhere[path]) else None
        claims.setdefault(photo or outside or path.with_suffix(".jpg"), []).append(path)
    for photo, paths in claims.items():
        same_stem = {path: path.stem.lower() == photo.stem.lower() for path in paths}
        ranks = {path: (same_stem[path], *source.likeness(photo, named[path][0], path)) for path in paths}
        best = max(ranks.values())
        first, *others = sorted(paths, key=lambda path: ranks[path] < best)
        files[photo] = first
        for path in others:
            if ranks[path] < best:
                own = path.with_suffix(".jpg")
                files[path.with_name(f"{path.name}.jpg") if own in claims or own.exists() else own] = path
                beaten.append((path, first))
            elif path.read_bytes() == first.read_bytes():
                copies += 1
            else:
                raise ValueError(
                    f"{first} and {path} differ, and both are of {photo}: --annotations takes the folder that counts"
                )
    if beaten:
        notes.append(
            f"{len(beaten)} annotation files fit a photo that another file fits better, and count as of missing ones: "
            "the first is {} beside {}".format(*beaten[0])
        )
    if copies:
        notes.append(f"{copies} annotation files are copies of others: each photo has its annotations once")
    return files, notes


def photos_of_rows(source, named):
    """The photos that the rows of annotation files mean, in formats that have one file for many photos.

    A row that names a photo by its path goes before one that fits it by name alone, and of the latter the likeliest.

    Args:
        source: `Source`.
        named: list of (name, annotation file, part), each as `Source.find` takes them.

    Returns:
        list of Path, as long as `named`: photos, and for photos that are missing the paths that they should have.
    """
    found, best = [], {}
    for name, path, part in named:
        photo = source.find(name, path, part)
        rank = () if photo is None else source.likeness(photo, name, path)
        if photo in source.named_by_path(name, path):
            rank = (float("inf"),)
        found.append((photo, rank))
        best[photo] = max(rank, best.get(photo, rank))
    return [
        photo if photo and rank == best[photo] else source.expected(name, path)
        for (photo, rank), (name, path, _) in zip(found, named, strict=True)
    ]


class Rows:
    """The rows of each photo from all files that name it: what a second one repeats counts once.

    Args:
        key: function from a row to what makes two rows the same object: its shape and class.

    Attributes:
        of: dict from the photo to its rows.
    """

    def __init__(self, key):
        self.key, self.of = key, {}
        self._sizes, self._again, self._repeated, self._differing = {}, set(), 0, set()

    def add(self, photo, rows, size=None):
        """Takes the rows of one entry of one file; size is the (height, width) that it states."""
        self._sizes.setdefault(photo, set()).add(size)
        if photo not in self.of:
            self.of[photo] = list(rows)
            return
        self._again.add(photo)
        known, new = {self.key(row) for row in self.of[photo]}, {self.key(row) for row in rows}
        if known != new:
            self._differing.add(photo)
        self._repeated += sum(self.key(row) in known for row in rows)
        self.of[photo] += [row for row in rows if self.key(row) not in known]

    def size(self, photo):
        """The size that a photo was annotated at, None if it is not stated.

        Raises:
            ValueError: if its entries state different ones.
        """
        if len(self._sizes[photo]) > 1:
            raise ValueError("annotated at different sizes in different files")
        (size,) = self._sizes[photo]
        return size

    def notes(self):
        """What was found twice, list of str."""
        if not self._again:
            return []
        notes = [f"{len(self._again)} photos are named more than once: {self._repeated} objects that repeat count once"]
        if self._differing:
            names = ", ".join(sorted(Path(photo).name for photo in self._differing)[:3])
            notes.append(
                f"for {len(self._differing)} of these photos the entries differ, and the objects of all count ({names}"
                f"{', ...' if len(self._differing) > 3 else ''}): if one file is an older state, take it away"
            )
        return notes
