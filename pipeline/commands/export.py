"""Write a model for other engines, and check the file by running it in a new process.

    python -m pipeline export --weights cat --format keras       --out exported/cat.keras
    python -m pipeline export --weights cat --format saved_model --out exported/cat
    python -m pipeline export --weights cat --format tflite      --out exported/cat.tflite
    python -m pipeline export --weights cat --format onnx        --out exported/cat.onnx
    python -m pipeline export --weights cat --format web         --out site/

Images go in letterboxed (`mrcnn/letterbox.py`), boxes come out in pixels of that canvas.

    keras        import mrcnn.build, then keras.saving.load_model(FILE).detect(images, 0.5, 30)
    saved_model  signature serving_default; in: images uint8 (B, H, W, 3) with H and W multiples of 32, confidence
                 float32 (), limit int32 (); out, one row a detection of the batch: image int32 (N,), boxes float32
                 (N, 4) y1 x1 y2 x2, scores float32 (N,), class_ids int32 (N,), masks float32 (N, S, S)
                 signature detect_padded, for servers that batch (docs/scale.md); in: images as above, confidence
                 float32 (B, 1); out, for each image LIMIT rows, zeros after the last detection: boxes (B, LIMIT, 4),
                 scores (B, LIMIT), class_ids (B, LIMIT), masks (B, LIMIT, S, S)
    onnx         the inputs and outputs of serving_default; those of the classic presets take one image (B = 1)
    tflite       every shape is fixed: in: images uint8 (1, SIZE, SIZE, 3), the letterboxed image in the top left
                 corner and grey (127) around it, and confidence float32 (); out: boxes (1, LIMIT, 4), scores
                 (1, LIMIT), class_ids (1, LIMIT), masks (1, LIMIT, S, S), zeros after the last detection. Built-in
                 operations only, in float32.
    web          a static page with the model in it, for any host of files; see `pipeline/exporting/web.py`

The S x S cells of a mask tile its box enlarged by the config's `mask_margin` at each edge. Beside the file comes
FILE.json: the card of the weights with their config, and how far the results are from the Keras model's.

A lite model as onnx is what the light engine runs, without TensorFlow: written to `weights/cat.onnx`, it is the model
`cat` for `--engine onnx`. See `mrcnn/engines/onnx.py`; `docs/performance.md` has how fast it is.
"""

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


def main(arguments):
    from mrcnn import weights
    from mrcnn.images import read_image
    from pipeline.exporting.check import TOLERANCES
    from pipeline.exporting.export import export_with_card

    if arguments.photo:
        photo = read_image(arguments.photo)
    else:
        import skimage.data

        photo = skimage.data.chelsea()
    network, card = weights.load_network(arguments.weights)
    path = Path(arguments.out)
    print(f"writing {path}, then running it in a new process", file=sys.stderr)
    result = export_with_card(network, card, arguments.format, path, photo, arguments.size, arguments.limit)
    size, count = file_size(path) / 1e6, result["detections"]
    print(f"{path}: {size:.1f} MB; run in a new process, {count} detections agree with the Keras model's")
    for name, tolerance in TOLERANCES.items():
        print(f"  {name:<7} largest difference {result[name]:.2e}, tolerance {tolerance:g}")
    return 0
