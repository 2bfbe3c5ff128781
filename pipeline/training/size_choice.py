"""After training: the input size at which the weights find most."""

import sys

STEPS_UP = (4 / 3, 5 / 3, 2)  # times the size of the training, for as long as each finds more than the one before
LEAST_GAIN = 0.005  # of AP, for which a photo may take longer
LARGEST = 1280  # pixels
MULTIPLE = 32  # pixels, of which sizes are, or what the network asks for


def choose_input_size(out, val, measured):
    """Evaluate the best weights of a run at up to three larger inputs, and keep the best size in their card.

    Weights of photos at one size often find more at a larger one: Touvron et al., "Fixing the train-test resolution
    discrepancy", 2019 (https://arxiv.org/abs/1906.06423).

    Args:
        out: Path of the run's folder, with `best.npz` and its card.
        val: `CocoDataset`.
        measured: "mask" or "box". Whose AP decides, see `pipeline.training.evaluator.Evaluator`.

    Returns:
        dict from size to AP and milliseconds a photo, and the chosen size; `None` if that was done before.
    """
    from mrcnn import MaskRCNN, weights
    from pipeline.evaluation.coco_eval import evaluate

    path = out / "best.npz"
    card = {name: value for name, value in weights.read_card(path).items() if name != "sha256"}
    if "sizes" in card or not card.get("metrics"):
        return None
    network, _ = weights.load_network(path)
    model = MaskRCNN(network)
    trained = card["config"]["image_size"]
    reports = {trained: card["metrics"]}
    best, multiple = trained, max(MULTIPLE, network.size_multiple)
    for size in sorted({round(trained * factor / multiple) * multiple for factor in STEPS_UP} - {trained}):
        if size > LARGEST:
            break
        reports[size] = evaluate(model, val, size, progress=False)
        gain = reports[size][measured]["AP"] - reports[best][measured]["AP"]
        print(
            f"at an input of {size} instead of {trained}: {measured} AP {reports[size][measured]['AP']:.3f}, "
            f"{reports[size]['ms_per_picture']:.0f} ms a photo instead of {reports[trained]['ms_per_picture']:.0f}",
            file=sys.stderr,
        )
        if gain < LEAST_GAIN:
            break
        best = size
    card["config"]["image_size"] = best
    card["metrics"] = reports[best]
    card["sizes"] = {
        str(size): {f"{measured}_AP": of[measured]["AP"], "ms_per_picture": of["ms_per_picture"]}
        for size, of in reports.items()
    }
    weights.save(network, path, card)
    return card["sizes"], best
