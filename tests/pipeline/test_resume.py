"""A journal gives back what was finished, whatever ended the run before."""

import subprocess
import sys

import pytest

from pipeline.resume import Journal, fingerprint

RECORDS = [{"name": "Zoë", "value": 1}, {"name": "b", "value": 2.5}]


@pytest.fixture
def path(tmp_path):
    with Journal(tmp_path / "deep/a.journal", "print", "name") as journal:
        for record in RECORDS:
            journal.add(record)
    return journal.path


def test_finished_records_come_back(path):
    with Journal(path, "print", "name") as journal:
        assert list(journal.records.values()) == RECORDS
        journal.add({"name": "c", "value": 3})
    assert list(Journal(path, "print", "name").records) == ["Zoë", "b", "c"]


def test_a_journal_of_anything_else_is_thrown_away(path):
    with Journal(path, "other", "name") as journal:
        assert journal.records == {}
    assert path.read_bytes() == b"other\n"


def test_a_torn_journal_keeps_its_whole_lines(path):
    """A full disk or a power cut may end it anywhere, in the middle of a letter too."""
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with Journal(path, "print", "name") as journal:
            assert list(journal.records.values()) == RECORDS[: max(0, whole[:length].count(b"\n") - 1)]
            for record in RECORDS[len(journal.records) :]:
                journal.add(record)
        assert path.read_bytes() == whole, length


def test_a_line_of_zeros_ends_it(path):
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(40) + b"\n" + whole.splitlines(keepends=True)[1])
    with Journal(path, "print", "name") as journal:
        assert list(journal.records.values()) == RECORDS
    assert path.read_bytes() == whole


def test_a_full_disk_is_said_in_a_sentence(path):
    """A file size limit stands for the full disk."""
    size = len(path.read_bytes()) + 20
    code = f"""
import resource
from pipeline.resume import Journal
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
try:
    with Journal({str(path)!r}, "print", "name") as journal:
        journal.add({{"name": "c", "value": "long enough to be too much"}})
except OSError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert f"no space left to write {path}" in done.stdout, done.stderr
    assert list(Journal(path, "print", "name").records.values()) == RECORDS


def test_the_fingerprint_changes_with_options_and_files(tmp_path):
    file = tmp_path / "a"
    prints = [fingerprint(1, [file])]
    file.write_text("one")
    prints += [fingerprint(1, [file]), fingerprint(2, [file])]
    file.write_text("three")
    prints.append(fingerprint(1, [file]))
    assert len(set(prints)) == 4
    assert prints[-1] == fingerprint(1, [file])
