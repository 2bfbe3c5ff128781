"""Mask R-CNN in Keras 3 on TensorFlow, one file a stage.

from mrcnn import MaskRCNN
found = MaskRCNN.from_pretrained("cat").segment("photo.jpg")
"""

from mrcnn.model import MaskRCNN
from mrcnn.results.instances import Instances

__version__ = "0.2.0"

__all__ = ["Instances", "MaskRCNN", "__version__"]
