"""A network that runs in another process, behind `python -m pipeline serve`, in the place of one here.

    MaskRCNN.from_service("http://127.0.0.1:8000")

What crosses the network is what the network reads and says: a letterboxed canvas as PNG, some 200 KB whatever the size
of the photo, and rows with their soft masks. Many pages can so share few models, whose service puts their canvases
together into batches.
"""

import concurrent.futures
import io
import logging
import time

import numpy as np
from PIL import Image

from mrcnn import letterbox
from mrcnn.config import config_from_card
from mrcnn.results.detections import Detections

AT_ONCE = 8  # canvases of a call that are under way at a time
PATIENCE = 60  # seconds that an answer may take
BUSY = 503
MODEL_HEADER = "Model-SHA256"  # of an answer: the checksum of the weights that gave it
TRIES_WHEN_BUSY = 5

log = logging.getLogger(__name__)


class ServiceEngine:
    """What `MaskRCNN` needs of an engine, run by a service.

    Args:
        url: str. Address of the service.

    Attributes:
        url: str. As it came.
        card: dict. What is known of its weights, see `mrcnn.weights`, and the `name` that the service gives the model.

    Raises:
        ValueError: if it does not answer, or runs a model of another preset than `lite`.
    """

    network = None
    size_multiple = 1  # this and the letterbox are those of the preset lite, see `mrcnn.network.Network`
    letterbox = staticmethod(letterbox.letterbox)

    def __init__(self, url):
        try:
            import httpx
        except ImportError:
            raise ValueError("a model behind a service needs a package: pip install httpx") from None
        self.url = url.rstrip("/")
        try:
            self._client = httpx.Client(base_url=self.url, timeout=PATIENCE)
        except (httpx.InvalidURL, ValueError) as error:
            raise ValueError(f"{url} is no address of a service: {error}") from None
        self._errors = (httpx.HTTPError, httpx.InvalidURL)
        self._pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
        try:
            answer = self._ask("GET", "/model")
        except ValueError as error:
            raise ValueError(f"{error.args[0]} It was asked at {url}: {error.__cause__ or 'see its log'}") from None
        try:
            document = answer.json()
            self.card = {**document["card"], "name": document["name"]}
            self.config = config_from_card(self.card["config"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{url} answers, but not as a service of this project does ({error!r})") from None
        if self.config.preset != "lite":
            # As with ONNX files: other presets need windows, and a letterbox of their own.
            raise ValueError(f"{url} runs a model of the preset {self.config.preset}; only lite models do as a service")

    def detections(self, found, window, image_size):
        """As `mrcnn.network.Network.detections`."""
        boxes = letterbox.to_image(found["boxes"], window, image_size)
        return Detections.from_network(found, boxes, image_size, self.config)

    def detect(self, images, confidence, limit, windows):
        """As `mrcnn.engines.tensorflow.TensorFlowEngine.detect`; masks come as float16.

        Raises:
            ValueError: if the service does not answer, is busy for longer than ten seconds, or runs another model than
                when this engine was made, whose classes may have other names.
        """
        settings = {"confidence": repr(float(confidence)), "limit": str(int(limit))}
        rows = list(self._pool.map(lambda image, window: self._detect_one(image, window, settings), images, windows))
        joined = {name: np.concatenate([each[name] for each in rows]) for name in rows[0]}
        image_index = np.repeat(np.arange(len(rows), dtype=np.int32), [len(each["scores"]) for each in rows])
        return {"image_index": image_index, **joined}

    def _detect_one(self, image, window, settings):
        _, _, bottom, right = window  # the letterbox puts an image into the corner
        settings = settings | {"height": str(int(bottom)), "width": str(int(right))}
        content = io.BytesIO()
        Image.fromarray(image).save(content, "PNG", compress_level=1)
        answer = self._ask("POST", "/detect", params=settings, content=content.getvalue())
        model = answer.headers.get(MODEL_HEADER)
        if model is not None and model != self.card.get("sha256", model):
            log.warning("%s runs another model now: %s", self.url, model)
            raise ValueError("The model's service runs another model than before; start this program again to use it.")
        with np.load(io.BytesIO(answer.content), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}

    def _ask(self, method, path, **content):
        for attempt in range(TRIES_WHEN_BUSY):
            if attempt:
                time.sleep(attempt)
            try:
                answer = self._client.request(method, path, **content)
            except self._errors as error:
                # Whoever sends a photo need not know where the service is.
                log.warning("%s does not answer: %s", self.url, error)
                raise ValueError("The model's service does not answer.") from error
            if answer.status_code == 200:
                return answer
            if answer.status_code != BUSY:
                log.warning("%s refuses: %s", self.url, answer.text[:200])
                raise ValueError(f"The model's service refuses: {_reason(answer)}")
        raise ValueError("The model is busy, please try again in a moment.")


def _reason(answer):
    """The sentence of a refusal, or its number where it has none."""
    try:
        return str(answer.json()["error"])[:200]
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}."
