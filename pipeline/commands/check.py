"""A doctor for annotated photos: says what is wrong with them, what comes of it and what to do.

    python -m pipeline check DATA
    python -m pipeline check DATA-train --val DATA-val --json

DATA is a folder with COCO instance JSON beside it (DATA.json), or one as an annotation tool left it, which is then
prepared in a temporary folder. Looked for are photos and outlines that cannot be read, photos for both training and
validation, objects too small for the network, boxes and masks that disagree, objects annotated twice, classes with few
objects, one class in two spellings, and photos without objects.

Exit codes: 0 if nothing hurts, 1 if the data cannot be looked at, 3 if there are warnings (the model will be worse than
it could be), 4 if there are errors (training stops, or learns or measures what is false).
"""

import json
import sys
import tempfile
from pathlib import Path

EXIT_CODES = {"error": 4, "warning": 3, "note": 0}


def add_arguments(parser):
    parser.add_argument("data", metavar="DATA", help="folder of photos")
    parser.add_argument("--val", metavar="DATA", help="folder of photos for validation")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def main(arguments):
    from pipeline.data.doctor import count, examine

    with tempfile.TemporaryDirectory() as scratch:
        dataset, val, dropped = _open(arguments, Path(scratch))
        findings = [*dropped, *examine(dataset, val, progress=not arguments.quiet)]
    if arguments.json:
        print(json.dumps([vars(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            print(finding.sentence())
        objects = sum(dataset.count_instances().values())
        print(f"{len(dataset)} photos with {objects} objects: {count(findings)}")
    return max((EXIT_CODES[finding.severity] for finding in findings), default=0)


def _open(arguments, scratch):
    """The data sets for training and validation, and findings of their preparation, if they had to be prepared."""
    from pipeline.data.dataset import CocoDataset
    from pipeline.data.doctor import dropped
    from pipeline.data.formats import default_annotations

    reports = {}
    folders = []
    for name, folder in (("data", arguments.data), ("val", arguments.val)):
        if folder is None:
            continue
        if not Path(folder).is_dir() or default_annotations(folder).is_file():
            folders.append(folder)
            continue
        made = _prepare(Path(folder), scratch / name / f"{Path(folder).resolve().name}.json", arguments.quiet)
        reports |= made
        parts = {out.stem.rpartition("-")[2]: out.with_suffix("") for out in made}
        folders.append(parts.get("train" if name == "data" else "val") or next(iter(parts.values())))
        if name == "data" and not arguments.val and "val" in parts and "train" in parts:
            folders.append(parts["val"])
    dataset = CocoDataset(folders[0])
    val = CocoDataset(folders[1]) if folders[1:] else None
    return dataset, val, [finding for report in reports.values() for finding in dropped(report)]


def _prepare(folder, out, quiet):
    from pipeline.data.prepare import prepare

    return prepare(folder, out=out, progress=not quiet, tell=lambda text: print(text, end="", file=sys.stderr))
