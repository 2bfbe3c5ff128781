"""Trains four steps on some logical CPU devices, in a process of its own: TensorFlow counts its devices only once.

    python -m tests.pipeline.training.device_run DATA OUT --devices 2

With TF_CONFIG it is one of several machines.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

import tensorflow as tf
from tensorflow.python.eager import context

from pipeline.data.dataset import CocoDataset
from pipeline.training import loop
from pipeline.training.config import TrainConfig
from pipeline.training.evaluator import Evaluator
from pipeline.training.trainer import Trainer

# A low rate, because rounding grows with it: Adam makes full steps of gradients that are next to nothing.
CONFIG = TrainConfig(
    image_size=64,
    canvas_sizes=(64,),
    batch_size=4,
    steps=4,
    learning_rate=1e-5,
    warmup_steps=1,
    checkpoint_steps=2,
    ema_momentum=0.5,
)
HEARTBEAT = 30  # seconds until a silent machine is given up; by itself TensorFlow would wait for 100


def die(*_):
    """Ends the process without a word."""
    os.kill(os.getpid(), signal.SIGKILL)


class Killed(Trainer):
    """Dies after two steps."""

    def train_step(self, *batch):
        if self.step == 2:
            die()
        return super().train_step(*batch)


def main(arguments):
    if arguments.devices > 1:
        (processor,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(
            processor, [tf.config.LogicalDeviceConfiguration()] * arguments.devices
        )
    if "TF_CONFIG" in os.environ:
        context.context().configure_coordination_service(
            "standalone", "/job:worker/replica:0/task:0", heartbeat_timeout_in_ms=1000 * HEARTBEAT
        )
    if arguments.kill == "step":
        loop.Trainer = Killed
    if arguments.kill == "evaluation":
        Evaluator.evaluate = die
    dataset = CocoDataset(arguments.data)
    val = dataset if arguments.evaluate else None
    try:
        return 0 if loop.train(CONFIG, [dataset], val, arguments.out, arguments.resume) else 130
    except OSError as error:  # as `python -m pipeline` does
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--kill", choices=("step", "evaluation"))
    parser.add_argument("--evaluate", action="store_true", help="measure it at the end, on the same images")
    parser.add_argument("--resume", action="store_true")
    sys.exit(main(parser.parse_args()))
