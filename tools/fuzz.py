"""Sends hostile files through every door of the running page and says what came of it.

    python -m tools.fuzz                       # 400 pictures, 200 clips, 60 ZIPs, 150 Python arguments
    python -m tools.fuzz --share 0.1           # a tenth of each
    python -m tools.fuzz --only clips zips     # not all kinds

Files go through every door of the page that takes such; Python arguments go into `segment` and `segment_batch`. Each
answer must come within 10 seconds and in words, the server must not end, and its memory, that of the processes which
decode for it included, must stay below 4 GB. The exit code is 1 if it is not so. Takes half an hour, and never more
than an hour and a half: what is left then is counted as not sent, which is a failure.
"""

import argparse
import base64
import collections
import functools
import json
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

from mrcnn import MaskRCNN
from tools import hostile, odd_arguments
from tools.app_process import running_app
from tools.visitor import Visitor

LONGEST = 10  # seconds
MEMORY = 4_000_000_000  # bytes
COUNTS = {"pictures": 400, "clips": 200, "zips": 60, "arguments": 150}
MAKERS = {"pictures": hostile.pictures, "clips": hostile.clips, "zips": hostile.archives}


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m tools.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--share", type=float, default=1.0, metavar="0-1", help="of each kind (default 1)")
    parser.add_argument("--seed", type=int, default=0, help="of what is made (default 0)")
    parser.add_argument("--skip", type=int, default=0, metavar="N", help="leave out the first N of each kind of file")
    parser.add_argument("--only", nargs="+", choices=COUNTS, default=list(COUNTS), help="which kinds (default: all)")
    parser.add_argument("--minutes", type=float, default=90, help="after which it ends in any case (default 90)")
    return parser.parse_args(arguments)


class Memory(threading.Thread):
    """Watches how much memory a process and its children have."""

    def __init__(self, process_id):
        super().__init__(daemon=True)
        self._process_id = process_id
        self.first = self.most = memory_of(process_id)
        self.start()

    def run(self):
        while True:
            self.most = max(self.most, memory_of(self._process_id))
            time.sleep(0.3)  # to look costs the server time


def memory_of(process_id):
    """Bytes of memory that a process and its children have to themselves."""
    total = 0
    try:
        for line in Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total = 1024 * int(line.split()[1])
        for task in Path(f"/proc/{process_id}/task").iterdir():
            for child in (task / "children").read_text().split():
                total += memory_of(int(child))
    except OSError:  # it has ended in between
        pass
    return total


def doors(kind):
    """The doors that take files of a kind."""
    return {"clips": ("clip",), "zips": ("files",)}.get(kind, ("api", "photo", "inside", "files", "camera"))


def send_file(visitor, door, name, content):
    """Uploads a file, sends it through a door and gives the answer, a dict; `None` where the door takes no such."""
    if door == "camera":
        if len(content) >= 5_000_000:
            return None
        return visitor.send(door, {"path": None, "url": f"data:image/png;base64,{base64.b64encode(content).decode()}"})
    try:
        file = visitor.file(content, name)
    except httpx.HTTPStatusError as error:  # too large to be taken
        return {"success": False, "output": {"error": error.response.text}}
    return visitor.send(door, [file] if door == "files" else file)


def says_something(message):
    """Whether an answer is a result or a sentence."""
    output = message.get("output") or {}
    return bool(output.get("data") if message["success"] else output.get("error"))


class Report:
    """What came of all that was sent."""

    def __init__(self, minutes):
        self.start = time.perf_counter()
        self._end = self.start + 60 * minutes
        self.sent = collections.Counter()
        self.not_sent, self.wordless, self.slow = 0, [], []
        self.slowest = 0.0, ""

    def time_is_over(self):
        over = time.perf_counter() > self._end
        self.not_sent += over
        return over

    def end(self, *_):
        """Ends it early; what was found by then is said."""
        self._end = 0.0

    def measure(self, kind, what, send):
        """Calls `send`, which gives `None` if nothing was sent, else whether the answer was one, and its words."""
        began = time.perf_counter()
        answer = send()
        seconds = time.perf_counter() - began
        if answer is None:
            return
        fine, words = answer
        self.sent[kind] += 1
        self.slowest = max(self.slowest, (seconds, what))
        if seconds > LONGEST:
            self.slow.append(f"{what}: {seconds:.1f} s")
        if not fine:
            self.wordless.append(f"{what}: {words[:200]}")

    def show(self, kind, number, count):
        if number % 10 == 0 or number == count:
            spent = time.perf_counter() - self.start
            print(f"\r{kind} {number} of {count}, {spent:.0f} s ", end="", file=sys.stderr, flush=True)


