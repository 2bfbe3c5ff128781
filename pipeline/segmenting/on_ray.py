"""Shards on a Ray cluster: an actor with a model for every so many cores, and any of them may die.

Actors are not restarted by Ray, which would wait for room on the node that has just been lost. The shard of a lost
actor goes back to the others, and a new actor is asked for wherever there is room; nodes that join are used likewise.
"""

import collections
import contextlib
import importlib.util
import os
import socket
import sys
import time
from pathlib import Path

from mrcnn.extras import install_command

MOST_DEATHS = 5  # of actors on one shard, or while loading a model, one after the other
LOOK_AROUND = 10  # seconds between two looks at the size of the cluster
OBJECT_STORE = 200_000_000  # bytes of a store that this command starts: only the model goes through it


def is_installed():
    """Whether Ray is."""
    return importlib.util.find_spec("ray") is not None


def runs_here():
    """Whether a cluster runs on this machine."""
    import ray

    try:
        ray.init("auto", log_to_driver=False, logging_level="error")
    except ConnectionError:
        return False
    ray.shutdown()
    return True


@contextlib.contextmanager
def connected(address):
    """For work on a Ray cluster within the context.

    Args:
        address: str. `"local"` starts one on this machine, which ends with the context; `"auto"` is the one that runs
            on this machine; anything else is the address of a running one.

    Raises:
        ValueError: if there is none, or Ray is not installed.
    """
    if not is_installed():
        raise ValueError(f"Ray is not installed: {install_command('scale')}, or say --ray off")
    import ray

    if address not in ("auto", "local"):
        _check_answers(address)
    # Workers must find the packages of a checkout, wherever it was started from; installed ones are found anyway.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_root(), os.environ.get("PYTHONPATH")]))
    started = {"include_dashboard": False, "object_store_memory": OBJECT_STORE} if address == "local" else {}
    try:
        ray.init(address, log_to_driver=False, logging_level="error", **started)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ValueError(f"there is no Ray cluster at {address}: {str(error).splitlines()[0]}") from None
    try:
        yield
    finally:
        ray.shutdown()


def run(job, model_file, waiting, threads, finished, progress, workers=None):
    """Work through shards; within `connected`. Arguments are those of `pipeline.segmenting.in_process.run`, and:

    Args:
        threads: int. Cores of an actor.
        workers: int or `None`. Most actors. Defaults to as many as the cluster has room for.

    Raises:
        OSError: if actors die again and again, or, as ValueError, what an actor could not do.
        ValueError: if no node has as many cores as an actor takes.
    """
    import ray
    from ray.exceptions import RayError, RayTaskError

    # CPUs are Ray's bookkeeping alone; that the network keeps to them is said to the model.
    actor = ray.remote(num_cpus=threads, max_restarts=0)(Actor)
    _check_room(ray.nodes(), threads)
    model = ray.put(model_file)
    waiting = collections.deque(waiting)
    actors, loading, busy = set(), {}, {}  # the latter two from a task to its actor, or its actor and shard
    deaths, deaths_loading = collections.Counter(), 0
    wanted, looked = 0, float("-inf")
    try:
        while waiting or busy:
            if time.monotonic() - looked > LOOK_AROUND:
                room = int(ray.cluster_resources().get("CPU", 0) // threads)
                wanted, looked = workers or max(1, room), time.monotonic()
            while len(actors) < min(wanted, len(waiting) + len(busy)):
                one = actor.remote(job, model, threads)
                actors.add(one)
                loading[one.ready.remote()] = one
            done, _ = ray.wait([*loading, *busy], num_returns=1, timeout=LOOK_AROUND)
            for task in done:
                one, shard = (loading.pop(task), None) if task in loading else busy.pop(task)
                try:
                    record = ray.get(task)
                except RayTaskError as error:
                    raise error.cause if isinstance(error.cause, ValueError | OSError) else error from None
                except RayError as error:  # the actor, or its node, is gone
                    actors.discard(one)
                    looked = float("-inf")
                    deaths_loading = deaths_loading + 1 if shard is None else 0
                    if shard is not None:
                        waiting.append(shard)
                        deaths[shard] += 1
                    if max(deaths[shard], deaths_loading) >= MOST_DEATHS:
                        raise OSError(f"{MOST_DEATHS} workers died one after the other: {str(error)[:500]}") from None
                    print(f"a worker is lost, its photos go to another: {type(error).__name__}", file=sys.stderr)
                    continue
                if shard is None:
                    deaths_loading = 0
                else:
                    finished(record)
                    progress(record["photos"])
                if waiting:
                    shard = waiting.popleft()
                    busy[one.segment.remote(shard)] = one, shard
                else:
                    actors.discard(one)
                    ray.kill(one)
    finally:
        for one in actors:
            ray.kill(one)


class Actor:
    """A worker with a model of its own. Arguments are those of `run`."""

    def __init__(self, job, model_file, threads):
        self._arguments, self._worker = (job, model_file, threads), None

    def ready(self):
        """Loads the model. What goes wrong here is raised where it is asked for; in `__init__` it would be a death."""
        from pipeline.segmenting.worker import Worker

        job, model_file, threads = self._arguments
        self._worker = Worker(job, model_file.load(threads))

    def segment(self, shard):
        """See `pipeline.segmenting.worker.Worker.segment`."""
        return self._worker.segment(shard)


def _check_room(nodes, threads):
    """Ray would wait for ever for a node on which an actor fits. One without cores waits for others, which may come."""
    most = int(max((node["Resources"].get("CPU", 0) for node in nodes if node["Alive"]), default=0))
    if not most:
        print("no node has cores yet: waiting for one that does", file=sys.stderr)
    elif most < threads:
        raise ValueError(f"a worker takes {threads} cores, but the largest node has {most}: give fewer --threads")


def _check_answers(address):
    """Ray itself would try for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not (host and port.isascii() and port.isdigit()):
        raise ValueError(f"--ray is {address!r}, expected auto, local, off or the HOST:PORT of a cluster")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise ValueError(f"there is no Ray cluster at {address}: {error}") from None


def _root():
    return str(Path(__file__).resolve().parents[2])
