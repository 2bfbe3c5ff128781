"""The folder for visitors' files ends with the page, and not another page's with it."""

import os
import signal
import subprocess
import sys
import time

from interface.safety.folder import own_folder, remove_orphans

HOLD = "import sys, time\nfrom interface.safety.folder import own_folder\nwith own_folder(sys.argv[1]) as folder:\n"
HOLD += "    print(folder, flush=True)\n    time.sleep(600)\n"


def holder(parent):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(parent)], stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def test_what_a_killed_page_left_is_removed_and_what_a_running_one_has_is_not(tmp_path):
    killed, left = holder(tmp_path)
    running, used = holder(tmp_path)
    try:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert os.path.isdir(left)
        with own_folder(tmp_path) as own:
            assert sorted(map(str, tmp_path.iterdir())) == sorted([used, own])
    finally:
        running.kill()
        running.wait()


def test_what_was_just_made_and_what_is_not_ours_stays(tmp_path):
    fresh, old, other = (tmp_path / name for name in ("every-cat-new", "every-cat-old", "photos"))
    for folder in (fresh, old, other):
        folder.mkdir()
        os.utime(folder, (time.time() - (0 if folder is fresh else 1000),) * 2)
    (tmp_path / "every-cat-link").symlink_to(other)
    remove_orphans(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"every-cat-new", "every-cat-link", "photos"}
