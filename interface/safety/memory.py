"""Memory goes back to the system when it is no longer used; needs glibc."""

import ctypes
import gc
import os
import sys
from pathlib import Path

ARENAS = 2
_M_ARENA_MAX = -8  # of malloc.h


def limit_arenas():
    """Lets all threads share a few heaps of the allocator, to be called before there are threads.

    By default each thread may get a heap of its own, and after a busy hour each of dozens holds on to what its thread
    once used: gigabytes that nobody needs. MALLOC_ARENA_MAX in the environment does the same.
    """
    mallopt = _from_libc("mallopt")
    if mallopt and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(_M_ARENA_MAX, ARENAS)


def release_memory():
    """Gives back to the system what was used only for a while, as to load a model."""
    gc.collect()
    trim_memory()


def trim_memory():
    """The same, without looking for what only seems to be used."""
    trim = _from_libc("malloc_trim")
    if trim:
        trim(0)


def memory_in_use():
    """Bytes of memory that this process has, or 0 where the system does not tell."""
    return _own_pages(1)


def address_space():
    """Bytes of addresses that this process has reserved, in use or not, or 0 where the system does not tell."""
    return _own_pages(0)


def _own_pages(column):
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[column])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _from_libc(name):
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
