"""Measure a model on a data set with the COCO protocol.

    python -m pipeline evaluate --weights cat --data DATA/val --annotations DATA/val.json --json result.json
    python -m pipeline evaluate --weights cat --data DATA/val --report report/

With --report it also draws precision over recall, the scores of right and wrong detections, and the photos that went
worst, with what should have been found beside what was. With --json or --report an interrupted run is continued by the
same command.
"""

import json
import sys
from pathlib import Path


def add_arguments(parser):
    parser.add_argument("--weights", default="cat", help="name under weights/ or path of an .npz (default: cat)")
    parser.add_argument("--data", required=True, help="folder of photos")
    parser.add_argument("--annotations", help="COCO JSON (default: the folder's name with .json)")
    parser.add_argument("--json", help="also write the figures to this file")
    parser.add_argument("--report", metavar="DIR", help="also draw curves, histogram and worst photos into this folder")
    parser.add_argument("--size", type=int, help="longer side of the network's input in pixels")


def main(arguments):
    from mrcnn import MaskRCNN, weights
    from mrcnn.atomic import write_atomically
    from pipeline.data.dataset import CocoDataset
    from pipeline.evaluation.coco_eval import detect_all, detection_log, measure, table
    from pipeline.evaluation.figures import draw_report

    if arguments.report:
        Path(arguments.report).mkdir(parents=True, exist_ok=True)
    model = MaskRCNN.from_pretrained(arguments.weights)
    dataset = CocoDataset(arguments.data, arguments.annotations, model.class_names)
    log = None
    if arguments.json or arguments.report:
        path = f"{arguments.json}.progress" if arguments.json else Path(arguments.report) / "detections.progress"
        log = detection_log(path, weights.locate_runnable(arguments.weights), dataset, arguments.size)
    results, milliseconds = detect_all(model, dataset, arguments.size, progress_log=log)
    report = {**measure(dataset, results), "ms_per_picture": milliseconds}
    print(table(report))
    if arguments.json:
        write_atomically(arguments.json, json.dumps(report, indent=2) + "\n")
        print(f"written: {arguments.json}", file=sys.stderr)
    if arguments.report:
        for path in draw_report(dataset, results, arguments.report):
            print(f"written: {path}", file=sys.stderr)
    if log:
        log.path.unlink()
    return 0
