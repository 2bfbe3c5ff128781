"""Folders and files by path or URL: this machine's, `s3://`, `gs://`, and whatever else fsspec knows.

Settings of a bucket go into its URL or the environment, as PyArrow reads them:
`s3://bucket/photos?region=eu-central-1`, `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`.
"""

import os
import posixpath

from mrcnn.atomic import raise_if_full

# Stores in which an object appears when it is written to the end, and not before.
WHOLE_OBJECTS = ("s3", "gcs", "abfs")


class Place:
    """A folder or a file on one of PyArrow's file systems.

    Args:
        url: str. A path, or a URL.

    Attributes:
        url: str. As it came, local paths made absolute.
        filesystem: `pyarrow.fs.FileSystem`.
        path: str. Within it, separated by `/`.

    Raises:
        ValueError: if the URL is none, or of a kind that is not installed.
    """

    def __init__(self, url):
        from pyarrow import ArrowException, fs

        self.url = url = os.fspath(url)
        if "://" not in url:
            self.url = os.path.abspath(url)
            self.filesystem, self.path = fs.LocalFileSystem(), self.url.replace(os.sep, "/")
            return
        try:
            self.filesystem, self.path = fs.FileSystem.from_uri(url)
        except (ArrowException, ValueError, OSError) as error:
            if "Unrecognized filesystem type" not in str(error):
                raise ValueError(f"{url} cannot be opened: {error}") from None
            self.filesystem, self.path = _by_fsspec(url)
        self.path = self.path.rstrip("/")

    def __truediv__(self, name):
        """What lies below a folder; `name` is a relative path or, as it may stand in a list of photos, any other."""
        if "://" in name:
            return Place(name)
        place = Place.__new__(Place)
        place.filesystem = self.filesystem
        place.path = posixpath.normpath(posixpath.join(self.path, name))
        place.url = place.path
        return place

    def parent(self):
        """The folder that it lies in."""
        return self / ".."

    def kind(self):
        """`"file"`, `"folder"` or `None`."""
        from pyarrow.fs import FileType

        return {FileType.File: "file", FileType.Directory: "folder"}.get(self._info().type)

    def exists(self):
        return self.kind() is not None

    def _info(self):
        return self.filesystem.get_file_info(self.path)

    def files(self):
        """The files below a folder, those of a folder before those of the folders in it, each by name.

        Only the names of one folder are in memory at a time.

        Yields:
            str. Relative path, with what is not UTF-8 in it as `os.fsdecode` has it.
        """
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            inner = []
            for base_name, is_folder in sorted(self._entries(posixpath.join(self.path, folder))):
                if base_name.startswith("."):
                    continue
                name = posixpath.join(folder, base_name)
                if is_folder:
                    inner.append(name)
                else:
                    yield name
            waiting += reversed(inner)

    def _entries(self, path):
        """The files and folders in a folder, in no order: the name of each, and whether it is a folder."""
        from pyarrow.fs import FileSelector, FileType

        if self.filesystem.type_name != "local":
            for entry in self.filesystem.get_file_info(FileSelector(path.rstrip("/"), allow_not_found=True)):
                if entry.type in (FileType.Directory, FileType.File):
                    yield entry.base_name, entry.type == FileType.Directory
        elif os.path.isdir(path):
            with os.scandir(path) as entries:  # PyArrow stops at a name that is not UTF-8
                for entry in entries:
                    if entry.is_dir() or entry.is_file():
                        yield entry.name, entry.is_dir()

    def open(self):
        """The file for reading, anywhere in it: a `pyarrow.NativeFile`."""
        return self.filesystem.open_input_file(self.path)

    def read(self, most=None):
        """Its content as bytes, at most so many of them."""
        with self.filesystem.open_input_stream(self.path) as file:
            return file.read(most)

    def write(self, content):
        """Writes bytes, completely or not at all. Folders that are missing are made.

        Raises:
            OSError: if it cannot be written; naming what to do, if the disk is full.
        """
        try:
            if self.filesystem.type_name in WHOLE_OBJECTS:
                self._put(self.path, content)
                return
            self.parent().make()
            part = f"{self.path}.part"
            self._put(part, content)
            self.filesystem.move(part, self.path)
        except OSError as error:
            raise_if_full(error, self.url)
            raise

    def _put(self, path, content):
        with self.filesystem.open_output_stream(path) as file:
            file.write(content)

    def make(self):
        """Makes the folder, and those that it lies in, where the store knows folders."""
        if self.filesystem.type_name not in WHOLE_OBJECTS:
            self.filesystem.create_dir(self.path, recursive=True)

    def delete(self):
        """Deletes the file, if it is there."""
        if self.kind() == "file":
            self.filesystem.delete_file(self.path)


def _by_fsspec(url):
    import fsspec
    from pyarrow import fs

    try:
        filesystem, path = fsspec.core.url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise ValueError(f"{url} cannot be opened: {error}") from None
    return fs.PyFileSystem(fs.FSSpecHandler(filesystem)), path
