"""Where photos come from: a folder, a list file, or Parquet with a column of images.

A photo is named by a file and, within Parquet, by a row. Everything is read as a stream.
"""

import io
import itertools
import posixpath

from mrcnn.images import ENDINGS
from pipeline.segmenting.places import Place

LARGEST_FILE = 256_000_000  # bytes of a photo
ROWS_AT_ONCE = 32  # rows of Parquet whose images are in memory at a time
ACCEPTED = "a folder of photos, a list of them as .txt, or .parquet files"


class Source:
    """Photos by the address of all of them.

    Args:
        data: str. Path or URL of a folder, of a text file with one path or URL a line, of a Parquet file, or of a
            folder of such.
        column: str. Parquet: the column with the images, as bytes, as the `bytes` and `path` of Hugging Face's data
            sets, or as paths. Defaults to `"image"`.

    Attributes:
        left_out: int. Files of a folder that are no photos by their ending, once `photos` is exhausted.

    Raises:
        ValueError: if there is nothing there, or something else.
    """

    def __init__(self, data, column="image"):
        self.place, self.column, self.left_out = Place(data), column, 0
        kind = self.place.kind()
        if kind is None:
            raise ValueError(f"there is no {self.place.url}; expected {ACCEPTED}")
        ending = posixpath.splitext(self.place.path)[1].lower()
        if kind == "file" and ending not in (".txt", ".parquet"):
            raise ValueError(f"{self.place.url} is a file of another kind; expected {ACCEPTED}")
        self.base = self.place if kind == "folder" else self.place.parent()
        self._photos = {".txt": self._in_list, ".parquet": self._in_parquet}[ending] if kind == "file" else self._below

    def is_there(self):
        """Whether the source can still be reached."""
        try:
            return self.place.exists()
        except OSError:
            return False

    def photos(self):
        """Every photo, in an order that is the same each time as long as nothing changes.

        Yields:
            `(name, file, row)`: str for people; str relative to the source, or `None` where it is not UTF-8, which all
            stores and results are; int or `None`.
        """
        return self._photos()

    def _below(self):
        for name in self.base.files():
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

    def _in_list(self):
        try:
            with self.place.open() as file, io.TextIOWrapper(io.BufferedReader(file), "utf-8-sig") as lines:
                for line in lines:
                    name = line.strip()
                    if name and not name.startswith("#"):
                        yield name, name, None
        except UnicodeDecodeError:
            raise ValueError(f"{self.place.url} is no text in UTF-8; expected one path or address a line") from None

    def _in_parquet(self):
        yield from self._rows(posixpath.basename(self.place.path))

    def _rows(self, name):
        import pyarrow
        import pyarrow.parquet as pq

        try:
            with (self.base / name).open() as file:
                table = pq.ParquetFile(file)
                schema = table.schema_arrow
                if self.column not in schema.names:
                    raise ValueError(
                        f"{name} has no column {self.column!r}, only {', '.join(schema.names)}: say --column"
                    )
                kind = schema.field(self.column).type
                if pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind):
                    folder = posixpath.dirname(name)
                    for batch in table.iter_batches(columns=[self.column]):
                        for path in batch.column(0).to_pylist():
                            path = path or ""
                            yield path, path if "://" in path else posixpath.join(folder, path), None
                    return
                if not (_is_bytes(kind) or (pyarrow.types.is_struct(kind) and kind.get_field_index("bytes") >= 0)):
                    raise ValueError(f"the column {self.column!r} of {name} holds {kind}, expected bytes or paths")
                for row in range(table.metadata.num_rows):
                    yield f"{name}#{row}", name, row
        except pyarrow.ArrowInvalid as error:
            raise ValueError(f"{name} is damaged or no Parquet file: {error}") from None

    def contents(self, photos):
        """What is needed to read photos, in their order.

        Args:
            photos: list of `(name, file, row)`, as `photos` gave them.

        Yields:
            a function without arguments that gives the bytes of the photo; it raises OSError if they cannot be had. It
            may be called in another thread.
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
        content = (self.base / file).read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise ValueError(f"{file} is larger than the accepted {LARGEST_FILE // 1_000_000} MB.")
        return content

    def _from_table(self, file, rows):
        """Rows that follow one another, read as a stream of the row groups that they lie in."""
        import pyarrow.parquet as pq

        with (self.base / file).open() as opened:
            table = pq.ParquetFile(opened, buffer_size=1 << 20)
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
                    for value in batch.column(0).slice(max(rows[0] - place, 0), rows[-1] + 1 - max(place, rows[0])):
                        yield lambda value=value: self._of_cell(value.as_py())
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


def _is_bytes(kind):
    import pyarrow

    return pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)
