"""The files of a data set that someone brings: photos, annotations, and which photo a name in an annotation means."""

import functools
import json
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

from mrcnn.images import ENDINGS
from pipeline.data.split import part_among, part_by_folder


class Source:
    """All files below a folder of photos and below the folder of their annotations, listed once.

    Hidden files are left out, and what an earlier `prepare` wrote.

    Args:
        data: Path. Folder of photos.
        annotations: Path or None. Folder or file of annotations. Defaults to `data`.

    Attributes:
        where: Path. Where annotations are looked for.
        folder: Path. The same, or the folder that it lies in if it is a file.
        images: list of Path, sorted. Every file below `data` that is an image by its ending.
    """

    def __init__(self, data, annotations=None):
        self.data = Path(data)
        self.annotations = Path(annotations) if annotations is not None else None
        self.where = self.annotations or self.data
        self.folder = self.where.parent if self.where.is_file() else self.where
        data_files = _files_below(self.data)
        if self.annotations is None:
            self._files = data_files
        else:
            self._files = [self.where] if self.where.is_file() else _files_below(self.where)
        self.images = [path for path in data_files if path.suffix.lower() in ENDINGS]

    def files(self, *suffixes):
        """The annotation files with one of these endings, such as `.json`."""
        return [path for path in self._files if path.suffix.lower() in suffixes]

    @functools.lru_cache(maxsize=4)  # noqa: B019  (a source lives as long as one preparation)
    def json(self, path):
        """The content of a JSON file, None if it is none."""
        try:
            return json.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError):
            return None

    def first_json(self, fits):
        """The first JSON file whose content `fits`, among the first of every folder; None if there is none."""
        seen = Counter()
        for path in self.files(".json"):
            seen[path.parent] += 1
            if (seen[path.parent] <= 3 or len(self.files(".json")) < 20) and fits(self.json(path)):
                return path
        return None

    def first_xml(self, tag):
        """The first XML file whose root has this tag, among the first ten; None if there is none."""
        for path in self.files(".xml")[:10]:
            try:
                if ElementTree.parse(path).getroot().tag == tag:
                    return path
            except (ElementTree.ParseError, UnicodeDecodeError):
                continue
        return None

    def find(self, name, beside=None, part=None):
        """The photo that an annotation names.

        A photo of the same name in another part of the data, as in valid/ for train/, is another photo.

        Args:
            name: str. A path as some tool wrote it: absolute or not, of any system, in any case.
            beside: Path or None. The annotation file; photos near it go before others of the same name.
            part: str or None. The part that the annotation file is named for; it counts if photos lie in such a folder.

        Returns:
            Path, or None if there is no such photo.

        Raises:
            ValueError: if the name fits several photos equally well.
        """
        by_path = self.named_by_path(name, beside)
        if not _split(name) or by_path:
            return by_path[0] if by_path else None
        folders, last = _split(name)[:-1], _split(name)[-1].lower()
        stem = last.removesuffix(Path(last).suffix) if Path(last).suffix in ENDINGS else last
        named = {part_among(folders), self.part_of_file(beside), part if part in self._part_folders else None, None}
        for same in (self._by_name.get(last, []), self._by_stem.get(stem, [])):
            fitting = [path for path in same if named == {None} or self._parts[path] in named]
            if fitting:
                break
        ranked = sorted(((self.likeness(path, name, beside), path) for path in fitting), reverse=True)
        if len(ranked) > 1 and ranked[0][0] == ranked[1][0]:
            paths = " and ".join(str(path) for _, path in ranked[:2])
            raise ValueError(f"{paths} have the same name, and {beside or name} does not tell which it means")
        return ranked[0][1] if ranked else None

    def named_by_path(self, name, beside=None):
        """The photos, at most two, that lie where a name says, seen from its annotation file and from the data."""
        folders = [*([beside.parent] if beside else []), self.data]
        return [path for path in (folder.joinpath(*_split(name)) for folder in folders) if path in self._known]

    def likeness(self, photo, name, beside=None):
        """How well a photo fits, to compare: how many of its folders are those named, and how near it lies."""
        return _likeness(photo, _split(name), beside)

    def expected(self, name, beside):
        """The path that a photo should have, which is missing."""
        return (beside.parent if part_by_folder(beside, self.data) else self.data) / name

    def may_mean(self, part, photo):
        """Whether an annotation file that lies in a part of the data, or in none (None), may be of a photo."""
        return part is None or self._parts[photo] in (part, None)

    def part_of_file(self, path):
        """The part of the data that an annotation file lies in, None if in none."""
        above = [self.data, *([self.where.parent] if self.annotations else [])]
        return next(filter(None, (part_by_folder(path, folder) for folder in above if path)), None)

    @functools.cached_property
    def _parts(self):
        return {path: part_by_folder(path, self.data) for path in self.images}

    @functools.cached_property
    def _part_folders(self):
        return set(self._parts.values())

    def summary(self):
        """What lies there, in words: "3 .jpg and 2 .json files"."""
        counts = Counter(path.suffix.lower() or "unnamed" for path in self._files).most_common(6)
        listed = [f"{count} {suffix} file{'s' * (count > 1)}" for suffix, count in counts]
        return " and ".join(filter(None, [", ".join(listed[:-1]), *listed[-1:]])) or "no files"

    @functools.cached_property
    def _known(self):
        return set(self.images)

    @functools.cached_property
    def _by_name(self):
        return _group(self.images, lambda path: path.name.lower())

    @functools.cached_property
    def _by_stem(self):
        return _group(self.images, lambda path: path.stem.lower())


def sorted_names(names):
    """Class names in the order of the alphabet, each once, empty ones left out."""
    return sorted(set(filter(None, names)), key=lambda name: (name.lower(), name))


def _files_below(folder):
    files = [
        path
        for path in folder.rglob("*")
        if not any(part.startswith(".") or part == "__MACOSX" for part in path.relative_to(folder).parts)
        and path.is_file()
    ]
    present = set(files)
    return sorted(path for path in files if not _was_prepared(path, present))


def _was_prepared(path, present):
    """Whether an earlier `prepare` wrote a file: `NAME.json` and its report, contact sheet and journal."""
    stem = re.sub(r"(\.report)?\.(json|txt)$|\.contact\.png$|\.json\.progress$", "", path.name)
    return stem != path.name and path.with_name(f"{stem}.report.json") in present


def _group(paths, key):
    groups = {}
    for path in paths:
        groups.setdefault(key(path), []).append(path)
    return groups


def _split(name):
    """The folders and the last part of a path of any system."""
    return [part for part in re.split(r"[/\\]+", str(name).strip()) if part not in ("", ".", "..")]


def _likeness(path, parts, beside):
    """How well a path fits: how many of its folders are those that the annotation names, and how near it is to it."""
    same = 0
    for mine, named in zip(reversed(path.parts[:-1]), reversed(parts[:-1]), strict=False):
        if mine.lower() != named.lower():
            break
        same += 1
    shared = 0
    for mine, other in zip(path.parts[:-1], beside.parts[:-1] if beside else (), strict=False):
        if mine != other:
            break
        shared += 1
    return same, shared, beside is not None and path.parent == beside.parent
