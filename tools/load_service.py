"""Fifty clients at once on the running service, then on the page's own API: how long an answer takes.

    python -m tools.load_service                          # two minutes each
    python -m tools.load_service --clients 10 --seconds 30 --engine onnx

Each client sends a photo, waits for the answer, and sends the next. The exit code is 1 if the service said anything but
a result or "busy".
"""

import argparse
import concurrent.futures
import os
import sys
import time
from pathlib import Path

import httpx
import numpy as np

from interface.examples import example_photos
from mrcnn.engines import ENGINES
from tools.app_process import running_app
from tools.service_process import running_service
from tools.visitor import Visitor, words

BUSY = "busy"


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m tools.load_service", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=50, help="at a time (default 50)")
    parser.add_argument("--seconds", type=float, default=120, help="of each of the two (default 120)")
    parser.add_argument("--engine", choices=ENGINES, default="tensorflow", help="of both (default tensorflow)")
    parser.add_argument("--replicas", default="1", help="of the service (default 1)")
    parser.add_argument("--threads", help="of a replica (default: all cores, divided by the replicas)")
    return parser.parse_args(arguments)


def service_client(address, number, photo):
    """A function that sends the photo to the service once and says what came: "", "busy" or an error."""
    http = httpx.Client(base_url=address, timeout=300)

    def send():
        answer = http.post("/segment", content=photo.read_bytes())
        if answer.status_code == 503 and BUSY in answer.text:
            time.sleep(float(answer.headers["retry-after"]))
            return BUSY
        return (
            "" if answer.status_code == 200 and answer.json()["annotations"] else f"{answer.status_code} {answer.text}"
        )

    return send


def page_client(address, number, photo):
    """The same for the page's endpoint /segment, with the upload that it needs."""
    visitor = Visitor(address, patience=300)

    def send():
        try:
            message = visitor.send("api", visitor.file(photo.read_bytes(), f"{number}{photo.suffix}"))
        except httpx.HTTPStatusError as error:  # of the upload: an address has so many at a time
            if error.response.status_code != 429:
                raise
            time.sleep(1)
            return BUSY
        if message["success"]:
            return ""
        if BUSY in words(message) or "many" in words(message):
            time.sleep(1)
            return BUSY
        return words(message)[:200] or "no answer"

    return send


def load(name, client, address, chosen):
    """Runs the clients; prints what was seen, and returns the number of errors."""
    end, times, busy, errors = time.perf_counter() + chosen.seconds, [], 0, []
    photo = Path(example_photos()[0])

    def visit(number):
        nonlocal busy
        try:
            send = client(address, number, photo)
            while (start := time.perf_counter()) < end:
                said = send()
                if said == BUSY:
                    busy += 1
                elif said:
                    errors.append(said)
                else:
                    times.append(time.perf_counter() - start)
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")

    with concurrent.futures.ThreadPoolExecutor(chosen.clients) as pool:
        list(pool.map(visit, range(chosen.clients)))
    half, most = np.percentile(times, (50, 95)) if times else (float("nan"), float("nan"))
    print(
        f"{name}: {len(times)} answers, {len(times) / chosen.seconds:.1f} a second, p50 {half:.2f} s, "
        f"p95 {most:.2f} s; busy {busy}, errors {len(errors)}",
        flush=True,
    )
    for line in sorted(set(errors))[:5]:
        print(f"  {line}")
    return len(errors)


def main(arguments=None):
    chosen = parse_arguments(arguments)
    threads = ["--threads", chosen.threads] if chosen.threads else []
    with running_service("--engine", chosen.engine, "--replicas", chosen.replicas, *threads) as (_, address):
        errors = load("service", service_client, address, chosen)
    os.environ["MRCNN_ENGINE"] = chosen.engine
    with running_app() as app:
        load("page", page_client, app.address, chosen)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
