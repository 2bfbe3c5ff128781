"""Which devices a training run uses: one, all GPUs of this machine, or those of several machines.

One device and several GPUs need nothing said. On several machines, start the same command on each, with `TF_CONFIG`
naming all of them and, as `index`, the one it is set on:

    export TF_CONFIG='{"cluster": {"worker": ["10.0.0.1:7881", "10.0.0.2:7881"]},
        "task": {"type": "worker", "index": 0}}'
    python -m pipeline train --data DATA/train --val DATA/val --out /shared/runs/cat

The batch keeps its size and is split over all devices. All machines need the data and see the same --out; only the
first writes to it. If a machine is lost, the others end within about two minutes; start all again with --resume.
"""

import json
import os


def find_strategy():
    """The `tf.distribute.Strategy` for all devices in sight; TensorFlow's default, which does nothing, for just one.

    Raises:
        ValueError: if `TF_CONFIG` cannot be read.
    """
    import tensorflow as tf

    if os.environ.get("TF_CONFIG"):
        _check_cluster(os.environ["TF_CONFIG"])
        return tf.distribute.MultiWorkerMirroredStrategy()
    names = [device.name for kind in ("GPU", "CPU") for device in tf.config.list_logical_devices(kind)]
    names = [name for name in names if "GPU" in name] or names
    return tf.distribute.MirroredStrategy(names) if len(names) > 1 else tf.distribute.get_strategy()


def worker(strategy):
    """Which of the machines this is: `(index, count)`, `(0, 1)` if there is only one. The first writes the files."""
    resolver = strategy.cluster_resolver
    if resolver is None or resolver.task_id is None:
        return 0, 1
    return resolver.task_id, resolver.cluster_spec().num_tasks("worker")


def is_first():
    """Whether this is the machine that writes the files, by `TF_CONFIG`; `find_strategy` has checked it before."""
    config = os.environ.get("TF_CONFIG")
    return not config or json.loads(config)["task"]["index"] == 0


def from_first(strategy, number):
    """The integer that the first machine has; each of them must ask for it at the same point of the run."""
    import tensorflow as tf

    index, count = worker(strategy)
    if count == 1:
        return number
    term = number if index == 0 else 0

    def share():
        context = tf.distribute.get_replica_context()
        return context.all_reduce("SUM", tf.constant(term)) * count // strategy.num_replicas_in_sync

    return int(strategy.experimental_local_results(strategy.run(share))[0])


def _check_cluster(text):
    """Refuses a `TF_CONFIG` that TensorFlow would wait for without end, or answer with a traceback."""
    form = '{"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": "worker", "index": 0}}'
    try:
        content = json.loads(text)
        workers, task = content["cluster"]["worker"], content["task"]
        valid = set(content["cluster"]) == {"worker"} and task["type"] == "worker" and 0 <= task["index"] < len(workers)
    except (ValueError, KeyError, TypeError):
        valid = False
    if not valid:
        raise ValueError(f"TF_CONFIG is {text}, expected the form {form}")
