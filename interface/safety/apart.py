"""Work on strangers' files in processes of its own, each of which may have so much memory and time and no more.

They are forked, within milliseconds, from one that has loaded the libraries and no network. What they take is theirs:
it goes with them, and the server never has it.
"""

import dataclasses
import multiprocessing
import multiprocessing.connection
import signal
import sys
import threading
import time

from interface.safety.memory import address_space

PART = 1 << 24  # bytes that are best sent at a time: neither side holds a large result twice

# How a process ends that does not come to its end, beside crashes: by its limits; by the system's need of memory, or
# with the process that forks them.
LATE, NO_MEMORY, LOST = "late", 77, 255  # the last is what multiprocessing says when it does not know
TOO_MUCH = (LATE, NO_MEMORY, -getattr(signal, "SIGXCPU", 24))
ENDED_FROM_OUTSIDE = (-getattr(signal, "SIGKILL", 9), LOST)

# All that a forked process would import anew: what it does, and what the page's own start imports.
PRELOADED = [
    *("mrcnn.images", "interface.safety.decoding", "interface.downloads", "interface.server"),
    *("scipy.ndimage", "skimage.measure"),
]
GIVEN, REFUSED, DONE = range(3)  # what a process says

# Starting a process, multiprocessing also asks how all others ended. Of two threads that ask about the same one at the
# same moment, one learns nothing.
_bookkeeping = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one process may have.

    Args:
        seconds: float. On the clock, until it has given everything.
        processor_seconds: int.
        memory: int. Bytes beyond what it was born with: on many cores the numeric libraries alone reserve gigabytes of
            addresses.
    """

    seconds: float
    processor_seconds: int
    memory: int


class EndedEarly(Exception):
    """A process ended before it was done.

    Attributes:
        ending: its exit code, that of a signal below zero, or `LATE`; see `TOO_MUCH` and `ENDED_FROM_OUTSIDE`.
    """

    def __init__(self, ending):
        super().__init__(f"a process ended early: {ending}")
        self.ending = ending


def run_apart(task, arguments, limits):
    """Runs a generator function in a process of its own.

    Args:
        task: function of a module. A generator of what can be pickled; it may raise `ValueError`.
        arguments: tuple of what can be pickled.
        limits: `Limits`.

    Yields:
        What the task yields. Whoever stops listening ends the process.

    Raises:
        ValueError: as the task does.
        EndedEarly: if the process does not come to its end.
    """
    deadline = time.monotonic() + limits.seconds
    receiver, sender = _context().Pipe(duplex=False)
    process = _context().Process(target=_work, args=(task, arguments, limits, sender), daemon=True)
    try:
        with _bookkeeping:
            process.start()
    except (EOFError, OSError):  # the process that forks them is gone; the next start brings another
        receiver.close()
        sender.close()
        raise EndedEarly(LOST) from None
    sender.close()
    try:
        while True:
            try:
                kind, value = _receive(receiver, deadline)
            except TimeoutError:
                raise EndedEarly(LATE) from None
            except (EOFError, OSError):
                multiprocessing.connection.wait([process.sentinel], timeout=1)  # how it ended is known in a moment
                with _bookkeeping:
                    raise EndedEarly(process.exitcode) from None
            if kind == DONE:
                return
            if kind == REFUSED:
                raise ValueError(value)
            yield value
    finally:
        receiver.close()
        with _bookkeeping:
            if process.is_alive():
                process.kill()
            process.join()


def _receive(receiver, deadline):
    if not receiver.poll(max(0.0, deadline - time.monotonic())):
        raise TimeoutError
    return receiver.recv()


def _context():
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _work(task, arguments, limits, sender):
    """What the process does."""
    _limit_this_process(limits)
    try:
        for value in task(*arguments):
            sender.send((GIVEN, value))
    except ValueError as error:
        sender.send((REFUSED, str(error)))
    except MemoryError:
        sys.exit(NO_MEMORY)
    else:
        sender.send((DONE, None))


def _limit_this_process(limits):
    try:
        import resource
    except ImportError:  # Windows: the clock alone limits it
        return
    memory = limits.memory + address_space()
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # With both at the same second it would be ended by the signal that says nothing of why.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.processor_seconds, limits.processor_seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
