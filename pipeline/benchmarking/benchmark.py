"""Measure the speed: the whole and every stage, beside what one would use instead.

    python -m pipeline benchmark
    python -m pipeline benchmark --peers --json speed.json --figure speed.png

All candidates take turns in one run, on the same photos of 640 x 480 pixels and with the same cores; each call gets
another photo, and every result of our model is checked to hold the cat. In its turn each candidate first runs for a
moment, as under a live webcam, which brings back what the one before drove out of the caches; then one call is timed.
Figures are medians, with the 10th and 90th percentile behind them. Close other programs first.

    segment        array to `Instances`, as everyone calls it; the ratios to the peers are of this
                   (`segment, ONNX Runtime` is the same model exported, see `mrcnn/engines/onnx.py`)
    stages         photo file to the two JPEGs that the page shows, stage by stage
    floor          time that the network's multiply-adds would take at the rate of one large 3x3 convolution
    cold start     `python -m mrcnn PHOTO` from nothing to its result, beside importing TensorFlow and Keras
    memory         of `python app.py` after it answered photos, at its peak
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mrcnn.engines.tensorflow import frozen
from pipeline.benchmarking import peers
from pipeline.benchmarking.photos import SIZE, photos
from pipeline.benchmarking.stages import STAGES, Stages, multiply_adds
from tools.app_process import ROOT, running_app

BATCH = 8
PAUSE = 0.02  # seconds before each timed call: the threads of the engine before have gone to sleep by then
WARM_UP = 0.15  # seconds at least for which a candidate runs before its timed call, as under a live webcam
CONVOLUTION = 96, 96, 256  # height, width and channels in and out of the 3x3 convolution that sets the floor
COLD_STARTS = 3
SERVED_PHOTOS = 10
AFTER_NETWORK = ("pasting", "drawing", "encoding")


def add_arguments(parser):
    parser.add_argument("--weights", default="cat", help="name under weights/ or path of an .npz (default: cat)")
    parser.add_argument("--repeats", type=int, default=15, help="timed calls of each candidate (default: %(default)s)")
    parser.add_argument(
        "--peers", action="store_true", help="also time torchvision, YOLO11n-seg and ResNet-101 at 1024"
    )
    parser.add_argument("--json", help="also write the figures to this file")
    parser.add_argument("--figure", help="also draw a bar chart to this PNG")


def benchmark(name_or_path, repeats, with_peers, folder):
    """Time everything.

    Args:
        name_or_path: str. Weights of our model.
        repeats: int. Timed calls of each candidate.
        with_peers: bool. Whether to time the peers as well.
        folder: path of a folder for photos and exported files.

    Returns:
        dict, ready for JSON; `describe` says what is in it.
    """
    from mrcnn import MaskRCNN, weights

    network, _ = weights.load_network(name_or_path)
    if network.config.preset != "lite":
        raise ValueError(f"the benchmark measures models of the preset lite, not of {network.config.preset}")
    subjects = photos(repeats + 1, folder)  # a round uses one and the one before it
    cold, memory = cold_starts(name_or_path, subjects[0].path, folder), server_memory(name_or_path, subjects)
    model, stages = MaskRCNN(network), Stages(network)
    canvases = {photo: canvas_of(photo, network) for photo in subjects}
    height, width = canvases[subjects[0]].shape[1:3]
    convolve, convolution_size = large_convolution()
    candidates = {
        "segment": lambda photo: model.segment(photo.image),
        "network": lambda photo: stages.whole(canvases[photo]),
        "3x3 convolution": lambda photo: convolve(),
        f"segment_batch of {BATCH}": lambda photo: model.segment_batch(batch_from(photo, subjects)),
    }
    exported = exported_model(network, folder)
    if exported:
        candidates["segment, ONNX Runtime"] = lambda photo: exported.segment(photo.image)
    others, missing = peers.available_peers(folder) if with_peers else ({}, {})
    try:
        seconds, holding = interleave(candidates, stages, others, subjects)
    finally:
        for peer in others.values():
            peer.close()
    times = {name: spread(values) for name, values in seconds.items()}
    size = multiply_adds(network, height, width)
    rate = convolution_size / (times["3x3 convolution"]["median"] / 1000)
    return {
        "machine": machine(),
        "photo": f"{SIZE[1]} x {SIZE[0]}",
        "network_input": f"{width} x {height}",
        "repeats": repeats,
        "milliseconds": times,
        "results_holding_the_cat": holding,
        "network_multiply_adds": size,
        "multiply_adds_per_second": round(rate),
        "network_floor_ms": round(1000 * size / rate, 2),
        "missing_peers": missing,
        "cold_start_seconds": cold,
        "server_memory_gb": memory,
    }


def batch_from(photo, subjects):
    """The photo and the ones after it, as arrays."""
    first = subjects.index(photo)
    return [subjects[(first + number) % len(subjects)].image for number in range(BATCH)]


def exported_model(network, folder):
    """The same model run by ONNX Runtime, or `None` where its packages are missing."""
    from mrcnn import MaskRCNN, weights
    from pipeline.exporting.export import export

    path = folder / "exported.onnx"
    try:
        export(network, "onnx", path)
        Path(f"{path}.json").write_text(json.dumps(weights.card_of(network)))
        return MaskRCNN.from_pretrained(path)
    except ValueError as error:
        print(f"ONNX Runtime is left out: {error}", file=sys.stderr)
        return None


def canvas_of(photo, network):
    """The network's input for a photo."""
    import tensorflow as tf

    canvas, _ = network.letterbox(photo.image, network.config.image_size)
    return tf.constant(canvas[None])


