"""Kill a command in the middle of its work, as a power cut would."""

import os
import signal
import time


def kill_half_way(process, progress_log, seconds, records=20):
    """Send SIGKILL to a command and its children once its progress log holds so many lines.

    Args:
        process: `subprocess.Popen` in a session of its own.
        progress_log: path of the progress log that it writes, see `pipeline/resume.py`.
        seconds: float. How long it may take to get there.
        records: int. Lines to wait for, the fingerprint among them.

    Returns:
        int. Finished records.
    """
    deadline = time.monotonic() + seconds
    while not progress_log.exists() or progress_log.read_bytes().count(b"\n") < records:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    return progress_log.read_bytes().count(b"\n") - 1
