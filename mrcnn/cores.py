"""How many cores this process may use, which in a container are fewer than the machine has."""

import math
import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def usable_cores():
    """The number of cores that this process may use: an int, at least 1.

    The least of the machine's cores, those that the process is bound to (`taskset`, cpusets), and what the kernel's
    scheduler allows it (`docker run --cpus`, a Space's hardware), rounded up. `os.cpu_count` knows the first alone. The
    package `loky` has the same function and takes a tenth of a second to import.
    """
    bound_to = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(bound_to, _quota())))


def limited_cores():
    """`usable_cores()` if they are fewer than the machine has, else `None`: what engines cannot see by themselves."""
    usable = usable_cores()
    return usable if usable < (os.cpu_count() or 1) else None


def _quota():
    """Cores' worth of time that control groups allow, of version 2 or 1; infinite where they do not say."""
    try:
        if (CGROUPS / "cpu.max").exists():
            quota, period = (CGROUPS / "cpu.max").read_text().split()
        else:
            quota, period = ((CGROUPS / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        share = float(quota) / float(period)
    except (OSError, ValueError, ZeroDivisionError):  # "max" is no number
        return math.inf
    return share if share > 0 else math.inf
