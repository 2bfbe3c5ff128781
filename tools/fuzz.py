"""Sends hostile files through every door of the running page and says what came of it.

    python -m tools.fuzz                       # 400 pictures, 200 clips, 60 ZIPs: a quarter of an hour
    python -m tools.fuzz --share 0.1           # a tenth of each

Each answer must come within 10 seconds and in words, the server must not end, and its memory, that of the processes
which decode for it included, must stay below 4 GB. The exit code is 1 if it is not so.
"""

import argparse
import base64
import json
import sys
import threading
import time
from pathlib import Path

from tools import hostile
from tools.app_process import running_app
from tools.visitor import Visitor

LONGEST = 10  # seconds
MEMORY = 4_000_000_000  # bytes


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, metavar="0-1", help="of the files (default 1)")
    parser.add_argument("--seed", type=int, default=0, help="of the files (default 0)")
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
            time.sleep(0.1)


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


def door_values(visitor, kind, name, content):
    """Yields a door and the value by which this file goes through it."""
    file = visitor.file(content, name)
    if kind == "clip":
        yield "clip", file
    elif kind == "zip":
        yield "files", [file]
    else:
        yield from (("api", file), ("photo", file), ("inside", file), ("files", [file]))
        uri = f"data:image/png;base64,{base64.b64encode(content).decode()}"
        if len(content) < 5_000_000:
            yield "camera", {"path": None, "url": uri}


def says_something(message):
    """Whether an answer is a result or a sentence."""
    output = message.get("output") or {}
    return bool(output.get("data") if message["success"] else output.get("error"))


def main(arguments=None):
    chosen = parse_arguments(arguments)
    counts = [max(1, round(chosen.share * count)) for count in (400, 200, 60)]
    makers = (("picture", hostile.pictures), ("clip", hostile.clips), ("zip", hostile.archives))
    slowest, wordless, slow, sent, start = (0, ""), [], [], 0, time.perf_counter()
    with running_app() as app:
        visitor, memory = Visitor(app.address, patience=60), Memory(app.process_id)
        for (kind, maker), count in zip(makers, counts, strict=True):
            for number, (name, content) in enumerate(maker(count, chosen.seed), start=1):
                for door, value in door_values(visitor, kind, name, content):
                    began = time.perf_counter()
                    message = visitor.send(door, value)
                    seconds = time.perf_counter() - began
                    sent += 1
                    slowest = max(slowest, (seconds, f"{name} at {door}"))
                    if seconds > LONGEST:
                        slow.append(f"{name} at {door}: {seconds:.1f} s")
                    if not says_something(message):
                        wordless.append(f"{name} at {door}: {json.dumps(message)[:200]}")
                spent = time.perf_counter() - start
                print(f"\r{kind} {number} of {count}, {spent:.0f} s", end="", file=sys.stderr, flush=True)
        alive = visitor.http.get("/healthz").status_code == 200
        failures = [line.strip() for line in app.lines if '"failure"' in line]
    print(file=sys.stderr)
    print(f"{sent} files sent through doors: {counts[0]} pictures, {counts[1]} clips, {counts[2]} ZIPs")
    print(f"server alive: {'yes' if alive else 'NO'}, failures of ours in its log: {len(failures)}")
    print(f"wordless: {len(wordless)}, above {LONGEST} s: {len(slow)}, slowest {slowest[0]:.1f} s ({slowest[1]})")
    print(
        f"memory: {memory.first / 1e9:.2f} GB before, {memory.most / 1e9:.2f} GB at most, bound {MEMORY / 1e9:.0f} GB"
    )
    for line in (*wordless, *slow, *sorted(set(failures))):
        print(f"  {line}")
    return 0 if alive and not wordless and not slow and not failures and memory.most <= MEMORY else 1


if __name__ == "__main__":
    sys.exit(main())
