"""Kill a command in the middle of its work, as a power cut would."""

import os
import signal
import time


def kill_half_way(process, journal, seconds, records=20):
    """Send SIGKILL to a command and its children once its journal holds so many lines.

    Args:
        process: `subprocess.Popen` in a session of its own.
        journal: path of the journal that it writes, see `pipeline/resume.py`.
        seconds: float. How long it may take to get there.
        records: int. Lines to wait for, the fingerprint among them.

    Returns:
        int. Finished records.
    """
    deadline = time.monotonic() + seconds
    while not journal.exists() or journal.read_bytes().count(b"\n") < records:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    return journal.read_bytes().count(b"\n") - 1