def send_files(report, visitor, kind, count, seed, skip):
    """Sends hostile files of a kind, but the first `skip`, through each door that takes them."""

    def answer(door, name, content):
        message = send_file(visitor, door, name, content)
        return message and (says_something(message), json.dumps(message))

    for number, (name, content) in enumerate(MAKERS[kind](count, seed), start=1):
        for door in doors(kind) if number > skip else ():
            if not report.time_is_over():
                report.measure(kind, f"{name} at {door}", functools.partial(answer, door, name, content))
        report.show(kind, number, count)


def send_arguments(report, count, seed):
    """Hands odd Python arguments to the library, in this process."""
    model = MaskRCNN.from_pretrained("cat")

    def give_up(*_):
        raise TimeoutError

    signal.signal(signal.SIGALRM, give_up)

    def answer(method, image, options):
        signal.alarm(3 * LONGEST)
        try:
            method(image, **options)
        except ValueError as error:
            sentence = str(error)
            return bool(sentence) and "\n" not in sentence, repr(error)
        except Exception as error:
            return False, repr(error)
        finally:
            signal.alarm(0)
        return True, ""

    def segment_batch(image, **options):
        return model.segment_batch([image], **options)

    with tempfile.TemporaryDirectory() as folder:
        for number, (name, image, options) in enumerate(odd_arguments.arguments(count, folder, seed), start=1):
            for method in (model.segment, segment_batch):
                if not report.time_is_over():
                    what = f"{name} at {method.__name__}"
                    report.measure("arguments", what, functools.partial(answer, method, image, options))
            report.show("arguments", number, count)


def main(arguments=None):
    chosen = parse_arguments(arguments)
    counts = {kind: max(1, round(chosen.share * COUNTS[kind])) for kind in chosen.only}
    report = Report(chosen.minutes)
    signal.signal(signal.SIGINT, report.end)
    if "arguments" in counts:
        send_arguments(report, counts["arguments"], chosen.seed)
    with running_app() as app:
        visitor, memory = Visitor(app.address, patience=60), Memory(app.process_id)
        for kind in [kind for kind in MAKERS if kind in counts]:
            send_files(report, visitor, kind, counts[kind], chosen.seed, chosen.skip)
        alive = visitor.http.get("/healthz").status_code == 200
        failures = [line.strip() for line in app.lines if '"failure"' in line]
        lost = sum('"decoder_lost"' in line for line in app.lines)
        print(file=sys.stderr)
        good = tell(report, counts, memory) and alive and not failures
        print(f"server alive: {'yes' if alive else 'NO'}, failures in its log: {len(failures)}, decoders lost: {lost}")
        print("".join(f"  {line}\n" for line in sorted(set(failures))), end="", flush=True)
    return 0 if good else 1


def tell(report, counts, memory):
    """Says what came of all that was sent, and gives whether it is as promised."""
    listed = ", ".join(f"{count} {kind} ({report.sent[kind]} sent)" for kind, count in counts.items())
    print(f"{listed}; not sent for want of time: {report.not_sent}; {time.perf_counter() - report.start:.0f} s")
    seconds, what = report.slowest
    print(f"wordless: {len(report.wordless)}, above {LONGEST} s: {len(report.slow)}, slowest {seconds:.1f} s ({what})")
    print(
        f"memory: {memory.first / 1e9:.2f} GB before, {memory.most / 1e9:.2f} GB at most, bound {MEMORY / 1e9:.0f} GB"
    )
    for line in (*report.wordless, *report.slow):
        print(f"  {line}")
    return not (report.wordless or report.slow or report.not_sent) and memory.most <= MEMORY


if __name__ == "__main__":
    sys.exit(main())
