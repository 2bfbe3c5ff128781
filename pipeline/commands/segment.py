"""Segment many photos: a folder, a bucket, a list or Parquet; on one machine, or on a Ray cluster.

    python -m pipeline segment --data photos/ --out results/
    python -m pipeline segment --data s3://bucket/photos --out s3://bucket/results --format parquet --ray auto
    python -m pipeline segment --data photos.parquet --column image --out results/ --engine onnx --ray off

--data is a folder (searched through and through, but for links to folders), a text file with one path or URL a line, a
.parquet file or a folder of them. Paths and URLs as PyArrow takes them (s3://, gs://), or fsspec. It writes:

    OUT/results/part-000000.jsonl    a row a photo, in order: image_id, file_name, width, height, error and annotations
                                     (COCO results with run-length masks); or .parquet
    OUT/labels/...                   with --labels, semantic maps as PNG, named by image_id
    OUT/summary.json                 photos, failures, objects a class, rate

A photo that cannot be read is a row with its `error`. Stopped or killed at any moment, the same command goes on with
the shards that are not finished; OUT/plan.parquet keeps which photos these are. It ends with 1 if not one photo could
be read. See docs/scale.md.
"""

import sys

from mrcnn.engines import ENGINES
from pipeline.segmenting.shards import FORMATS


def add_arguments(parser):
    parser.add_argument("--data", required=True, metavar="FOLDER_OR_URL", help="where the photos are")
    parser.add_argument("--out", required=True, metavar="FOLDER_OR_URL", help="where the results go")
    parser.add_argument("--weights", default="cat", metavar="NAME", help="a model under weights/, or a path")
    parser.add_argument("--engine", choices=ENGINES, help="what runs the network (default: as for python -m mrcnn)")
    parser.add_argument("--confidence", type=float, default=0.5, metavar="0-1", help="lowest score (default 0.5)")
    parser.add_argument("--limit", type=int, default=30, metavar="N", help="most objects in one photo (default 30)")
    parser.add_argument("--column", default="image", help="Parquet: the column with the images (default image)")
    parser.add_argument("--format", choices=FORMATS, default="jsonl", help="of the results (default jsonl)")
    parser.add_argument("--labels", action="store_true", help="also write semantic maps as PNG")
    parser.add_argument("--shard-size", type=int, default=500, metavar="N", help="photos a shard (default 500)")
    parser.add_argument(
        "--ray",
        default="auto",
        metavar="auto|local|ADDRESS|off",
        help="auto: the cluster that runs here or that RAY_ADDRESS names, else local where several workers have room "
        "and Ray is installed, else off; local: one of this machine's cores; off: in this process (default auto)",
    )
    parser.add_argument("--workers", type=int, metavar="N", help="Ray: most workers (default: as many as have room)")
    parser.add_argument("--threads", type=int, metavar="N", help="cores of a worker (default: Ray 2, else all)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def main(arguments):
    from mrcnn.model import MOST_OBJECTS
    from pipeline.segmenting.job import run_job
    from pipeline.segmenting.places import without_secrets
    from pipeline.segmenting.plan import Job
    from pipeline.segmenting.worker import ModelFile

    if not 0 <= arguments.confidence <= 1:
        raise ValueError(f"--confidence must lie between 0 and 1, but is {arguments.confidence}")
    if arguments.limit > MOST_OBJECTS:
        raise ValueError(f"--limit must be at most {MOST_OBJECTS}, but is {arguments.limit}")
    for name in ("limit", "workers", "threads"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise ValueError(f"--{name} must be at least 1, but is {value}")
    model_file = ModelFile(arguments.weights, arguments.engine)
    job = Job(
        data=_absolute(arguments.data),
        out=_absolute(arguments.out),
        column=arguments.column,
        model=model_file.sha256,
        confidence=arguments.confidence,
        limit=arguments.limit,
        format=arguments.format,
        labels=arguments.labels,
        shard_size=arguments.shard_size,
    )
    try:
        summary = run_job(
            job, model_file, arguments.ray, arguments.workers, arguments.threads, progress=not arguments.quiet
        )
    except KeyboardInterrupt:
        print("stopped: finished shards are kept, the same command goes on", file=sys.stderr)
        return 130
    run = summary["last_run"]
    objects = ", ".join(f"{count} {name}" for name, count in summary["objects"].items() if count) or "nothing"
    out = without_secrets(arguments.out)
    print(f"{summary['photos']} photos: found {objects}; {summary['failures']} could not be read -> {out}")
    if run["photos"]:
        print(f"{run['photos']} photos in {run['seconds']:.0f} s, {run['photos_per_second']:.1f} a second")
    if summary["left_out"]:
        print(f"{summary['left_out']} files were left out, as their names do not end as those of photos")
    if summary["skipped"]:
        print(f"{summary['skipped']} files and folders were passed over: links to folders, or they may not be read")
    if summary["failures"] == summary["photos"]:
        print("not one of the photos could be read: the rows say why", file=sys.stderr)
        return 1
    return 0


def _absolute(place):
    """Workers may have another working folder."""
    from pipeline.segmenting.places import Place

    return place if "://" in place else Place(place).url
