"""A progress log gives back what was finished, whatever ended the run before."""

import os
import subprocess
import sys

import pytest

from pipeline.resume import ProgressLog, fingerprint

RECORDS = [{"name": "Zoë", "value": 1}, {"name": "b", "value": 2.5}]


@pytest.fixture
def path(tmp_path):
    with ProgressLog(tmp_path / "deep/a.progress", "print", "name") as progress_log:
        for record in RECORDS:
            progress_log.add(record)
    return progress_log.path


def test_finished_records_come_back(path):
    with ProgressLog(path, "print", "name") as progress_log:
        assert list(progress_log.records.values()) == RECORDS
        progress_log.add({"name": "c", "value": 3})
    assert list(ProgressLog(path, "print", "name").records) == ["Zoë", "b", "c"]


def test_a_progress_log_of_anything_else_is_thrown_away(path):
    with ProgressLog(path, "other", "name") as progress_log:
        assert progress_log.records == {}
    assert path.read_bytes() == b"other\n"


def test_a_torn_progress_log_keeps_its_whole_lines(path):
    """A full disk or a power cut may end it anywhere, in the middle of a letter too."""
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with ProgressLog(path, "print", "name") as progress_log:
            assert list(progress_log.records.values()) == RECORDS[: max(0, whole[:length].count(b"\n") - 1)]
            for record in RECORDS[len(progress_log.records) :]:
                progress_log.add(record)
        assert path.read_bytes() == whole, length


def test_a_line_of_zeros_ends_it(path):
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(40) + b"\n" + whole.splitlines(keepends=True)[1])
    with ProgressLog(path, "print", "name") as progress_log:
        assert list(progress_log.records.values()) == RECORDS
    assert path.read_bytes() == whole


def test_a_full_disk_is_said_in_a_sentence(path):
    """A file size limit stands for the full disk."""
    size = len(path.read_bytes()) + 20
    code = f"""
import resource
from pipeline.resume import ProgressLog
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
try:
    with ProgressLog({str(path)!r}, "print", "name") as progress_log:
        progress_log.add({{"name": "c", "value": "long enough to be too much"}})
except OSError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert f"no space left to write {path}" in done.stdout, done.stderr
    assert list(ProgressLog(path, "print", "name").records.values()) == RECORDS


def test_the_fingerprint_changes_with_options_and_files(tmp_path):
    file = tmp_path / "a"
    prints = [fingerprint(1, [file])]
    file.write_text("one")
    prints += [fingerprint(1, [file]), fingerprint(2, [file])]
    file.write_text("three")
    prints.append(fingerprint(1, [file]))
    assert len(set(prints)) == 4
    assert prints[-1] == fingerprint(1, [file])


def test_the_fingerprint_of_a_name_that_is_not_utf_8(tmp_path):
    names = [os.fsdecode(name) for name in (b"\xf6", b"\xe4")]
    prints = [fingerprint(names, []), *(fingerprint(1, [tmp_path / name]) for name in names)]
    assert len(set(prints)) == 3
