"""Which tensors a file of matterport's Mask_RCNN holds: their names and shapes, without loading any.

Names are `LAYER/VARIABLE`, such as `fpn_p2/kernel`. Source: the layers in `mrcnn/model.py` of
https://github.com/matterport/Mask_RCNN.
"""

import re
from collections import Counter

from mrcnn.coco_classes import COCO_CLASSES
from mrcnn.config import PRESETS, RESNET, replace
from mrcnn.matterport.resnet import EXPANSION, STAGE_WIDTHS, STEM_WIDTH, block_letters

KERNEL = ("kernel", "bias")
BATCH_NORM = ("gamma", "beta", "moving_mean", "moving_variance")
MASK_DEPTH = 4  # 3x3 convolutions of the mask head
LISTED = 20  # names of one kind in an error message


class LayoutError(ValueError):
    """The file's tensors are not those of such a network.

    Attributes:
        missing: list of str, such as `fpn_p2/kernel`.
        unexpected: list of str.
        misshapen: list of str with both shapes.
    """

    def __init__(self, name, missing, unexpected, misshapen):
        self.missing, self.unexpected, self.misshapen = missing, unexpected, misshapen
        problems = []
        for kind, names in {"missing": missing, "unexpected": unexpected, "of the wrong shape": misshapen}.items():
            if names:
                more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
                problems.append(f"{len(names)} {kind}: {', '.join(names[:LISTED])}{more}")
        super().__init__(
            f"{name} does not hold a Mask R-CNN in matterport's format, so nothing was loaded: {'; '.join(problems)}"
        )


def layout(config, cell_anchors):
    """Names and shapes of all tensors of a network.

    Args:
        config: `mrcnn.config.Config` with a ResNet.
        cell_anchors: int. Anchors in a cell.

    Returns:
        dict from names to shapes.
    """
    shapes = {}

    def layer(name, *kernel, norm=None):
        shapes[f"{name}/kernel"] = kernel
        shapes[f"{name}/bias"] = kernel[-1:]
        if norm:
            shapes.update({f"{norm}/{variable}": kernel[-1:] for variable in BATCH_NORM})

    layer("conv1", 7, 7, 3, STEM_WIDTH, norm="bn_conv1")
    channels = STEM_WIDTH
    for (stage, width), count in zip(STAGE_WIDTHS.items(), config.backbone_blocks, strict=True):
        for letter in block_letters(count):
            convolutions = {"2a": (1, channels, width), "2b": (3, width, width), "2c": (1, width, EXPANSION * width)}
            if letter == "a":
                convolutions["1"] = (1, channels, EXPANSION * width)
            for branch, (size, before, after) in convolutions.items():
                name = f"{stage}{letter}_branch{branch}"
                layer(f"res{name}", size, size, before, after, norm=f"bn{name}")
            channels = EXPANSION * width

    pyramid, shared, units = config.pyramid_channels, config.proposal_channels, config.box_units
    mask, classes = config.mask_channels, config.class_count
    for level, width in STAGE_WIDTHS.items():
        layer(f"fpn_c{level}p{level}", 1, 1, EXPANSION * width, pyramid)
        layer(f"fpn_p{level}", 3, 3, pyramid, pyramid)
    layer("rpn_conv_shared", 3, 3, pyramid, shared)
    layer("rpn_class_raw", 1, 1, shared, 2 * cell_anchors)
    layer("rpn_bbox_pred", 1, 1, shared, 4 * cell_anchors)
    layer("mrcnn_class_conv1", config.box_pool_size, config.box_pool_size, pyramid, units, norm="mrcnn_class_bn1")
    layer("mrcnn_class_conv2", 1, 1, units, units, norm="mrcnn_class_bn2")
    layer("mrcnn_class_logits", units, classes)
    layer("mrcnn_bbox_fc", units, 4 * classes)
    for number in range(1, MASK_DEPTH + 1):
        layer(f"mrcnn_mask_conv{number}", 3, 3, pyramid if number == 1 else mask, mask, norm=f"mrcnn_mask_bn{number}")
    layer("mrcnn_mask_deconv", 2, 2, mask, mask)
    layer("mrcnn_mask", 1, 1, mask, classes)  # with a mask of the background that nobody asks for
    return shapes


