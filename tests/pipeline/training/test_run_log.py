"""What a run writes down survives a full disk and a restart."""

import csv

import pytest

from pipeline.training.run_log import Log


def rows(out):
    with open(out / "log.csv", newline="") as file:
        return list(csv.DictReader(file))


def write(out, first, last):
    log = Log(out, first - 1)
    for step in range(first, last + 1):
        log.step(step, {"total": step / 10}, rate=0.5, seconds=2.0, waited=0.5)
    log.close()


def test_rows_that_a_resumed_run_repeats_are_cut_off(tmp_path):
    write(tmp_path, 1, 5)
    write(tmp_path, 4, 6)
    assert [row["step"] for row in rows(tmp_path)] == ["1", "2", "3", "4", "5", "6"]
    assert rows(tmp_path)[5] == {
        "step": "6",
        "total": "0.6",
        "learning_rate": "0.5",
        "seconds": "2.0",
        "data_wait": "0.25",
    }


@pytest.mark.parametrize("length", [0, 9, 45, 60, 70])
def test_a_torn_log_is_continued(tmp_path, length):
    """A full disk leaves an empty file, a piece of the header, or a piece of a row."""
    write(tmp_path, 1, 12)
    path = tmp_path / "log.csv"
    whole = path.read_text()
    path.write_text(whole[:length])
    kept = max(0, whole[:length].count("\n") - 1)
    write(tmp_path, kept + 1, 12)
    assert [row["step"] for row in rows(tmp_path)] == [str(step) for step in range(1, 13)]
    assert all(row["data_wait"] == "0.25" for row in rows(tmp_path))
