"""The queue before the models: batches out of what waits, and as many models as the queue asks for.

A model that is free takes all that waits, up to a batch. So a single request never waits for others to come, and the
busier the service is, the larger its batches are.
"""

import asyncio
import collections
import concurrent.futures
import contextlib
import logging
from typing import NamedTuple

from pipeline.serving.replica import UNFORESEEN, Answer, Replica, ReplicaLost, Request

BATCH = 8  # requests that a model answers together
ANSWER_SECONDS = 30  # that a batch may take
WAIT_SECONDS = 30  # that a request may wait for a model
IDLE_SECONDS = 60  # after which a model that is more than the fewest goes
LOOK_SECONDS = 1.0  # between two looks at the queue

log = logging.getLogger(__name__)


class Busy(Exception):
    """There are as many requests as may wait, or this one has waited too long."""


class Asked(NamedTuple):
    """A request under way: what is asked, where the answer goes, and the clock that ends its wait for a model."""

    request: Request
    answer: asyncio.Future
    patience: asyncio.Timeout


class Models:
    """Replicas of a model behind a queue.

    Args:
        weights: str. Path of the model.
        fewest, most: int. How many replicas run, at the least and where requests pile up.
        threads: int. Most threads of a replica's run.
        places: int. Requests that may wait at a time.
        checksum: str or `None`. SHA-256 that the model's card must name, whenever a replica starts. Defaults to any.

    Attributes:
        replicas: list of `Replica` that are ready.
        batches, answered, lost: int. Batches so far, requests in them, and replicas that ended before their time.
    """

    def __init__(self, weights, fewest, most, threads, places, checksum=None):
        self._start = lambda: Replica(weights, threads, checksum)
        self._fewest, self._most = fewest, most
        self._queue = asyncio.Queue(places)
        self._tasks = set()
        self._threads = concurrent.futures.ThreadPoolExecutor(most + 1)
        self.replicas = []
        self._coming = 0  # replicas that are started in the place of lost ones
        self.batches = self.answered = self.lost = 0

    @property
    def waiting(self):
        """Requests in the queue."""
        return self._queue.qsize()

    async def start(self):
        """Starts the fewest replicas, and returns when they are ready.

        Raises:
            ValueError: if the model cannot be loaded.
            OSError: if a replica ends while it loads.
        """
        try:
            first = await asyncio.gather(*(self._in_thread(self._start) for _ in range(self._fewest)))
        except ReplicaLost:
            raise OSError("a process ended while it loaded the model: was the memory enough?") from None
        for replica in first:
            self._add(self._work(replica))
        self._add(self._watch())

    async def stop(self):
        """Ends all replicas."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def submit(self, request):
        """The answer to a request.

        Args:
            request: `pipeline.serving.replica.Request`.

        Returns:
            `pipeline.serving.replica.Answer`.

        A request whose task is cancelled, as its client has gone, is left out where no model works at it yet.

        Raises:
            Busy: if the queue is full or the request has waited too long.
        """
        answer = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(WAIT_SECONDS) as patience:  # its end cancels the answer
                self._queue.put_nowait(Asked(request, answer, patience))
                return await answer
        except (asyncio.QueueFull, TimeoutError):
            raise Busy from None

    def _in_thread(self, function, *arguments):
        return asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    def _add(self, work):
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self):
        """Starts another replica where more than a batch waits for every one, twice in a row."""
        before = False
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            piled_up = self.waiting > BATCH * max(len(self.replicas), 1)
            if piled_up and before and len(self.replicas) + self._coming < self._most:
                with contextlib.suppress(Exception):  # memory, or whatever else: those that run go on
                    self._add(self._work(await self._in_thread(self._start)))
            before = piled_up

    async def _work(self, replica):
        """Takes batches out of the queue for a replica, until it has idled for long enough."""
        self.replicas.append(replica)
        try:
            while True:
                try:
                    async with asyncio.timeout(IDLE_SECONDS):
                        batch = [await self._queue.get()]
                except TimeoutError:
                    if len(self.replicas) > self._fewest:
                        return
                    continue
                while len(batch) < BATCH and not self._queue.empty():
                    batch.append(self._queue.get_nowait())
                replica = await self._answer(replica, batch)
        finally:
            if replica in self.replicas:  # or it was lost, and its place is still empty
                self.replicas.remove(replica)
            replica.stop()

    async def _answer(self, replica, batch):
        """Answers a batch; gives the replica back, or the one that has taken its place.

        Where a replica is lost, each request is tried once more by itself; who loses another one is to blame.
        """
        _let_wait(batch, None)
        attempts = collections.deque([(batch, False)])
        while attempts:
            part, last = attempts.popleft()
            part = [asked for asked in part if not asked.answer.done()]  # it is, too, where the client has gone
            if not part:
                continue
            self.batches += 1
            self.answered += len(part)
            try:
                answers = await self._in_thread(replica.ask, [asked.request for asked in part], ANSWER_SECONDS)
            except ReplicaLost:
                self.lost += 1
                _let_wait(batch, WAIT_SECONDS)
                replica = await self._in_place_of(replica)
                _let_wait(batch, None)
                if not last:
                    attempts.extend(([asked], True) for asked in part)
                    continue
                sentence = f"{part[0].request.name} takes too long or too much memory; save it as a plain JPEG or PNG."
                answers = [Answer.error(422, sentence)]
            except Exception:  # else this task would end, and whoever waits would wait for ever
                log.exception("a batch could not be answered")
                answers = [Answer.error(500, UNFORESEEN)] * len(part)
            for asked, content in zip(part, answers, strict=True):
                if not asked.answer.done():
                    asked.answer.set_result(content)
        return replica

    async def _in_place_of(self, lost):
        self.replicas.remove(lost)
        self._coming += 1
        try:
            while True:
                try:
                    replica = await self._in_thread(self._start)
                except Exception as error:  # memory, or the weights are being replaced
                    log.warning("no model comes in the place of one that was lost: %s", error or type(error).__name__)
                    await asyncio.sleep(LOOK_SECONDS)
                else:
                    self.replicas.append(replica)
                    return replica
        finally:
            self._coming -= 1


def _let_wait(batch, seconds):
    """Lets what is not answered wait for so many seconds from now on; `None`: as long as a model works at it."""
    until = None if seconds is None else asyncio.get_running_loop().time() + seconds
    for asked in batch:
        if not asked.answer.done():
            asked.patience.reschedule(until)