def large_convolution():
    """A function that runs one large 3x3 convolution, and its multiply-adds."""
    import tensorflow as tf

    height, width, channels = CONVOLUTION
    kernel = tf.random.stateless_normal((3, 3, channels, channels), (1, 2))
    image = tf.random.stateless_normal((1, height, width, channels), (3, 4))
    run = frozen(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"), tf.TensorSpec(image.shape, tf.float32))
    return lambda: run(image), height * width * 9 * channels * channels


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


def machine():
    """What the figures depend on."""
    import tensorflow as tf

    cpu = platform.machine()
    if Path("/proc/cpuinfo").exists():
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":")[1].strip() if names else cpu
    return {"cpu": cpu, "cores": os.cpu_count(), "python": platform.python_version(), "tensorflow": tf.__version__}


def cold_starts(name_or_path, photo, folder):
    """Median seconds of the command line from nothing to its result, and of importing TensorFlow and Keras."""
    segment = ["-m", "mrcnn", str(photo), "--out", str(folder / "result"), "--weights", str(name_or_path)]
    commands = {"command": segment, "imports": ["-c", "import tensorflow, keras"]}
    seconds = {name: [] for name in commands}
    for _ in range(COLD_STARTS):
        for name, command in commands.items():
            start = time.perf_counter()
            run = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=ROOT)
            seconds[name].append(time.perf_counter() - start)
            if run.returncode:
                raise OSError(f"`python {' '.join(command[:2])} ...` failed: {run.stderr.strip().splitlines()[-1]}")
    return {name: round(float(np.median(values)), 2) for name, values in seconds.items()}


def server_memory(name_or_path, subjects):
    """Largest resident memory of `python app.py` in GB over some photos; `None` where it cannot be measured.

    The server shows what is under weights/, so weights given by their path cannot be measured.
    """
    from mrcnn import weights

    if name_or_path not in weights.available() or not Path("/proc/self/status").exists():
        return None
    from gradio_client import Client, handle_file

    with running_app() as app:
        client = Client(app.address, verbose=False)
        for number in range(SERVED_PHOTOS):
            photo = subjects[number % len(subjects)]
            client.predict(handle_file(photo.path), model=name_or_path, api_name="/segment")
        status = Path(f"/proc/{app.process_id}/status").read_text()
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
        return round(int(kilobytes) * 1024 / 1e9, 3)


