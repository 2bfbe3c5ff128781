"""Write a model for other engines, and check the file by running it in a new process.

    python -m pipeline export --weights cat --format keras       --out exported/cat.keras
    python -m pipeline export --weights cat --format saved_model --out exported/cat
    python -m pipeline export --weights cat --format tflite      --out exported/cat.tflite
    python -m pipeline export --weights cat --format onnx        --out exported/cat.onnx
    python -m pipeline export --weights cat --format web         --out site/
    python -m pipeline export --weights cat --format onnx --int8 data/cat/train --out exported/cat.int8.onnx

Images go in letterboxed (`mrcnn/letterbox.py`), boxes come out in pixels of that canvas.

    keras        import mrcnn.build, then keras.saving.load_model(FILE).detect(images, 0.5, 30)
    saved_model  signature serving_default; in: images uint8 (B, H, W, 3) with H and W multiples of 32, confidence
                 float32 (), limit int32 (); out, one row a detection of the batch: image int32 (N,), boxes float32
                 (N, 4) y1 x1 y2 x2, scores float32 (N,), class_ids int32 (N,), masks float32 (N, S, S)
                 signature detect_padded, for servers that batch (docs/scale.md); in: images as above, confidence
                 float32 (B, 1); out, for each image LIMIT rows, zeros after the last detection: boxes (B, LIMIT, 4),
                 scores (B, LIMIT), class_ids (B, LIMIT), masks (B, LIMIT, S, S)
    onnx         the inputs and outputs of serving_default; those of the classic presets take one image (B = 1). With
                 --int8, lite models only: convolutions in 8 bits, two thirds of the size and of the time;
                 results are no longer the same, so measure them with --val
    tflite       every shape is fixed: in: images uint8 (1, SIZE, SIZE, 3), the letterboxed image in the top left
                 corner and grey (127) around it, and confidence float32 (); out: boxes (1, LIMIT, 4), scores
                 (1, LIMIT), class_ids (1, LIMIT), masks (1, LIMIT, S, S), zeros after the last detection. Built-in
                 operations only, in float32.
    web          a static page with the model in it, for any host of files; see `pipeline/exporting/web.py`

The S x S cells of a mask tile its box enlarged by the config's `mask_margin` at each edge. Beside the file comes
FILE.json: the card of the weights with their config, and how far the results are from the Keras model's.

A lite model as onnx is what the light engine runs, without TensorFlow: written to `weights/cat.onnx`, it is the model
`cat` for `--engine onnx`, and in 8 bits, written to `weights/cat.int8.onnx`, that for `--engine int8`. See
`mrcnn/engines/onnx.py`; `docs/performance.md` has how fast they are.
"""

import json
import sys
from pathlib import Path

from pipeline.exporting.export import FORMATS, file_size


def add_arguments(parser):
    parser.add_argument("--weights", default="cat", help="name under weights/ or path of an .npz (default: cat)")
    parser.add_argument("--format", required=True, choices=FORMATS, help="what to write")
    parser.add_argument("--out", required=True, help="file to write, for saved_model and web a folder")
    parser.add_argument(
        "--photo", help="for the check and the page's example (default: the cat that comes with scikit-image)"
    )
    parser.add_argument("--size", type=int, help="tflite: side of the square input in pixels (default: the model's)")
    parser.add_argument("--limit", type=int, default=10, help="tflite, detect_padded: rows an image (default: 10)")
    parser.add_argument(
        "--int8",
        metavar="FOLDER",
        help="onnx: 8 bits, with scales found on photos of this folder, best those of training",
    )
    parser.add_argument("--val", metavar="DATA", help="onnx: also measure the file on this data set, into its card")


def main(arguments):
    if arguments.val and arguments.format != "onnx":
        raise ValueError(f"--val is for the format onnx, not for {arguments.format}")
    from mrcnn import weights
    from mrcnn.images import read_image
    from pipeline.exporting.export import export_with_card
    from pipeline.exporting.int8 import calibration_photos

    if arguments.photo:
        photo = read_image(arguments.photo)
    else:
        import skimage.data

        photo = skimage.data.chelsea()
    calibration = calibration_photos(arguments.int8) if arguments.int8 else None
    network, card = weights.load_network(arguments.weights)
    path = Path(arguments.out)
    print(f"writing {path}, then running it in a new process", file=sys.stderr)
    result = export_with_card(
        network, card, arguments.format, path, photo, arguments.size, arguments.limit, calibration
    )
    size, count = file_size(path) / 1e6, result["detections"]
    print(f"{path}: {size:.1f} MB; run in a new process, {count} detections agree with the Keras model's")
    for name, tolerance in result["tolerances"].items():
        print(f"  {name:<7} largest difference {result[name]:.2e}, tolerance {tolerance:g}")
    if arguments.val:
        measure_into_card(path, arguments.val)
    return 0


def measure_into_card(path, data):
    """Measure an exported file on a data set, print the figures, and keep them in its card."""
    from mrcnn import MaskRCNN, weights
    from mrcnn.atomic import write_atomically
    from pipeline.data.dataset import CocoDataset
    from pipeline.evaluation.coco_eval import detect_all, measure, table

    model = MaskRCNN.from_pretrained(path)
    dataset = CocoDataset(data, None, model.class_names)
    report = measure(dataset, detect_all(model, dataset)[0])
    print(table(report))
    card = {**weights.read_card(path), "metrics": report}
    write_atomically(weights.card_path(path), json.dumps(card, indent=2) + "\n")
