"""Convert the convolutions of an Open Images SSD-MobileNetV2 into the initial weights of the `lite` backbone.

    python -m pipeline convert-backbone ssd_mobilenetv2_oidv4_fp16.tflite --out weights/mobilenet_v2_oidv4.npz

The file is a detector for 24 classes of Open Images V4 with folded batch norms, float16, from the npm package
`@mediapipe/objectron` 0.4.1675468480 (Apache-2.0). Run once; the result is in `weights/`, with a card.
"""

import sys
from pathlib import Path


def add_arguments(parser):
    parser.add_argument("file", help="the .tflite file of the detector")
    parser.add_argument("--out", default="weights/mobilenet_v2_oidv4.npz", help="npz to write (default: %(default)s)")


def main(arguments):
    from pipeline.training.convert_backbone import convert

    out = Path(arguments.out)
    convert(Path(arguments.file), out)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB", file=sys.stderr)
    return 0
