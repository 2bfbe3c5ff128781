"""Measure the speed: the whole and every stage, beside what one would use instead.

    python -m pipeline benchmark
    python -m pipeline benchmark --peers --json speed.json --figure speed.png

All candidates take turns in one run, on the same photos of 640 x 480 pixels and with the same cores; each call gets
another photo, and every result of our model is checked to hold the cat. In its turn each candidate first runs for a
moment, as under a live webcam, which brings back what the one before drove out of the caches; then one call is timed.
Figures are medians, with the 10th and 90th percentile behind them. Close other programs first.

    segment        array to `Instances`, as everyone calls it; the ratios to the peers are of this
                   (`segment, ONNX Runtime` is the same model exported, `int8` in 8 bits, see `mrcnn/engines/onnx.py`)
    stages         photo file to the two JPEGs that the page shows, stage by stage
    floor          time that the network's multiply-adds would take at the rate of one large 3x3 convolution
    cold start     `python -m mrcnn PHOTO` from nothing to its result, beside importing TensorFlow and Keras
    memory         of `python app.py` after it answered photos, at its peak
"""

import json
import tempfile
from pathlib import Path


def add_arguments(parser):
    parser.add_argument("--weights", default="cat", help="name under weights/ or path of an .npz (default: cat)")
    parser.add_argument("--repeats", type=int, default=15, help="timed calls of each candidate (default: %(default)s)")
    parser.add_argument(
        "--peers", action="store_true", help="also time torchvision, YOLO11n-seg and ResNet-101 at 1024"
    )
    parser.add_argument("--json", help="also write the figures to this file")
    parser.add_argument("--figure", help="also draw a bar chart to this PNG")


def main(arguments):
    from pipeline.benchmarking.benchmark import benchmark
    from pipeline.benchmarking.report import describe, draw

    if arguments.repeats < 1:
        raise ValueError(f"--repeats is {arguments.repeats}, expected at least 1")
    with tempfile.TemporaryDirectory() as folder:
        report = benchmark(arguments.weights, arguments.repeats, arguments.peers, Path(folder))
    print(describe(report))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(report, indent=2) + "\n")
    if arguments.figure:
        draw(report).savefig(arguments.figure)
    return 0
