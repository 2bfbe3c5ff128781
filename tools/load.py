"""Fifty visitors at once on the running page, a batch of photos and two cameras beside them, twice.

    python -m tools.load                           # two rounds of two minutes
    python -m tools.load --visitors 10 --seconds 30

Says for each round how long the page and a redraw take, how evenly visitors are served, what was refused or failed, and
how much memory the server has afterwards; and at the end which of the targets were reached. The exit code is 1 if one
was not. The two targets of time are those of two cores with nothing else to do.
"""

import argparse
import base64
import contextlib
import io
import random
import sys
import threading
import time

import httpx
import numpy as np
from PIL import Image

from interface.examples import example_photos
from tools.app_process import running_app
from tools.fuzz import memory_of
from tools.visitor import Visitor, words

THINKING = 1.0, 3.0  # seconds between two things that a visitor does
BUSY = "busy"
PAGE_SECONDS, REDRAW_SECONDS = 1.5, 1.0  # that 95 % of them take at most
FAIR = 2  # no visitor gets less than the mean over this, or more than the mean times this
GROWTH = 1.05  # memory after the last round over that after the first


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

    def upload(self, visitor, photo, name):
        """The uploaded photo as the value of a component, once there is room for it."""
        while True:
            try:
                return visitor.file(photo, name)
            except httpx.HTTPStatusError as error:
                if error.response.status_code != 429:
                    raise
                self.busy += 1
                time.sleep(THINKING[0])

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
    with Visitor(seen.address, comes_from=f"10.0.0.{number % 250}") as visitor:
        while seen.goes_on():
            with _watched(seen.pages):
                visitor.http.get("/").raise_for_status()
            picture = seen.upload(visitor, photo, f"{number}.png")
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
    with Visitor(seen.address, patience=600, comes_from="10.0.1.1") as visitor:
        files = [seen.upload(visitor, example_photos()[number % 2], f"{number}.png") for number in range(100)]
        while seen.goes_on():
            if seen.check(visitor.send("files", files)):
                seen.batch += 100


def hold_a_camera(seen, number):
    """A visitor whose camera sends ten images a second, or as many as are answered."""
    stored = io.BytesIO()
    Image.fromarray(np.array(Image.open(example_photos()[0]).convert("RGB").resize((640, 480)))).save(stored, "JPEG")
    frame = {"path": None, "url": "data:image/jpeg;base64," + base64.b64encode(stored.getvalue()).decode()}
    with Visitor(seen.address, comes_from=f"10.0.2.{number}") as visitor:
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
    jobs += [(send_a_batch,), (hold_a_camera, 1), (hold_a_camera, 2)]
    threads = [threading.Thread(target=_guarded, args=(seen, *job)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def _percentile(times, share=95):
    return float(np.percentile(times, share)) if times else float("inf")


def _mean(values):
    return float(np.mean(values)) if values else 0.0


def main(arguments=None):
    chosen = parse_arguments(arguments)
    rounds, memory = [], []
    with running_app() as app:
        print(f"memory before: {memory_of(app.process_id) / 1e9:.2f} GB", flush=True)
        for number in range(1, chosen.rounds + 1):
            seen = play(app.address, chosen)
            time.sleep(45)  # the next time that memory is trimmed
            rounds.append(seen)
            memory.append(memory_of(app.process_id))
            print(
                f"round {number}: {len(seen.pages)} pages, p95 {_percentile(seen.pages):.2f} s; "
                f"{len(seen.redraws)} redraws, p95 {_percentile(seen.redraws):.2f} s, {seen.redraws_refused} refused; "
                f"{sum(seen.served)} photos, p95 {_percentile(seen.photos):.2f} s, "
                f"each visitor {min(seen.served, default=0)} to {max(seen.served, default=0)}, "
                f"mean {_mean(seen.served):.1f}; batch {seen.batch}, camera images {seen.frames}; "
                f"busy {seen.busy}, errors {len(seen.errors)}; memory after {memory[-1] / 1e9:.2f} GB",
                flush=True,
            )
            for line in sorted(set(seen.errors))[:10]:
                print(f"  {line}")
        failures = [line.strip() for line in app.lines if '"failure"' in line]
    print("".join(f"  {line}\n" for line in sorted(set(failures))), end="")
    reached = targets(rounds, memory, len(failures))
    for name, is_reached in reached.items():
        print(f"{'reached' if is_reached else 'MISSED '}  {name}")
    return 0 if all(reached.values()) else 1


def targets(rounds, memory, failures):
    """Which targets were reached: a dict from what each says to whether it is so."""
    errors = sum(len(seen.errors) for seen in rounds)
    refused = sum(seen.redraws_refused for seen in rounds)
    pages = max(_percentile(seen.pages) for seen in rounds)
    redraws = max(_percentile(seen.redraws) for seen in rounds)
    shares = [served / _mean(seen.served) for seen in rounds for served in seen.served if _mean(seen.served)]
    least, most = min(shares, default=0), max(shares, default=0)
    growth = memory[-1] / max(1, memory[0])
    return {
        f'nothing failed that was not refused as "busy": {errors} errors, {failures} failures in the log': not (
            errors or failures
        ),
        f"no redraw was refused: {refused}": not refused,
        f"each visitor got their share within a factor of {FAIR}: {least:.2f} to {most:.2f}": (
            least >= 1 / FAIR and most <= FAIR
        ),
        f"memory stays within {GROWTH - 1:.0%} from round to round: {growth - 1:+.1%}": growth <= GROWTH,
        f"p95 of the page is at most {PAGE_SECONDS} s: {pages:.2f} s": pages <= PAGE_SECONDS,
        f"p95 of a redraw is at most {REDRAW_SECONDS} s: {redraws:.2f} s": redraws <= REDRAW_SECONDS,
    }


if __name__ == "__main__":
    sys.exit(main())
