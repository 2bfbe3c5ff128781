"""One model that works through shards: in this process, or as an actor of Ray's.

Threads fetch and decode photos while the network runs, and hand on what the network reads of each: memory holds a few
photos and some dozens of canvases, however many photos there are.
"""

import collections
import concurrent.futures
import contextlib
import multiprocessing
import tempfile
import threading
import time
from pathlib import Path

from mrcnn import MaskRCNN, weights
from mrcnn.images import decode_image
from pipeline.segmenting.places import Place
from pipeline.segmenting.plan import Plan
from pipeline.segmenting.shards import Shards, row_of
from pipeline.segmenting.sources import Source

READERS = 4  # threads that fetch and decode: as many photos at their full size are in memory
BATCH = 32  # photos that go to the network together; those of like shape share a run
PROBES = 5  # photos of other shards that are tried where nothing of a shard can be fetched
PATIENCE = 60  # seconds that a photo may take to decode where decoding has its own process


class ModelFile:
    """A model's file and its card, to be sent to machines that have neither.

    Args:
        name_or_path: str. A name under `weights/`, or a path.
        engine: str or `None`. As for `MaskRCNN.from_pretrained`.

    Attributes:
        sha256: str. Of the model's file.
        class_names: list of str.

    Raises:
        ValueError: if there is no such model, or it has no card.
    """

    def __init__(self, name_or_path, engine=None):
        path = weights.locate_runnable(name_or_path, engine)
        card = weights.read_card(path)
        if "config" not in card or "sha256" not in card:
            raise ValueError(f"{path} has no card that says what it is: {weights.card_path(path).name} is missing")
        weights.check_sum(path)
        self.name, self.sha256, self.class_names = path.name, card["sha256"], list(card["config"]["class_names"])
        self._files = {file.name: file.read_bytes() for file in (path, weights.card_path(path))}

    def load(self, threads=None):
        """The model, see `MaskRCNN.from_pretrained`."""
        with tempfile.TemporaryDirectory() as folder:
            for name, content in self._files.items():
                (Path(folder) / name).write_bytes(content)
            return MaskRCNN.from_pretrained(Path(folder) / self.name, threads=threads)


class Worker:
    """What looks at the photos of shards.

    Args:
        job: `pipeline.segmenting.plan.Job`, whose plan is written.
        model: `mrcnn.MaskRCNN`.
    """

    def __init__(self, job, model):
        out = Place(job.out)
        self._job, self._plan, self._shards = job, Plan(out), Shards(out, job.format)
        self._source = Source(job.data, job.column)
        self._model = model

    def segment(self, shard, progress=lambda photos: None):
        """Looks at the photos of a shard and writes what is found.

        Where somebody has begun the shard before and not come to its end, one of its photos may be to blame: decoding
        then happens in a process of its own, whose end or silence is that photo's error and no more.

        Args:
            shard: int.
            progress: function that is told how many further photos are done. Defaults to nothing.

        Returns:
            dict, the record of the shard: `photos`, `failures`, `objects` (a class's name to its number), `seconds`.

        Raises:
            OSError: if the source cannot be reached any more, or the results cannot be written. The shard is then not
                finished.
        """
        start = time.perf_counter()
        with contextlib.ExitStack() as stack:
            careful = self._shards.begin(shard)
            decode = stack.enter_context(DecodingApart()).decode if careful else decode_image
            first, photos = self._plan.photos_of(shard)
            rows, objects, lost = [], collections.Counter(), []
            batch = []  # image id, name, and what the network reads or an error
            for image_id, (name, made) in enumerate(self._letterboxed(photos, decode, stack), start=first):
                batch.append((image_id, name, made))
                if len(batch) == BATCH or len(rows) + len(batch) == len(photos):
                    rows += self._rows(shard, batch, objects, lost)
                    progress(len(batch))
                    batch = []
        if len(lost) == len(photos) and not self._can_fetch_any_but(shard):
            self._shards.forget(shard)
            raise OSError(
                f"none of {len(lost)} photos in a row could be fetched from {self._source.place.url} "
                f"({photos[0][0]}: {_sentence(lost[0])}); the same command goes on when they are there again"
            )
        record = {
            "photos": len(rows),
            "failures": sum(row["error"] is not None for row in rows),
            "objects": dict(objects),
            "seconds": round(time.perf_counter() - start, 3),
        }
        self._shards.write(shard, rows, record)
        return record

    def _can_fetch_any_but(self, shard):
        """Whether the source still gives a photo of another shard: then those that it does not give are gone for good.

        A mount point that has lost its disk, or a bucket that has lost its rights, gives none.
        """
        others = [number for number in range(self._plan.shards) if number != shard]
        for other in others[:: max(1, -(-len(others) // PROBES))]:
            _, photos = self._plan.photos_of(other)
            with contextlib.suppress(OSError, ValueError):
                next(self._source.contents(photos[:1]))()
                return True
        return False

    def _letterboxed(self, photos, decode, stack):
        """Name and `Letterboxed`, or the exception that came instead, of each photo in turn; read ahead by a batch."""
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(READERS))
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)

        def read(name, content):
            return self._model.letterbox(decode(content(), name.rpartition("/")[2] or "The photo"))

        waiting = collections.deque()
        for (name, _, _), content in zip(photos, self._source.contents(photos), strict=True):
            waiting.append((name, pool.submit(read, name, content)))
            if len(waiting) > BATCH:
                yield _outcome(*waiting.popleft())
        for one in waiting:
            yield _outcome(*one)

    def _rows(self, shard, batch, objects, lost):
        """The rows of a batch; adds to the counts of objects, and to the errors of photos that cannot be fetched."""
        job = self._job
        seen = [made for _, _, made in batch if not isinstance(made, Exception)]
        found = iter(self._model.detect_letterboxed(seen, job.confidence, job.limit))
        rows = []
        for image_id, name, made in batch:
            if isinstance(made, Exception):
                if isinstance(made, OSError):  # what cannot be decoded is a ValueError
                    lost.append(made)
                rows.append(row_of(image_id, name, error=_sentence(made)))
                continue
            instances = next(found).instances(job.confidence)
            objects.update(instances.class_names)
            if job.labels:
                self._shards.write_label(shard, image_id, instances)
            rows.append(row_of(image_id, name, instances))
        return rows


def _outcome(name, future):
    error = future.exception()
    if error is not None and not isinstance(error, ValueError | OSError):
        raise error
    return name, error or future.result()


def _sentence(error):
    if isinstance(error, FileNotFoundError):
        return "There is no such file."
    if isinstance(error, PermissionError):
        return "The file may not be read."
    return str(error)


class DecodingApart:
    """`mrcnn.images.decode_image` in a process of its own, one photo at a time; a context manager."""

    def __enter__(self):
        self._pool = None
        self._lock = threading.Lock()
        return self

    def __exit__(self, *_):
        self._end()

    def _end(self):
        if self._pool:
            self._pool.terminate()
            self._pool.join()
        self._pool = None

    def decode(self, content, name):
        """See `mrcnn.images.decode_image`.

        Raises:
            ValueError: also if it takes longer than a minute, or the process ends.
        """
        with self._lock:
            self._pool = self._pool or multiprocessing.get_context("spawn").Pool(1)
            try:
                return self._pool.apply_async(decode_image, (content, name)).get(PATIENCE)
            except multiprocessing.TimeoutError:
                self._end()
                raise ValueError(f"{name} takes more than {PATIENCE} seconds to decode, or ends its decoder.") from None
