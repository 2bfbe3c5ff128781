"""A whole job: plan, shards that are not finished, summary."""

import collections
import json
import os
import time

from mrcnn.cores import usable_cores
from pipeline.segmenting import in_process, on_ray
from pipeline.segmenting.places import Place
from pipeline.segmenting.plan import open_plan
from pipeline.segmenting.shards import Shards

THREADS = 2  # cores of a worker where several share a machine


def run_job(job, model_file, ray="auto", workers=None, threads=None, progress=True):
    """Segment all photos of a job that are not segmented yet, and write the summary.

    Args:
        job: `pipeline.segmenting.plan.Job`.
        model_file: `pipeline.segmenting.worker.ModelFile`.
        ray: str. `"off"`: in this process. `"local"`: on a Ray cluster of this machine's cores, which ends with the
            job. `"auto"`: on the cluster that runs here or that RAY_ADDRESS names, else as `"local"` if this machine
            has room for several workers and Ray is installed, else in this process. Anything else: address of a
            cluster. Defaults to `"auto"`.
        workers: int or `None`. Most workers on Ray. Defaults to as many as there is room for.
        threads: int or `None`. Cores of a worker. Defaults to 2 on Ray, to all in this process.
        progress: bool. Whether to show a progress bar.

    Returns:
        dict, as written to OUT/summary.json: `photos`, `failures`, `objects` (a class's name to its number),
        `left_out` (files of other kinds), `skipped` (links to folders, and what could not be looked at),
        `worker_seconds`, and of the last run its `seconds` and `photos_per_second`.

    Raises:
        ValueError: if the settings or the source will not do.
        OSError: if the source cannot be reached or the results cannot be written.
    """
    from tqdm import tqdm

    plan = open_plan(job)
    shards = Shards(Place(job.out), job.format)
    records = shards.finished()
    before = sum(record["photos"] for record in records.values())
    start = time.perf_counter()
    waiting = [shard for shard in range(plan.shards) if shard not in records]
    done = list(records.values())
    with tqdm(total=plan.photos, initial=before, unit="photo", desc="segment", disable=not progress) as bar:
        if waiting:
            _run(job, model_file, waiting, ray, workers, threads, done.append, bar.update)
    seconds = time.perf_counter() - start
    objects = collections.Counter(dict.fromkeys(model_file.class_names, 0))
    for record in done:
        objects.update(record["objects"])
    summary = {
        "photos": sum(record["photos"] for record in done),
        "failures": sum(record["failures"] for record in done),
        "objects": dict(objects),
        "left_out": plan.left_out,
        "skipped": plan.skipped,
        "worker_seconds": round(sum(record["seconds"] for record in done), 1),
        "last_run": {
            "photos": plan.photos - before,
            "seconds": round(seconds, 1),
            "photos_per_second": round((plan.photos - before) / seconds, 2),
        },
        "model": {"file": model_file.name, "sha256": model_file.sha256, "class_names": model_file.class_names},
    }
    if waiting or not (Place(job.out) / "summary.json").exists():
        (Place(job.out) / "summary.json").write(json.dumps(summary, indent=2).encode() + b"\n")
    return summary


def _run(job, model_file, waiting, ray, workers, threads, finished, progress):
    address = _address(ray, threads or THREADS)
    if address is None:
        in_process.run(job, model_file, waiting, threads, finished, progress)
        return
    with on_ray.connected(address):
        on_ray.run(job, model_file, waiting, threads or THREADS, finished, progress, workers)


def _address(ray, threads):
    """Where to run: `None` for this process, else what `on_ray.connected` takes."""
    if ray == "off":
        return None
    if ray != "auto":
        return ray
    if not on_ray.is_installed():
        return None
    if os.environ.get("RAY_ADDRESS"):
        return os.environ["RAY_ADDRESS"]
    if on_ray.runs_here():
        return "auto"
    return "local" if usable_cores() >= 2 * threads else None
