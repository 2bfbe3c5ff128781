"""Peers for the benchmark's tests, in a module of their own because other processes import it."""

import os
import time


def sleeper(folder):
    """A model that takes 50 ms for every image and says in which process it runs."""

    def run(image):
        (folder / "process").write_text(str(os.getpid()))
        time.sleep(0.05)

    return run


def absent(folder):
    import no_such_engine

    return no_such_engine.run
