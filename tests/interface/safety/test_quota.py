"""How much visitors' files may fill."""

import os
import shutil
import time

from interface.safety.quota import Quota


def write(folder, name, size=1000, age=600):
    path = folder / name
    path.write_bytes(bytes(size))
    os.utime(path, (time.time() - age,) * 2)
    return str(path)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_oldest_go_first_and_kept_ones_stay(tmp_path):
    for number in range(6):
        write(tmp_path, f"{number}", age=1000 - number)
    kept = {str(tmp_path / "0")}
    assert Quota(total=3000).make_room(tmp_path, kept)
    assert names(tmp_path) == ["0", "3", "4", "5"]


def test_what_is_in_use_stays_and_the_answer_is_no(tmp_path):
    for number in range(6):
        write(tmp_path, f"{number}", age=0)
    assert not Quota(total=3000).make_room(tmp_path)
    assert len(names(tmp_path)) == 6


def test_the_same_file_again_counts_once(tmp_path):
    quota = Quota(total=100_000, each=3000)
    other = write(tmp_path, "other")
    quota.uploaded("a", [other])
    for _ in range(20):
        quota.uploaded("a", [write(tmp_path, "photo")])
    assert names(tmp_path) == ["other", "photo"]


def test_addresses_without_files_are_forgotten(tmp_path):
    quota = Quota(total=100_000, each=3000)
    for number in range(5):
        path = write(tmp_path, f"photo{number}")
        quota.uploaded(f"{number}", [path])
        os.unlink(path)
    assert list(quota._uploads) == ["4"]


def test_a_folder_that_vanishes_while_it_is_read_does_no_harm(tmp_path, monkeypatch):
    """Batches make folders and remove them at any time."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "photo", size=5000)
    scandir = os.scandir

    class Entries:
        def __init__(self, found):
            self._found = iter(found)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def __iter__(self):
            return self

        def __next__(self):
            return next(self._found)

    def vanishing(path):
        with scandir(path) as entries:
            found = list(entries)
        if str(path) == str(tmp_path):
            shutil.rmtree(tmp_path / "b", ignore_errors=True)
        return Entries(found)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert Quota(total=3000).make_room(tmp_path)
    assert not (tmp_path / "a" / "photo").exists()


def test_a_visitor_loses_their_own(tmp_path):
    quota = Quota(total=100_000, each=3000)
    quota.uploaded("b", [write(tmp_path, "b")])
    for number in range(6):
        quota.uploaded("a", [write(tmp_path, f"a{number}")])
    assert names(tmp_path) == ["a3", "a4", "a5", "b"]
