"""The cores that a process may use: of the machine, of what it is bound to, of what its control group allows."""

import os

import pytest

from mrcnn import cores


@pytest.fixture
def quota(tmp_path, monkeypatch):
    """A function that writes files as the kernel has them under /sys/fs/cgroup, by name."""
    monkeypatch.setattr(cores, "CGROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n")

    return write


def test_without_limit_all_cores_are_usable(quota):
    assert cores.usable_cores() == 16


@pytest.mark.parametrize(("text", "count"), [("200000 100000", 2), ("150000 100000", 2), ("10000 100000", 1)])
def test_a_container_has_the_cores_that_its_quota_gives(quota, text, count):
    quota("cpu.max", text)

    assert cores.usable_cores() == count


@pytest.mark.parametrize("text", ["max 100000", "", "100000", "0 0"])
def test_a_quota_that_says_nothing_limits_nothing(quota, text):
    quota("cpu.max", text)

    assert cores.usable_cores() == 16


def test_the_first_version_of_control_groups_is_read_too(quota):
    quota("cpu/cpu.cfs_quota_us", "300000")
    quota("cpu/cpu.cfs_period_us", "100000")

    assert cores.usable_cores() == 3


def test_the_first_version_writes_minus_one_for_no_limit(quota):
    quota("cpu/cpu.cfs_quota_us", "-1")
    quota("cpu/cpu.cfs_period_us", "100000")

    assert cores.usable_cores() == 16


def test_a_quota_above_the_machine_gives_no_cores_that_it_lacks(quota):
    quota("cpu.max", "6400000 100000")

    assert cores.usable_cores() == 16
