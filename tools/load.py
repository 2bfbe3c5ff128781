"""Fifty visitors at once on the running page, a batch of photos and two cameras beside them, twice.

    python -m tools.load                           # two rounds of two minutes
    python -m tools.load --visitors 10 --seconds 30

Says for each round how long the page and a redraw take, how evenly visitors are served, what was refused or failed, and
how much memory the server has afterwards. The exit code is 1 if anything but "busy" was said.
"""

import argparse
import base64
import contextlib
import io
import random
import sys
import threading
import time

import numpy as np
from PIL import Image

from interface.examples import example_photos
from tools.app_process import running_app
from tools.fuzz import memory_of
from tools.visitor import Visitor, words

THINKING = 1.0, 3.0  # seconds between two things that a visitor does
BUSY = "busy"


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m tools.load", description=__doc__)
    parser.add_argument("--visitors", type=int, default=50, help="at a time (default 50)")
    parser.add_argument("--seconds", type=float, default=120, help="of a round (default 120)")
    parser.add_argument("--rounds", type=int, default=2, help="how many rounds (default 2)")
    return parser.parse_args(arguments)


class Round:
    """What was seen in a round; threads add to it."""

    def __init__(self, address, seconds):
        self.address = address
        self.end = time.perf_counter() + seconds
        self.pages, self.redraws, self.photos = [], [], []
        self.served = []
        self.redraws_refused, self.busy, self.errors = 0, 0, []
        self.frames = self.batch = 0

    def goes_on(self):
        return time.perf_counter() < self.end

    def check(self, message):
        """Whether an answer is a result; what it is instead is counted."""
        if message["success"]:
            return True
        if BUSY in words(message):
            self.busy += 1
        else:
            self.errors.append(words(message)[:200])
        return False


def look_at_photos(seen, number):
    """A visitor who opens the page again and again, chooses a photo, and moves a slider three times."""
    rng, served = random.Random(number), 0
    time.sleep(rng.uniform(0, THINKING[1]))
    photo = example_photos()[number % len(example_photos())]
    visitor = Visitor(seen.address)
    while seen.goes_on():
        with _watched(seen.pages):
            visitor.http.get("/").raise_for_status()
        picture = visitor.file(photo, f"{number}.png")
        with _watched(seen.photos):
            served += seen.check(visitor.send("photo", picture))
        for opacity in rng.sample(range(101), 3):
            time.sleep(rng.uniform(*THINKING) / 2)
            with _watched(seen.redraws):
                message = visitor.send("redraw", picture, opacity=opacity)
            seen.redraws_refused += not seen.check(message)
        time.sleep(rng.uniform(*THINKING))
    seen.served.append(served)


def send_a_batch(seen):
    """A visitor with a hundred photos, over and over."""
    visitor = Visitor(seen.address, patience=600)
    files = [visitor.file(example_photos()[number % 2], f"{number}.png") for number in range(100)]
    while seen.goes_on():
        if seen.check(visitor.send("files", files)):
            seen.batch += 100


def hold_a_camera(seen):
    """A visitor whose camera sends ten images a second, or as many as are answered."""
    stored = io.BytesIO()
    Image.fromarray(np.array(Image.open(example_photos()[0]).convert("RGB").resize((640, 480)))).save(stored, "JPEG")
    frame = {"path": None, "url": "data:image/jpeg;base64," + base64.b64encode(stored.getvalue()).decode()}
    visitor = Visitor(seen.address)
    while seen.goes_on():
        seen.frames += seen.check(visitor.send("camera", frame))
        time.sleep(0.1)


@contextlib.contextmanager
def _watched(times):
    start = time.perf_counter()
    yield
    times.append(time.perf_counter() - start)


def _guarded(seen, work, *arguments):
    try:
        work(seen, *arguments)
    except Exception as error:
        seen.errors.append(f"{work.__name__}: {type(error).__name__}: {error}")


def play(address, chosen):
    """One round."""
    seen = Round(address, chosen.seconds)
    jobs = [(look_at_photos, number) for number in range(chosen.visitors)]
    jobs += [(send_a_batch,), (hold_a_camera,), (hold_a_camera,)]
    threads = [threading.Thread(target=_guarded, args=(seen, *job)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def _percentile(times, share=95):
    return float(np.percentile(times, share)) if times else float("nan")


def main(arguments=None):
    chosen = parse_arguments(arguments)
    errors = 0
    with running_app() as app:
        print(f"memory before: {memory_of(app.process_id) / 1e9:.2f} GB", flush=True)
        for number in range(1, chosen.rounds + 1):
            seen = play(app.address, chosen)
            time.sleep(45)  # the next time that memory is trimmed
            mean = np.mean(seen.served) if seen.served else 0
            print(
                f"round {number}: {len(seen.pages)} pages, p95 {_percentile(seen.pages):.2f} s; "
                f"{len(seen.redraws)} redraws, p95 {_percentile(seen.redraws):.2f} s, {seen.redraws_refused} refused; "
                f"{sum(seen.served)} photos, p95 {_percentile(seen.photos):.2f} s, "
                f"each visitor {min(seen.served, default=0)} to {max(seen.served, default=0)}, mean {mean:.1f}; "
                f"batch {seen.batch}, camera images {seen.frames}; busy {seen.busy}, errors {len(seen.errors)}; "
                f"memory after {memory_of(app.process_id) / 1e9:.2f} GB",
                flush=True,
            )
            for line in sorted(set(seen.errors))[:10]:
                print(f"  {line}")
            errors += len(seen.errors)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
