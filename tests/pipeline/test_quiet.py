"""What native code greets with is left out of stderr, and nothing else."""

import subprocess
import sys

CODE = """
import os, sys
from pipeline.quiet import leave_out_greetings
leave_out_greetings()
os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\\n")
os.write(2, b"I0000 00:00:1.2    3 port.cc:153] oneDNN custom operations are on. You may see\\n")
os.write(2, b"E0000 00:00:1.2    3 file.cc:1] the disk is full\\n")
print("10%", end="\\r", file=sys.stderr)
print("oneDNN in a sentence of ours", file=sys.stderr)
os.write(2, b"without an end")
"""


def test_greetings_alone_are_left_out():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, timeout=60)
    assert done.returncode == 0
    text = done.stderr.decode()
    assert "absl" not in text and "custom operations" not in text
    for part in ("10%\r", "oneDNN in a sentence of ours\n", "the disk is full\n", "without an end"):
        assert part in text
