"""What the server writes down: one line of JSON a request, and nothing of whoever sent it.

No picture, no name of a file, no address and no session is written; of a failure of ours the place in the code. The
same facts are summed up for `/metrics`.
"""

import collections
import contextlib
import contextvars
import json
import logging
import threading
import time
import traceback

logger = logging.getLogger("every_cat")
# What the stages of a request note about it, a dict; the thread that serves a request sees the same one.
request_facts = contextvars.ContextVar("request_facts")
_totals = collections.Counter()
_lock = threading.Lock()


def start_logging():
    """Sends the lines to the standard output, where a container's host collects them."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def note(**facts):
    """Adds facts to the line of the request that is being served, if there is one."""
    with contextlib.suppress(LookupError):
        request_facts.get().update(facts)


@contextlib.contextmanager
def stage(name):
    """Notes how many milliseconds a part of a request takes, as `NAME_ms`."""
    start = time.perf_counter()
    try:
        yield
    finally:
        note(**{f"{name}_ms": round(1000 * (time.perf_counter() - start), 1)})


def log_request(name, outcome, seconds, facts):
    """Writes the line of a request.

    Args:
        name: str. Which event it was.
        outcome: str. `done`, `refused` in words, `cancelled` by the visitor, or `failed` by a fault of ours.
        seconds: float. How long it took in all, without waiting in the queue.
        facts: dict of what its stages noted.
    """
    with _lock:
        _totals["requests", name, outcome] += 1
        _totals["seconds", name, outcome] += seconds
    logger.info(json.dumps({"event": name, "outcome": outcome, "ms": round(1000 * seconds, 1), **facts}))


def log_failure(name, error):
    """Writes down where in the code a request failed, without its words, which may hold what a visitor sent."""
    places = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    logger.error(json.dumps({"event": name, "failure": type(error).__name__, "places": places[-6:]}))


def metrics(**gauges):
    """The sums so far and further values as text for Prometheus."""
    with _lock:
        totals = sorted(_totals.items())
    lines = ["# TYPE every_cat_requests_total counter", "# TYPE every_cat_seconds_total counter"]
    for (kind, name, outcome), value in totals:
        lines.append(f'every_cat_{kind}_total{{event="{name}",outcome="{outcome}"}} {value:.6g}')
    for name, value in gauges.items():
        lines += [f"# TYPE every_cat_{name} gauge", f"every_cat_{name} {value:.6g}"]
    return "\n".join(lines) + "\n"