def targets(report):
    """What the README promises, and whether this run keeps it.

    Args:
        report: dict from `benchmark`.

    Returns:
        list of dict: `name`, `measured` (`None` where it was not measured, which keeps no promise), `at_most` or
        `at_least`, and `met`.
    """
    median = {name: values["median"] for name, values in report["milliseconds"].items()}
    segment, whole = median["segment"], sum(median[stage] for stage in STAGES)
    cold, memory = report["cold_start_seconds"], report["server_memory_gb"]
    rows = [(f"segment / {peer}", _ratio(segment, median.get(peer)), "at_most", limit) for peer, limit in PEER_LIMITS]
    rows += [
        ("network / its floor", median["network"] / report["network_floor_ms"], "at_most", 3.0),
        ("pasting, drawing, encoding / whole", sum(median[stage] for stage in AFTER_NETWORK) / whole, "at_most", 0.25),
        ("throughput of batches / single", BATCH * segment / median[f"segment_batch of {BATCH}"], "at_least", 1.2),
        ("cold start / importing TensorFlow, Keras", cold["command"] / cold["imports"], "at_most", 1.5),
        ("GB of memory of the server", memory, "at_most", 1.2),
        ("results that hold the cat", report["results_holding_the_cat"], "at_least", 1.0),
    ]
    return [
        {"name": name, "measured": measured, kind: limit, "met": _met(measured, kind, limit)}
        for name, measured, kind, limit in rows
    ]


PEER_LIMITS = ((peers.TORCHVISION, 1 / 25), (peers.CLASSIC, 1 / 60), (peers.YOLO, 1.0))


def _ratio(ours, theirs):
    return None if theirs is None else ours / theirs


def _met(measured, kind, limit):
    if measured is None:
        return False
    return measured <= limit if kind == "at_most" else measured >= limit


def describe(report):
    """A report of `benchmark` as text."""
    times = report["milliseconds"]
    segment = times["segment"]["median"]
    lines = [f"{'milliseconds':<34}{'median':>10}{'p10':>10}{'p90':>10}{'to segment':>12}"]
    for name, of in times.items():
        if name == STAGES[0]:
            lines.append("  stages of a photo, file to page")
        lines.append(f"{name:<34}{of['median']:10.1f}{of['p10']:10.1f}{of['p90']:10.1f}{of['median'] / segment:12.2f}")
    size, rate = report["network_multiply_adds"] / 1e9, report["multiply_adds_per_second"] / 1e9
    lines.append(
        f"network: {size:.2f} G multiply-adds at {report['network_input']}; a large 3x3 convolution does {rate:.0f} "
        f"G/s: floor {report['network_floor_ms']:.1f} ms"
    )
    lines += [f"{name}: not installed ({reason})" for name, reason in report["missing_peers"].items()]
    lines.append(f"\n{'target':<44}{'measured':>10}{'limit':>12}")
    for row in targets(report):
        measured = "   missing" if row["measured"] is None else f"{row['measured']:10.3f}"
        sign, limit = ("<=", row["at_most"]) if "at_most" in row else (">=", row["at_least"])
        lines.append(f"{row['name']:<44}{measured}{sign:>5}{limit:7.3f}  {'met' if row['met'] else 'NOT MET'}")
    return "\n".join(lines)


def draw(report):
    """Bar charts of a report: whole calls on a logarithmic scale, and the stages, as a matplotlib `Figure`."""
    from matplotlib.figure import Figure

    times = report["milliseconds"]
    calls = {name: times[name] for name in times if name not in (*STAGES, "3x3 convolution")}
    stages = {name: times[name] for name in STAGES}
    figure = Figure(figsize=(11, 4.2), dpi=120, layout="constrained")
    for axes, bars, title in zip(
        figure.subplots(1, 2), (calls, stages), ("one call", "one photo, file to page"), strict=True
    ):
        medians = np.array([of["median"] for of in bars.values()])
        errors = np.abs([[of["median"] - of["p10"], of["p90"] - of["median"]] for of in bars.values()]).T
        axes.barh(list(bars), medians, xerr=errors, color="#56b4e9", ecolor="#444444")
        axes.bar_label(axes.containers[-1], [f"{median:.1f}" for median in medians], padding=3)
        axes.invert_yaxis()
        axes.set(title=title, xlabel="milliseconds")
        axes.margins(x=0.18)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set(xscale="log", xlim=(1, None))
    return figure


def main(arguments):
    if arguments.repeats < 1:
        raise ValueError(f"--repeats is {arguments.repeats}, expected at least 1")
    with tempfile.TemporaryDirectory() as folder:
        report = benchmark(arguments.weights, arguments.repeats, arguments.peers, Path(folder))
    print(describe(report))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({**report, "targets": targets(report)}, indent=2) + "\n")
    if arguments.figure:
        draw(report).savefig(arguments.figure)
    return 0
