"""What looks at results alone must not wait for TensorFlow."""

import subprocess
import sys

PROGRAM = """
import pkgutil, sys
import mrcnn, mrcnn.results, mrcnn.weights
for module in pkgutil.iter_modules(mrcnn.results.__path__, "mrcnn.results."):
    __import__(module.name)
heavy = {"tensorflow", "keras"} & sys.modules.keys()
assert not heavy, heavy
from mrcnn.results.detections import Detections
mrcnn.Instances.empty((4, 6)).to_coco()
assert not {"tensorflow", "keras"} & sys.modules.keys()
import mrcnn.network
assert {"tensorflow", "keras"} <= sys.modules.keys()
"""


def test_results_do_not_import_tensorflow():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=300)
