"""What a job is and which photos make which of its shards, kept beside the results from its first start on.

    OUT/job.json        the settings, and how many photos and shards there are
    OUT/plan.parquet    every photo; a row group is a shard

As the plan is kept, a job that goes on after days ends with the photos with which it began, none twice and none lost,
whatever has been added to the source since.
"""

import dataclasses
import itertools
import json

from pipeline.segmenting.places import Place, without_secrets
from pipeline.segmenting.shards import FORMATS
from pipeline.segmenting.sources import Source


@dataclasses.dataclass(frozen=True)
class Job:
    """The settings on which results depend.

    Attributes:
        data: str. Address of the photos, see `pipeline.segmenting.sources.Source`.
        out: str. Path or URL of the folder for the results.
        column: str. Parquet: the column with the images.
        model: str. SHA-256 of the model's file.
        confidence: float. Lowest score that counts.
        limit: int. Most objects in a photo.
        format: str. `"jsonl"` or `"parquet"`.
        labels: bool. Whether to write semantic maps as PNG.
        shard_size: int. Photos a shard.
    """

    data: str
    out: str
    column: str
    model: str
    confidence: float
    limit: int
    format: str
    labels: bool
    shard_size: int

    def __post_init__(self):
        if self.format not in FORMATS:
            raise ValueError(f"format is {self.format!r}, expected one of {', '.join(FORMATS)}")
        if not 1 <= self.shard_size <= 100_000:
            raise ValueError(f"shard size is {self.shard_size}, expected 1 to 100000 photos")


class Plan:
    """The shards of a job.

    Args:
        out: `Place`. The folder of the results, with a finished plan in it.

    Attributes:
        photos: int. How many there are.
        shards: int. How many there are.
        left_out: int. Files of the source's folder that are no photos by their ending.
        skipped: int. Links to folders in it, and what could not be looked at.

    Raises:
        ValueError: if there is no plan.
    """

    def __init__(self, out):
        facts = _facts(out)
        if facts is None:
            raise ValueError(f"there is no job.json in {out.url}: is it the same folder on all machines?")
        self.skipped = facts.get("skipped", 0)
        self.photos, self.shards, self.left_out = facts["photos"], facts["shards"], facts["left_out"]
        self.shard_size = facts["job"]["shard_size"]
        self._file = out / "plan.parquet"
        self._table = None

    def photos_of(self, shard):
        """The photos of a shard.

        Returns:
            int, the number of the first of them, counted from 1, and a list of `(name, file, row)`.
        """
        import pyarrow.parquet as pq

        if self._table is None:
            self._table = pq.ParquetFile(self._file.open())
        rows = self._table.read_row_group(shard).to_pydict()
        return shard * self.shard_size + 1, list(zip(rows["name"], rows["file"], rows["row"], strict=True))


def open_plan(job):
    """The plan of a job, made and kept if this is its first start.

    Raises:
        ValueError: if the folder holds results of another job, or there are no photos.
        OSError: if the source cannot be listed or the folder cannot be written.
    """
    out = Place(job.out)
    facts = _facts(out)
    if facts is None:
        _write_plan(job, out)
    else:
        settings, before = _kept(dataclasses.asdict(job)), _kept(facts["job"])
        differing = [name for name, value in settings.items() if before.get(name) != value]
        if differing:
            was = ", ".join(f"{name} {before.get(name)!r}, now {settings[name]!r}" for name in differing)
            raise ValueError(f"{out.url} holds results of another job ({was}): give another --out, or the old settings")
    return Plan(out)


def _facts(out):
    file = out / "job.json"
    if not file.exists():
        return None
    try:
        facts = json.loads(file.read())
        facts["job"]["shard_size"], facts["shards"], facts["photos"], facts["left_out"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{file.url} is no description of a job: give another --out") from None
    return facts


def _kept(settings):
    """Settings as they are written down, compared and shown: without what lets somebody into the stores."""
    return {**settings, **{name: without_secrets(str(settings.get(name))) for name in ("data", "out")}}


def _write_plan(job, out):
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = Source(job.data, job.column)
    if source.base.is_same(out) and source.base is source.place:
        raise ValueError(f"{out.url} holds the photos: give the results another folder, which may lie in it")
    schema = pa.schema([("name", pa.string()), ("file", pa.string()), ("row", pa.int64())])
    out.make()
    photos, shards, count = source.photos(out), 0, 0
    with (
        (out / "plan.parquet").create() as stream,
        pq.ParquetWriter(stream, schema, compression="zstd") as writer,
    ):
        while rows := list(itertools.islice(photos, job.shard_size)):
            columns = zip(*rows, strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.table(arrays, schema=schema), row_group_size=job.shard_size)
            count, shards = count + len(rows), shards + 1
    if not count:
        raise ValueError(f"there are no photos in {source.place.url}")
    # Last: a plan without it was interrupted, and is made anew.
    facts = {
        "job": _kept(dataclasses.asdict(job)),
        "photos": count,
        "shards": shards,
        "left_out": source.left_out,
        "skipped": source.skipped,
    }
    (out / "job.json").write(json.dumps(facts, indent=2).encode() + b"\n")
