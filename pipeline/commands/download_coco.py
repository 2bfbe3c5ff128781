"""Download the COCO weights of 2017 that matterport published with Mask_RCNN 2.0: ResNet-101, 80 classes, 258 MB.

    python -m pipeline download-coco
    python -m pipeline download-coco --out elsewhere/mask_rcnn_coco.h5

An interrupted download is continued by the same command; the finished file is compared with its known checksum.
"""

import sys
from pathlib import Path

from pipeline.exporting.download_coco import URL, download


def add_arguments(parser):
    parser.add_argument("--out", type=Path, default=Path("data/mask_rcnn_coco.h5"), help="file (default: %(default)s)")
    parser.add_argument("--url", default=URL, help="a mirror of the file (default: %(default)s)")


def main(arguments):
    download(arguments.out, arguments.url)
    print(f"{arguments.out}: complete, {arguments.out.stat().st_size / 1e6:.0f} MB", file=sys.stderr)
    print(f"next: python -m pipeline import-matterport {arguments.out} --name coco", file=sys.stderr)
    return 0
