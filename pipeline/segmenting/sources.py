"""Where photos come from: a folder, a list file, or Parquet with a column of images.

A photo is named by a file and, within Parquet, by a row. Lists and Parquet are read as a stream.
"""

import io
import itertools
import posixpath
import time

from mrcnn.images import ENDINGS
from pipeline.segmenting.places import Place, as_os_errors

LARGEST_FILE = 256_000_000  # bytes of a photo
ROWS_AT_ONCE = 32  # rows of Parquet whose images are in memory at a time
TRIES = 3  # of a file whose store does not answer
ANSWERS = FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError  # that stay the same
ACCEPTED = "a folder of photos, a list of them as .txt, or .parquet files"


class Source:
    """Photos by the address of all of them.

    Args:
        data: str. Path or URL of a folder, of a text file with one path or URL a line, of a Parquet file, or of a
            folder of such.
        column: str. Parquet: the column with the images, as bytes, as the `bytes` and `path` of Hugging Face's data
            sets, or as paths. Defaults to `"image"`.

    Attributes:
        left_out, skipped: int. Files of a folder that are no photos by their ending, and links to folders and what may
            not be looked at, once `photos` is exhausted.

    Raises:
        ValueError: if there is nothing there, or something else.
    """

    def __init__(self, data, column="image"):
        self.place, self.column, self.left_out, self.skipped = Place(data), column, 0, 0
        kind = self.place.kind()
        if kind is None:
            raise ValueError(f"there is no {self.place.url}; expected {ACCEPTED}")
        ending = posixpath.splitext(self.place.path)[1].lower()
        if kind == "file" and ending not in (".txt", ".parquet"):
            raise ValueError(f"{self.place.url} is a file of another kind; expected {ACCEPTED}")
        self.base = self.place if kind == "folder" else self.place.parent()
        self._photos = {".txt": self._in_list, ".parquet": self._in_parquet}[ending] if kind == "file" else self._below

    def photos(self, out=None):
        """Every photo, in an order that is the same each time as long as nothing changes.

        Args:
            out: `Place` or `None`. A folder of results, in which there are no photos. Those of other jobs are known by
                what is in them.

        Yields:
            `(name, file, row)`: str for people; str relative to the source, or `None` where it is not UTF-8, which all
            stores and results are; int or `None`.
        """
        return self._photos(out)

    def _below(self, out):
        inside = out is not None and out.filesystem.equals(self.base.filesystem)

        def enter(path, names):
            return not (inside and path == out.path) and not {"job.json", "plan.parquet"} <= names

        def skip(name):
            self.skipped += 1

        for name in self.base.files(enter, skip):
            ending = posixpath.splitext(name)[1].lower()
            shown = name.encode(errors="backslashreplace").decode()
            if shown != name and ending in (*ENDINGS, ".parquet"):
                yield shown, None, None
            elif ending == ".parquet":
                yield from self._rows(name)
            elif ending in ENDINGS:
                yield name, name, None
            else:
                self.left_out += 1

    def _in_list(self, out):
        try:
            with (
                as_os_errors(self.place.url),
                self.place.open() as file,
                io.TextIOWrapper(io.BufferedReader(file), "utf-8-sig") as lines,
            ):
                for line in lines:
                    name = line.strip()
                    if name and not name.startswith("#"):
                        yield name, name, None
        except UnicodeDecodeError:
            raise ValueError(f"{self.place.url} is no text in UTF-8; expected one path or address a line") from None

    def _in_parquet(self, out):
        yield from self._rows(posixpath.basename(self.place.path))

    def _rows(self, name):
        import pyarrow
        import pyarrow.parquet as pq

        try:
            with as_os_errors(self.place.url), (self.base / name).open() as file:
                table = pq.ParquetFile(file, pre_buffer=False)
                if self._holds_paths(table, name):
                    folder = posixpath.dirname(name)
                    for batch in table.iter_batches(columns=[self.column]):
                        for path in batch.column(0).to_pylist():
                            path = path or ""
                            yield path, path if "://" in path else posixpath.join(folder, path), None
                    return
                for row in range(table.metadata.num_rows):
                    yield f"{name}#{row}", name, row
        except pyarrow.ArrowInvalid as error:
            raise ValueError(f"{name} is damaged or no Parquet file: {error}") from None

    def _holds_paths(self, table, name):
        """Whether a `ParquetFile` has paths in its column, and not images. Raises ValueError if it has neither."""
        import pyarrow

        schema = table.schema_arrow
        if self.column not in schema.names:
            raise ValueError(f"{name} has no column {self.column!r}, only {', '.join(schema.names)}: say --column")
        kind = schema.field(self.column).type
        if pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind):
            return True
        if not (_is_bytes(kind) or (pyarrow.types.is_struct(kind) and kind.get_field_index("bytes") >= 0)):
            raise ValueError(f"the column {self.column!r} of {name} holds {kind}, expected bytes or paths")
        return False

    def contents(self, photos):
        """What is needed to read photos, in their order.

        Args:
            photos: list of `(name, file, row)`, as `photos` gave them.

        Yields:
            for each of them, a function without arguments that gives the bytes of the photo; it raises OSError if they
            cannot be fetched, ValueError if they are none. It may be called in another thread.
        """
        for (file, in_table), group in itertools.groupby(photos, lambda photo: (photo[1], photo[2] is not None)):
            if in_table:
                yield from self._from_table(file, [row for _, _, row in group])
            else:
                for _ in group:
                    yield lambda file=file: self._from_file(file)

    def _from_file(self, file):
        if file is None:
            raise ValueError("Its name is not UTF-8: rename it.")
        for attempt in itertools.count(1):
            try:
                content = (self.base / file).read(LARGEST_FILE + 1)
                break
            except OSError as error:
                if not _try_again(error, attempt):
                    raise
        if len(content) > LARGEST_FILE:
            raise ValueError(f"{file} is larger than the accepted {LARGEST_FILE // 1_000_000} MB.")
        return content

    def _from_table(self, file, rows):
        """One for each row, whatever becomes of the file: what cannot be had is the error of the rows that lack it."""
        done = 0
        for attempt in itertools.count(1):
            try:
                for cell in self._cells(file, rows[done:]):
                    yield lambda cell=cell: self._of_cell(cell.as_py())
                    done += 1
                broken = ValueError("The file has fewer rows than it had when the job began.")
            except (ValueError, OSError) as error:
                broken = error
            if done == len(rows) or not _try_again(broken, attempt):
                break
        for _ in rows[done:]:
            yield lambda: _raise(broken)

    def _cells(self, file, rows):
        """Rows that follow one another, read as a stream of the row groups that they lie in."""
        import pyarrow.parquet as pq

        with as_os_errors(self.place.url), (self.base / file).open() as opened:
            # Else PyArrow would hold whole row groups.
            table = pq.ParquetFile(opened, buffer_size=1 << 20, pre_buffer=False)
            if self._holds_paths(table, file):
                raise ValueError(f"{file} holds paths now, and held images when the job began.")
            first, groups, place = None, [], 0
            for number in range(table.num_row_groups):
                end = place + table.metadata.row_group(number).num_rows
                if place <= rows[-1] and end > rows[0]:
                    first = place if first is None else first
                    groups.append(number)
                place = end
            place = first
            for batch in table.iter_batches(ROWS_AT_ONCE, row_groups=groups, columns=[self.column]):
                if place + len(batch) > rows[0]:
                    yield from batch.column(0).slice(max(rows[0] - place, 0), rows[-1] + 1 - max(place, rows[0]))
                place += len(batch)
                if place > rows[-1]:
                    return

    def _of_cell(self, value):
        if isinstance(value, dict):  # as Hugging Face's data sets have it: the bytes, or only where they are
            value, path = value.get("bytes"), value.get("path")
            if value is None and path:
                return self._from_file(path)
        if not value:
            raise ValueError("The row holds no image.")
        return value


def _try_again(error, attempt):
    """Whether another attempt may help; waits before it. A file that is not there is an answer, not a silent store."""
    if attempt == TRIES or not isinstance(error, OSError) or isinstance(error, ANSWERS):
        return False
    time.sleep(2**attempt)
    return True


def _raise(error):
    raise error.with_traceback(None)  # the rows of a file share it


def _is_bytes(kind):
    import pyarrow

    return pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)
