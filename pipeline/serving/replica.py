"""A model in a process of its own, which answers batches of requests; its end or silence is noticed."""

import dataclasses
import io
import json
import logging
import multiprocessing
import os
import signal
import time

import numpy as np

from mrcnn.images import decode_image
from mrcnn.letterbox import STRIDE
from mrcnn.results.documents import coco_document

START_SECONDS = 600  # loading TensorFlow takes seconds, but minutes on a machine that is busy
LARGEST_CANVAS = 2048  # pixels of a side
UNFORESEEN = "Something went wrong here; the log says what."

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Request:
    """What one client asks for.

    Attributes:
        kind: str. `"segment"`: a photo, to be answered by a COCO document. `"detect"`: a canvas as
            `mrcnn.engines.service.ServiceEngine` sends it, to be answered by the network's rows.
        content: bytes of the image file.
        name: str. What an error and the document call it.
        confidence: float. Lowest score, 0 to 1.
        limit: int. Most objects.
        photo_size: `(height, width)` in pixels of the photo in the top left corner of a canvas, as far as the canvas
            goes. Defaults to all of it.
    """

    kind: str
    content: bytes
    name: str
    confidence: float
    limit: int
    photo_size: tuple[int, int] = (LARGEST_CANVAS, LARGEST_CANVAS)


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a client gets.

    Attributes:
        status: int. Of HTTP.
        content: bytes.
        kind: str. Media type of the content.
    """

    status: int
    content: bytes
    kind: str = "application/json"

    @classmethod
    def error(cls, status, sentence):
        return cls(status, json.dumps({"error": sentence}, ensure_ascii=False).encode(errors="replace"))


class ReplicaLost(Exception):
    """The process has ended or does not answer; its model is gone."""


def answer_all(model, requests):
    """Answers a batch; those of one kind share a run of the network.

    Args:
        model: `mrcnn.MaskRCNN`.
        requests: list of `Request`.

    Returns:
        list of `Answer`, in the same order. An image that will not do is an error of its own.
    """
    answers = [None] * len(requests)
    start = time.perf_counter()
    for kind, run in (("segment", _segment), ("detect", _detect)):
        read = {}
        for number, request in enumerate(requests):
            if request.kind == kind:
                try:
                    image = decode_image(request.content, request.name)
                    read[number] = model.letterbox(image) if kind == "segment" else _with_window(image, request)
                except ValueError as error:
                    answers[number] = Answer.error(422, str(error))
        if read:
            # Suppression goes from the best detection down: a lower confidence only adds rows behind.
            asked = [requests[number] for number in read]
            confidence, limit = min(r.confidence for r in asked), max(r.limit for r in asked)
            results = run(model, asked, list(read.values()), confidence, limit, start)
            for number, answer in zip(read, results, strict=True):
                answers[number] = answer
    return answers


def answer_whatever_comes(model, requests):
    """`answer_all`; of what it cannot answer in a way that nobody foresaw, each request gets an error of its own."""
    try:
        return answer_all(model, requests)
    except Exception:
        if len(requests) > 1:
            return [answer for request in requests for answer in answer_whatever_comes(model, [request])]
        log.exception("a request could not be answered")
        return [Answer.error(500, UNFORESEEN)]


def _with_window(image, request):
    """The canvas, and the window of the photo in it."""
    height, width = image.shape[:2]
    if height % STRIDE or width % STRIDE or max(height, width) > LARGEST_CANVAS:
        raise ValueError(
            f"The canvas has {width} x {height} pixels, expected multiples of {STRIDE} up to {LARGEST_CANVAS}."
        )
    bottom, right = np.minimum(request.photo_size, image.shape[:2])
    return image, (0, 0, bottom, right)


def _segment(model, requests, photos, confidence, limit, start):
    found = model.detect_letterboxed(photos, confidence, limit)
    milliseconds = 1000 * (time.perf_counter() - start)
    for request, detections in zip(requests, found, strict=True):
        instances = detections[: request.limit].instances(request.confidence)
        document = coco_document(instances, request.name, model.class_names, milliseconds)
        yield Answer(200, json.dumps(document, ensure_ascii=False).encode())


def _detect(model, requests, canvases, confidence, limit, start):
    for request, rows in zip(requests, model.detect_canvases(canvases, confidence, limit), strict=True):
        kept = np.flatnonzero(rows["scores"] >= request.confidence)[: request.limit]
        rows = {name: values[kept] for name, values in rows.items()}
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **{**rows, "masks": rows["masks"].astype(np.float16)})
        yield Answer(200, content.getvalue(), "application/octet-stream")


def load(weights, threads, checksum):
    """The model, warmed up. Raises ValueError where its file is not the one with which the service started."""
    from mrcnn import MaskRCNN

    model = MaskRCNN.from_pretrained(weights, threads=threads)
    if checksum and model.card.get("sha256") != checksum:
        raise ValueError(f"{weights} has changed since the service started: start it again")
    model.segment(np.zeros((288, 384, 3), np.uint8))  # the first run is several times slower than the others
    return model


def _run(connection, weights, threads, checksum):
    """What the process does: loads the model, then answers until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it says when it ends
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        model = load(weights, threads, checksum)
    except (ValueError, OSError) as error:
        connection.send(str(error))
        return
    connection.send(None)
    while True:
        try:
            requests = connection.recv()
        except EOFError:
            return
        connection.send(answer_whatever_comes(model, requests))


class Replica:
    """A process with a model, from start to `stop`. Its methods block.

    Args:
        weights: str. Path of the model; its ending says what runs it.
        threads: int. Most threads of a run.
        checksum: str or `None`. SHA-256 that its card must name. Defaults to any.

    Raises:
        ValueError: if the model cannot be loaded.
        ReplicaLost: if the process ends while it loads.
    """

    def __init__(self, weights, threads, checksum=None):
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(theirs, weights, threads, checksum), daemon=True)
        self._process.start()
        theirs.close()
        error = self._receive(START_SECONDS)
        if error:
            self.stop()
            raise ValueError(error)

    def ask(self, requests, seconds):
        """The answers to a batch.

        Args:
            requests: list of `Request`.
            seconds: float. How long they may take.

        Returns:
            list of `Answer`.

        Raises:
            ReplicaLost: if the process has ended or takes longer; it is ended then.
        """
        try:
            self._connection.send(requests)
        except OSError:
            self.stop()
            raise ReplicaLost from None
        return self._receive(seconds)

    def _receive(self, seconds):
        try:
            if self._connection.poll(seconds):
                return self._connection.recv()
        except Exception:  # it has ended, or what came is no answer: what comes next would not be either
            pass
        self.stop()
        raise ReplicaLost

    def stop(self):
        """Ends the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._connection.close()
