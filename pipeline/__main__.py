"""The pipeline's commands.

python -m pipeline download | prepare | train | evaluate | average | export | benchmark | import-matterport ... --help
"""

import argparse
import importlib
import os
import sys

COMMANDS = {
    "download": "photos, boxes and masks of a class from Open Images",
    "prepare": "masks or boxes to COCO JSON, with a report and a contact sheet",
    "train": "train a model",
    "evaluate": "mask and box AP of a model on a data set",
    "average": "the mean of the weights of several runs",
    "export": "write a model for Keras, SavedModel, LiteRT or ONNX, and check the file",
    "benchmark": "speed of the whole and of every stage, beside other models",
    "convert-backbone": "initial backbone weights from an Open Images detector",
    "download-coco": "the COCO weights of matterport's Mask_RCNN, 80 classes",
    "import-matterport": "convert weights of matterport's Mask_RCNN",
}

MODULES = {
    "download": "pipeline.data.download",
    "prepare": "pipeline.data.prepare",
    "train": "pipeline.training.loop",
    "evaluate": "pipeline.evaluation.coco_eval",
    "average": "pipeline.training.average",
    "export": "pipeline.exporting.export",
    "benchmark": "pipeline.benchmarking.benchmark",
    "convert-backbone": "pipeline.training.convert_backbone",
    "download-coco": "pipeline.exporting.download_coco",
    "import-matterport": "pipeline.exporting.import_matterport",
}


def main():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is loaded: warnings and errors only
    parser = argparse.ArgumentParser(prog="python -m pipeline", description="From a class name to a trained demo.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = None
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        for name, summary in COMMANDS.items():
            command = commands.add_parser(name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter)
            if name == asked:  # only the command that was asked for is imported
                chosen = importlib.import_module(MODULES[name])
                command.description = chosen.__doc__
                chosen.add_arguments(command)
        arguments = parser.parse_args()  # ends here for --help and for what is no command
        return chosen.main(arguments)
    except (ValueError, OSError, FloatingPointError) as error:
        if isinstance(error, OSError) and error.filename:
            error = f"{error.filename}: {error.strerror}"  # without the number
        print(f"{parser.prog} {asked}: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        remedy = "`make setup`, or pip install 'mrcnn-demo[train,export]', brings what the pipeline needs"
        print(f"{parser.prog} {asked}: {error}; {remedy}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{parser.prog} {asked}: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
