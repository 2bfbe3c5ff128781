"""Candidates called in turn and timed, and the convolution that sets the floor."""

import os
import platform
import time
from pathlib import Path

import numpy as np

from mrcnn.engines.tensorflow import frozen
from pipeline.benchmarking.stages import STAGES

PAUSE = 0.02  # seconds before each timed call: the threads of the engine before have gone to sleep by then
WARM_UP = 0.15  # seconds at least for which a candidate runs before its timed call, as under a live webcam
CONVOLUTION = 96, 96, 256  # height, width and channels in and out of the 3x3 convolution that sets the floor


def interleave(candidates, stages, others, subjects):
    """Call all candidates, stages and peers in turn, photo after photo: warmed up first, then once for the time.

    Returns:
        dict from name to list of seconds, and the share of our results that hold the cat, 0 to 1.
    """
    from tqdm import tqdm

    seconds = {name: [] for name in [*candidates, *others, *STAGES]}
    holding = []

    def watch(name, function, *arguments):
        start = time.perf_counter()
        result = function(*arguments)
        taken[name] = time.perf_counter() - start
        return result

    def warm_up(function, *arguments):
        # Cores that slept, and caches that another candidate filled, need more than one short call.
        start = time.perf_counter()
        while time.perf_counter() - start < WARM_UP:
            function(*arguments)

    for before, photo in zip(subjects, tqdm(subjects[1:], "benchmark", unit="round"), strict=False):
        taken = {}
        for name, run in candidates.items():
            time.sleep(PAUSE)
            warm_up(run, before)
            found = watch(name, run, photo)
            if name == "segment":
                holding.append(photo.is_held_by(found))
        time.sleep(PAUSE)
        warm_up(stages.run, before.path, watch)
        holding.append(photo.is_held_by(stages.run(photo.path, watch)))
        for name, peer in others.items():
            time.sleep(PAUSE)
            warm_up(peer.seconds, before.image)
            taken[name] = peer.seconds(photo.image)
        for name, value in taken.items():
            seconds[name].append(value)
    return seconds, float(np.mean(holding))


def spread(seconds):
    """Median and 10th and 90th percentile in milliseconds."""
    low, median, high = np.percentile(seconds, [10, 50, 90]) * 1000
    return {"median": round(float(median), 3), "p10": round(float(low), 3), "p90": round(float(high), 3)}


def large_convolution():
    """A function that runs one large 3x3 convolution, and its multiply-adds."""
    import tensorflow as tf

    height, width, channels = CONVOLUTION
    kernel = tf.random.stateless_normal((3, 3, channels, channels), (1, 2))
    image = tf.random.stateless_normal((1, height, width, channels), (3, 4))
    run = frozen(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"), tf.TensorSpec(image.shape, tf.float32))
    return lambda: run(image), height * width * 9 * channels * channels


def machine():
    """What the figures depend on."""
    import tensorflow as tf

    cpu = platform.machine()
    if Path("/proc/cpuinfo").exists():
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":")[1].strip() if names else cpu
    return {"cpu": cpu, "cores": os.cpu_count(), "python": platform.python_version(), "tensorflow": tf.__version__}
