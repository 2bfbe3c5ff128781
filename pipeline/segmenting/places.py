"""Folders and files by path or URL: this machine's, `s3://`, `gs://`, and whatever else fsspec knows.

Settings of a bucket go into its URL or the environment, as PyArrow reads them:
`s3://bucket/photos?region=eu-central-1`, `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`.
"""

import contextlib
import os
import posixpath
import re

from mrcnn.atomic import atomic_file, raise_if_full, write_atomically

# What lets somebody into a store: the user before the host, up to the @, and parameters by their names.
USER = re.compile(r"([^/@:?]*)(:(?!\d+/)[^@?]*)?@")
SECRET = re.compile("key|secret|token|pass|sig|credential", re.IGNORECASE)
# Where the user is a container or an account, and only what follows the colon is secret.
NAMED_BY_USER = ("abfs", "abfss", "wasb", "wasbs", "hdfs", "sftp", "ssh")
# Stores in which an object appears when it is written to the end, and not before.
WHOLE_OBJECTS = ("s3", "gcs", "abfs")


class Place:
    """A folder or a file on one of PyArrow's file systems.

    Args:
        url: str. A path, or a URL.

    Attributes:
        url: str. As it may be shown: local paths made absolute, see `without_secrets` for others.
        filesystem: `pyarrow.fs.FileSystem`.
        path: str. Within it, separated by `/`.

    Raises:
        ValueError: if the URL is none, or of a kind that is not installed.
    """

    def __init__(self, url):
        from pyarrow import ArrowException, fs

        url, self._fsspec = os.fspath(url), None
        if "://" not in url:
            self.url = os.path.abspath(url)
            self.filesystem, self.path = fs.LocalFileSystem(), self.url.replace(os.sep, "/")
            return
        self.url = without_secrets(url)
        try:
            self.filesystem, self.path = fs.FileSystem.from_uri(url)
        except (ArrowException, ValueError, OSError) as error:
            if "Unrecognized filesystem type" not in str(error):
                raise ValueError(f"{self.url} cannot be opened: {str(error).replace(url, self.url)}") from None
            self._fsspec, self.path = _by_fsspec(url)
            self.filesystem = fs.PyFileSystem(fs.FSSpecHandler(self._fsspec))
        self.path = self.path.rstrip("/")

    def __truediv__(self, name):
        """What lies below a folder; `name` is a relative path or, as it may stand in a list of photos, any other."""
        if "://" in name:
            return Place(name)
        place = Place.__new__(Place)
        place.filesystem, place._fsspec = self.filesystem, self._fsspec
        place.path = posixpath.normpath(posixpath.join(self.path, name))
        place.url = place.path
        return place

    def parent(self):
        """The folder that it lies in."""
        return self / ".."

    def is_same(self, other):
        """Whether two places are one."""
        return self.path == other.path and self.filesystem.equals(other.filesystem)

    def kind(self):
        """`"file"`, `"folder"` or `None`."""
        from pyarrow.fs import FileType

        return {FileType.File: "file", FileType.Directory: "folder"}.get(self._info().type)

    def exists(self):
        return self.kind() is not None

    def _info(self):
        with as_os_errors(self.url):
            return self.filesystem.get_file_info(self.path)

    @property
    def _is_local(self):
        return self.filesystem.type_name == "local"

    def files(self, enter=lambda path, names: True, skip=lambda name: None):
        """The files below a folder, those of a folder before those of the folders in it, each by name.

        Only the names of one folder are in memory at a time. Links to folders, which may lead in circles, are not
        followed.

        Args:
            enter: function that is given the path of a folder below this one and the names in it, a set, and says
                whether it is looked through. Defaults to always.
            skip: function that is given what is passed over: links to folders, and what may not be looked at.

        Yields:
            str. Relative path, with what is not UTF-8 in it as `os.fsdecode` has it.
        """
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            path = posixpath.join(self.path, folder)
            try:
                entries = sorted(self._entries(path, skip))
            except OSError:
                if not (folder and self._is_local):  # of a store that does not answer, nothing may be left out
                    raise
                skip(folder)
                continue
            if folder and not enter(path, {base_name for base_name, _ in entries}):
                continue
            inner = []
            for base_name, is_folder in entries:
                if base_name.startswith("."):
                    continue
                name = posixpath.join(folder, base_name)
                if is_folder:
                    inner.append(name)
                else:
                    yield name
            waiting += reversed(inner)

    def _entries(self, path, skip):
        """The files and folders in a folder, in no order: the name of each, and whether it is a folder."""
        from pyarrow.fs import FileSelector, FileType

        if not self._is_local:
            with as_os_errors(self.url):
                entries = self.filesystem.get_file_info(FileSelector(path.rstrip("/"), allow_not_found=True))
            for entry in entries:
                if entry.type in (FileType.Directory, FileType.File):
                    yield entry.base_name, entry.type == FileType.Directory
        elif os.path.isdir(path):
            with os.scandir(path) as entries:  # PyArrow stops at a name that is not UTF-8
                for entry in entries:
                    try:
                        is_folder = entry.is_dir(follow_symlinks=False)
                        if is_folder or entry.is_file():
                            yield entry.name, is_folder
                        elif entry.is_dir():
                            skip(entry.name)
                    except OSError:
                        skip(entry.name)

    def open(self):
        """The file for reading, anywhere in it: a `pyarrow.NativeFile`."""
        import pyarrow

        with as_os_errors(self.url):
            if self._fsspec is not None:  # PyArrow would call whatever goes wrong a file that is not there
                return pyarrow.PythonFile(self._fsspec.open(self.path, "rb"), mode="r")
            return self.filesystem.open_input_file(self.path)

    def read(self, most=None):
        """Its content as bytes, at most so many of them; more where a store knows no parts.

        Raises:
            OSError: if it cannot be read, whatever the package of the store raises.
        """
        with as_os_errors(self.url):
            if self._fsspec is not None:
                return self._fsspec.cat_file(self.path, *(() if most is None else (0, most)))
            with self.filesystem.open_input_stream(self.path) as file:
                return file.read(most)

    def create(self):
        """The file for writing as a stream; a context manager. A local one is there completely or not at all."""
        return atomic_file(self.path) if self._is_local else self.filesystem.open_output_stream(self.path)

    def write(self, content):
        """Writes bytes, completely or not at all. Folders that are missing are made.

        Raises:
            OSError: if it cannot be written; naming what to do, if the disk is full.
        """
        if self._is_local:
            write_atomically(self.path, content)
            return
        try:
            with as_os_errors(self.url):
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