def describe(shapes):
    """The config of the network whose tensors have these shapes, and its number of anchors in a cell.

    Sizes are those that most of the tensors speak for, so that one wrong tensor is found wrong, and not all others.

    Args:
        shapes: dict from names to shapes.

    Returns:
        `mrcnn.config.Config` and int; what no tensor tells is as in the preset `resnet101`.
    """

    def sizes(*layers, variables=KERNEL, axis=-1, divisor=1):
        names = [f"{layer}/{variable}" for layer in layers for variable in variables]
        return [shapes[name][axis] // divisor for name in names if len(shapes.get(name, ())) >= -axis]

    def majority(votes, default):
        return Counter(votes).most_common(1)[0][0] if votes else default

    blocks = []
    for stage, usual in zip(STAGE_WIDTHS, PRESETS["resnet101"].backbone_blocks, strict=True):
        letters = [name[len(f"res{stage}")] for name in shapes if re.match(rf"res{stage}[a-z]_branch", name)]
        blocks.append(max((ord(letter) - ord("a") + 1 for letter in letters), default=usual))
    presets = {preset.backbone_blocks: name for name, preset in PRESETS.items()}

    outputs = sizes("mrcnn_class_logits", "mrcnn_mask") + sizes("mrcnn_bbox_fc", divisor=4)
    classes = majority(outputs, len(COCO_CLASSES) + 1) - 1
    names = COCO_CLASSES if classes == len(COCO_CLASSES) else [f"class {n + 1}" for n in range(classes)]
    shared = sizes("rpn_conv_shared") + sizes("rpn_class_raw", "rpn_bbox_pred", variables=["kernel"], axis=-2)
    levels = [f"fpn_p{level}" for level in STAGE_WIDTHS]
    box_norms = ["mrcnn_class_bn1", "mrcnn_class_bn2"]
    mask_norms = [f"mrcnn_mask_bn{n + 1}" for n in range(MASK_DEPTH)]
    config = replace(
        RESNET,
        preset=presets.get(tuple(blocks), "resnet101"),
        class_names=tuple(names),
        backbone_blocks=tuple(blocks),
        pyramid_channels=majority(sizes(*levels), RESNET.pyramid_channels),
        proposal_channels=majority(shared, RESNET.proposal_channels),
        box_pool_size=majority(sizes("mrcnn_class_conv1", variables=["kernel"], axis=-4), RESNET.box_pool_size),
        box_units=majority(sizes(*box_norms, variables=BATCH_NORM), RESNET.box_units),
        mask_channels=majority(sizes(*mask_norms, variables=BATCH_NORM), RESNET.mask_channels),
    )
    return config, majority(sizes("rpn_class_raw", divisor=2) + sizes("rpn_bbox_pred", divisor=4), 3)


def check(name, shapes):
    """Compare the shapes of a file with those that its network needs.

    Args:
        name: str. The file's name, for the message.
        shapes: dict from names to shapes.

    Returns:
        `mrcnn.config.Config` and the int number of anchors in a cell.

    Raises:
        LayoutError: if a tensor is missing, left over, or of another shape than the others imply.
    """
    config, cell_anchors = describe(shapes)
    expected = layout(config, cell_anchors)
    missing = [tensor for tensor in expected if tensor not in shapes]
    unexpected = [tensor for tensor in shapes if tensor not in expected]
    misshapen = [
        f"{tensor} is {shapes[tensor]}, expected {shape}"
        for tensor, shape in expected.items()
        if tensor in shapes and shapes[tensor] != shape
    ]
    if missing or unexpected or misshapen:
        raise LayoutError(name, missing, unexpected, misshapen)
    return config, cell_anchors
