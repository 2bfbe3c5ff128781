"""A lock that is given to those who wait in the order in which they came."""

import collections
import threading


class FairLock:
    """Like `threading.Lock`, which gives itself to anyone: a batch of photos would win over all visitors who wait."""

    def __init__(self):
        self._guard = threading.Lock()
        self._waiting = collections.deque()
        self._held = False

    def __enter__(self):
        with self._guard:
            if not self._held:
                self._held = True
                return self
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()
        return self

    def __exit__(self, *_):
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()  # the lock passes on without being free in between
            else:
                self._held = False