def without_secrets(url):
    """An address as it may be shown and kept: without user, password, and parameters such as keys and signatures."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    user = USER.match(rest)
    if user:
        rest = (f"{user[1]}@" if scheme in NAMED_BY_USER and user[1] else "") + rest[user.end() :]
    rest, _, query = rest.partition("?")
    kept = "&".join(each for each in query.split("&") if not SECRET.search(each.partition("=")[0]))
    return f"{scheme}://{rest}" + (f"?{kept}" if kept else "")


@contextlib.contextmanager
def as_os_errors(url):
    """Within it, errors of the packages behind fsspec, which have kinds of their own, become OSError in a sentence."""
    try:
        yield
    except (OSError, ValueError):
        raise
    except Exception as error:
        status = getattr(error, "status", None)  # of HTTP
        # An address in the text may hold secrets.
        words = f": {error}" if str(error) and "://" not in str(error) else ""
        what = f"the answer is HTTP {status}" if status else f"{type(error).__name__}{words}"
        raise OSError(f"{url} cannot be reached: {what}") from None


def _by_fsspec(url):
    import fsspec

    try:
        return fsspec.core.url_to_fs(url)
    except (ValueError, ImportError) as error:
        shown = without_secrets(url)
        raise ValueError(f"{shown} cannot be opened: {str(error).replace(url, shown)}") from None
