"""How much visitors' files may fill."""

import os
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


def test_a_visitor_loses_their_own(tmp_path):
    quota = Quota(total=100_000, each=3000)
    quota.uploaded("b", [write(tmp_path, "b")])
    for number in range(6):
        quota.uploaded("a", [write(tmp_path, f"a{number}")])
    assert names(tmp_path) == ["a3", "a4", "a5", "b"]
