"""What `pipeline segment` costs beyond a plain loop of `segment_batch`, in turns on the same photos.

    python -m tools.segment_overhead DATA/val --photos 96 --engine onnx

Both read files, run the network and give COCO results; the job also plans, reads ahead and writes its shards. Says the
ratio of the times on the clock, and of the processor's time, which other programs on the machine move less.
"""

import argparse
import dataclasses
import statistics
import sys
import tempfile
import time
from pathlib import Path

from mrcnn.engines import ENGINES
from mrcnn.images import ENDINGS
from pipeline.segmenting.plan import Job, open_plan
from pipeline.segmenting.worker import BATCH, ModelFile, Worker


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m tools.segment_overhead",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="of photos")
    parser.add_argument("--photos", type=int, default=96, help="of each turn (default 96)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (default 5)")
    parser.add_argument("--engine", choices=ENGINES, help="what runs the network")
    parser.add_argument("--threads", type=int, help="of the network (default: all cores)")
    return parser.parse_args(arguments)


def plain_loop(model, paths):
    return [
        found.to_coco(number)
        for start in range(0, len(paths), BATCH)
        for number, found in enumerate(model.segment_batch(paths[start : start + BATCH]), start=start)
    ]


def timed(work):
    start, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - processor


def main(arguments=None):
    chosen = parse_arguments(arguments)
    paths = sorted(path for path in chosen.folder.rglob("*") if path.suffix.lower() in ENDINGS)[: chosen.photos]
    model_file = ModelFile("cat", chosen.engine)
    model = model_file.load(chosen.threads)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "photos.txt"
        data.write_text("".join(f"{path.resolve()}\n" for path in paths))
        job = Job(str(data), "", "image", model_file.sha256, 0.5, 30, "jsonl", False, len(paths))
        ratios = []
        for number in range(chosen.rounds + 1):
            own = dataclasses.replace(job, out=f"{folder}/{number}")
            open_plan(own)
            worker = Worker(own, model)
            both = [timed(lambda: plain_loop(model, paths)), timed(lambda worker=worker: worker.segment(0))]
            if number:  # the first turn warms up
                (plain, plain_cpu), (own_time, own_cpu) = both
                ratios.append((own_time / plain, own_cpu / plain_cpu))
                print(
                    f"plain {plain:.1f} s ({len(paths) / plain:.1f} photos a second, processor {plain_cpu:.1f} s), "
                    f"job {own_time:.1f} s ({len(paths) / own_time:.1f}, processor {own_cpu:.1f} s)",
                    flush=True,
                )
    clock, processor = (statistics.median(values) for values in zip(*ratios, strict=True))
    print(f"job / plain loop, median of {chosen.rounds}: {clock:.3f} on the clock, {processor:.3f} of processor time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
