"""What docs/performance.md promises of the speed."""

from pipeline.benchmarking import peers
from pipeline.benchmarking.stages import STAGES

BATCH = 8  # photos of a `segment_batch`
AFTER_NETWORK = ("pasting", "drawing", "encoding")
LIGHT = "segment, ONNX Runtime"  # the light engine
INT8 = "segment, ONNX Runtime int8"  # the same with convolutions in 8 bits
LIMITS = (
    ("segment", peers.YOLO, 0.7),
    (LIGHT, peers.YOLO, 0.5),
    (INT8, peers.YOLO, 0.5),
    ("segment", peers.TORCHVISION, 1 / 25),
    (LIGHT, peers.TORCHVISION, 0.012),
    (INT8, peers.TORCHVISION, 0.012),
    ("segment", peers.CLASSIC, 1 / 60),
)


def targets(report):
    """What docs/performance.md promises, and whether this run keeps it.

    Args:
        report: dict from `pipeline.benchmarking.benchmark.benchmark`.

    Returns:
        list of dict: `name`, `measured` (`None` where it was not measured, which keeps no promise), `at_most` or
        `at_least`, and `met`.
    """
    median = {name: values["median"] for name, values in report["milliseconds"].items()}
    whole = sum(median[stage] for stage in STAGES)
    cold, memory = report["cold_start_seconds"], report["server_memory_gb"]
    rows = [
        (f"{ours} / {peer}", _ratio(median.get(ours), median.get(peer)), "at_most", limit)
        for ours, peer, limit in LIMITS
    ]
    rows += [
        ("network / its floor", median["network"] / report["network_floor_ms"], "at_most", 2.0),
        ("pasting, drawing, encoding / whole", sum(median[stage] for stage in AFTER_NETWORK) / whole, "at_most", 0.25),
        *(
            (name.replace("segment", "throughput of batches / single"), _batch_gain(median, name), "at_least", 1.5)
            for name in ("segment", LIGHT, INT8)
        ),
        ("cold start / importing TensorFlow, Keras", cold["command"] / cold["imports"], "at_most", 1.5),
        ("cold start, ONNX Runtime / the same", _ratio(cold.get("light"), cold["imports"]), "at_most", 0.3),
        ("GB of memory of the server", memory, "at_most", 1.2),
        ("results that hold the cat", report["results_holding_the_cat"], "at_least", 1.0),
    ]
    return [
        {"name": name, "measured": measured, kind: limit, "met": _met(measured, kind, limit)}
        for name, measured, kind, limit in rows
    ]


def _batch_gain(median, name):
    batch = median.get(name.replace("segment", f"segment_batch of {BATCH}"))
    return None if batch is None else BATCH * median[name] / batch


def _ratio(ours, theirs):
    return None if ours is None or theirs is None else ours / theirs


def _met(measured, kind, limit):
    if measured is None:
        return False
    return measured <= limit if kind == "at_most" else measured >= limit
