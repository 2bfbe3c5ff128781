"""Convert an h5 file of matterport's Mask_RCNN, such as the COCO weights of 2017, into a model of this project.

    python -m pipeline download-coco
    python -m pipeline import-matterport data/mask_rcnn_coco.h5 --name coco
    python -m mrcnn street.jpg --weights coco --out results

The model goes to `weights/NAME.npz` with its card `weights/NAME.json`, as float16: half the size of the file, which for
a ResNet-101 are 128 MB. Under that name the command line, the app and the other commands find it.
"""

import sys
from pathlib import Path


def add_arguments(parser):
    parser.add_argument("file", metavar="FILE.h5", help="weights or a whole model, as Keras 2 wrote them")
    parser.add_argument("--name", required=True, help="what to call the model, such as coco")
    parser.add_argument("--classes", metavar="NAME,NAME,...", help="class names, without the background")
    parser.add_argument("--size", type=int, help="longer side of the network's input in pixels (default: 1024)")


def main(arguments):
    from pipeline.exporting.import_matterport import import_file

    class_names = arguments.classes.split(",") if arguments.classes else None
    settings = {"image_max_dim": arguments.size} if arguments.size else {}
    path = import_file(Path(arguments.file), arguments.name, class_names, **settings)
    print(f"{path}: {path.stat().st_size / 1e6:.0f} MB", file=sys.stderr)
    return 0
