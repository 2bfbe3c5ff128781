"""Without the greetings of TensorFlow's libraries, which no setting of theirs turns off."""

import atexit
import os
import re
import sys
import threading

GREETINGS = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog|[IE]\d{4} .*(oneDNN|cuda|cuDNN|cuBLAS|cuFFT)"
)


def leave_out_greetings():
    """From now on, lines that native code writes to stderr and that tell no one anything are left out.

    What Python writes goes straight to where it went, progress bars included.
    """
    stderr = os.dup(2)
    reading, writing = os.pipe()
    os.dup2(writing, 2)
    os.close(writing)
    sys.stderr = os.fdopen(os.dup(stderr), "w", buffering=1, errors="backslashreplace")

    def hand_on():
        with os.fdopen(reading, "rb") as lines:
            for line in lines:
                if not GREETINGS.match(line):
                    os.write(stderr, line)

    thread = threading.Thread(target=hand_on, daemon=True)
    thread.start()

    def end():
        os.dup2(stderr, 2)  # closes the pipe, so that the thread comes to its end
        thread.join(timeout=2)

    atexit.register(end)
