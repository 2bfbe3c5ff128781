"""The results of a shard, in one piece or not at all, and the record that says that it is finished.

    OUT/results/part-000012.jsonl (or .parquet)   a row a photo
    OUT/labels/part-000012/000006001.png          semantic maps by `image_id`, if asked for
    OUT/finished/part-000012.json                 photos, failures, objects a class

A row is `image_id` (from 1, in the order of the plan), `file_name`, `width`, `height`, `error` (why there is no
result, else null) and `annotations`: COCO results as `mrcnn.Instances.to_coco` gives them, with compressed run lengths.
"""

import contextlib
import io
import json

from mrcnn.results.drawing import semantic_image


def name_of(shard):
    return f"part-{shard:06d}"


def _jsonl(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _parquet(rows):
    import pyarrow as pa
    import pyarrow.parquet as pq

    segmentation = pa.struct([("size", pa.list_(pa.int32())), ("counts", pa.string())])
    annotation = pa.struct(
        [
            ("image_id", pa.int64()),
            ("category_id", pa.int32()),
            ("bbox", pa.list_(pa.float64())),
            ("score", pa.float64()),
            ("area", pa.int64()),
            ("segmentation", segmentation),
        ]
    )
    schema = pa.schema(
        [
            ("image_id", pa.int64()),
            ("file_name", pa.string()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("error", pa.string()),
            ("annotations", pa.list_(annotation)),
        ]
    )
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), content, compression="zstd")
    return content.getvalue()


FORMATS = {"jsonl": _jsonl, "parquet": _parquet}


def row_of(image_id, name, found=None, error=None):
    """The row of a photo: what was found in it (`mrcnn.Instances`), or why it could not be looked at (str)."""
    height, width = (None, None) if found is None else found.image_size
    return {
        "image_id": image_id,
        "file_name": name,
        "width": width,
        "height": height,
        "error": error,
        "annotations": [] if found is None else found.to_coco(image_id),
    }


class Shards:
    """The folder of a job's results.

    Args:
        out: `pipeline.segmenting.places.Place`.
        kind: str. One of `FORMATS`.
    """

    def __init__(self, out, kind):
        self.out, self.kind = out, kind

    def finished(self):
        """The finished shards: a dict from their number to their record. One that is damaged does not count."""
        folder, records = self.out / "finished", {}
        for name in folder.files():
            if name.startswith("part-") and name.endswith(".json"):
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    record = json.loads((folder / name).read())
                    record["photos"], record["failures"], record["objects"], record["seconds"]
                    records[record["shard"]] = record
        return records

    def begin(self, shard):
        """Notes that a shard is worked on.

        Returns:
            bool. Whether it was before, by somebody who did not come to its end.
        """
        mark = self._mark(shard)
        if mark.exists():
            return True
        mark.write(b"")
        return False

    def forget(self, shard):
        """Takes `begin` back, where a shard is left without its worker's end."""
        self._mark(shard).delete()

    def write_label(self, shard, image_id, found):
        """Writes the semantic map of a photo."""
        content = io.BytesIO()
        semantic_image(found.semantic_map()).save(content, "PNG", compress_level=2)
        (self.out / f"labels/{name_of(shard)}/{image_id:09d}.png").write(content.getvalue())

    def write(self, shard, rows, record):
        """Writes the rows of a shard, then its record. What was there is replaced: it can only be the same."""
        (self.out / f"results/{name_of(shard)}.{self.kind}").write(FORMATS[self.kind](rows))
        (self.out / f"finished/{name_of(shard)}.json").write(json.dumps({"shard": shard, **record}).encode())
        self.forget(shard)

    def _mark(self, shard):
        return self.out / f"begun/{name_of(shard)}"
