"""The pipeline's commands, each with its own `--help`.

    python -m pipeline download            photos, boxes and masks of a class from Open Images
    python -m pipeline prepare             masks or boxes to COCO JSON
    python -m pipeline check               what is wrong with annotated photos
    python -m pipeline train               train a model
    python -m pipeline evaluate            mask and box AP of a model on a data set
    python -m pipeline segment             what a model finds in many photos
    python -m pipeline serve               a model as an HTTP service
    python -m pipeline average             the mean of the weights of several runs
    python -m pipeline calibrate           scores that mean what they say
    python -m pipeline export              write a model for another engine
    python -m pipeline benchmark           speed of the whole and of every stage
    python -m pipeline convert-backbone    initial backbone weights from an Open Images detector
    python -m pipeline download-coco       the COCO weights of matterport's Mask_RCNN
    python -m pipeline import-matterport   convert weights of matterport's Mask_RCNN

A command is a module of `pipeline/commands/`, with `-` in its name as `_`; adding one takes a line in `COMMANDS`.
"""

import argparse
import importlib
import os
import sys

from mrcnn.extras import install_command
from pipeline.quiet import leave_out_greetings

COMMANDS = {
    "download": "photos, boxes and masks of a class from Open Images",
    "prepare": "masks or boxes to COCO JSON, with a report and a contact sheet",
    "check": "a doctor for annotated photos: what is wrong, what comes of it, what to do",
    "train": "train a model",
    "evaluate": "mask and box AP of a model on a data set",
    "segment": "what a model finds in many photos, on one machine or on a cluster",
    "serve": "a model as an HTTP service, with batching and several replicas",
    "average": "the mean of the weights of several runs",
    "calibrate": "correct how sure a model is, from photos that it was not trained on",
    "export": "write a model for Keras, SavedModel, LiteRT, ONNX or as a static page, and check the file",
    "benchmark": "speed of the whole and of every stage, beside other models",
    "convert-backbone": "initial backbone weights from an Open Images detector",
    "download-coco": "the COCO weights of matterport's Mask_RCNN, 80 classes",
    "import-matterport": "convert weights of matterport's Mask_RCNN",
}


def main():
    """Run the command that `sys.argv` asks for.

    Returns:
        int. The exit code: 0 if all is done, 1 if something is wrong, which stderr says in one sentence, 130 if it was
        interrupted.

    Raises:
        SystemExit: with code 0 after a help text, 2 if the arguments are wrong.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is loaded: warnings and errors only
    parser = argparse.ArgumentParser(prog="python -m pipeline", description="From a class name to a trained demo.")
    choices = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        command = None
        for name, summary in COMMANDS.items():
            options = choices.add_parser(name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter)
            if name == asked:  # only the command that was asked for is imported
                command = importlib.import_module(f"pipeline.commands.{name.replace('-', '_')}")
                options.description = command.__doc__
                command.add_arguments(options)
        if not asked:
            parser.print_help(sys.stderr)
            return 2
        arguments = parser.parse_args()
        if command is None:  # the name came behind something else
            parser.error(f"the command comes first: {parser.prog} {arguments.command} ...")
        return command.main(arguments)
    except (ValueError, OSError, FloatingPointError) as error:
        if isinstance(error, OSError) and error.filename:
            error = f"{error.filename}: {error.strerror}"  # without the number
        print(f"{parser.prog} {asked}: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        remedy = f"`make setup`, or {install_command('train,export,scale')}, brings what the pipeline needs"
        print(f"{parser.prog} {asked}: {error}; {remedy}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{parser.prog} {asked}: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    leave_out_greetings()
    sys.exit(main())
