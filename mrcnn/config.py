"""Everything that shapes a network, as one flat record; the presets are instances of it."""

import dataclasses
import difflib

from mrcnn.coco_classes import COCO_CATEGORY_IDS, COCO_CLASSES


@dataclasses.dataclass(frozen=True)
class Config:
    """Architecture and inference settings of one Mask R-CNN.

    Lengths are in pixels of the network's input unless said otherwise. Pyramid levels are named P2..P6; level k has a
    stride of 2^k pixels.
    """

    preset: str = "lite"
    class_names: tuple[str, ...] = ("cat",)  # class 1, 2, ...; class 0 is the background and has no name here
    category_ids: tuple[int, ...] = ()  # what the training data calls the classes; () = as COCO does if they are COCO's

    # Image
    image_size: int = 384  # the longer side of an image after the letterbox, a multiple of 32
    image_min_size: int = 0  # "resnet" only: small images are enlarged until their shorter side has this
    pixel_mean: tuple[float, ...] = (127.5, 127.5, 127.5)  # RGB, subtracted first
    pixel_scale: float = 127.5  # what is left is divided by this

    # Backbone
    backbone: str = "mobilenet_v2"  # or "resnet", which comes with matterport's measure of boxes: see `mrcnn.build`
    backbone_blocks: tuple[int, ...] = ()  # "resnet" only: residual blocks in the stages 2 to 5

    # Feature pyramid
    pyramid_channels: int = 128
    separable: bool = True  # depthwise-separable 3x3 convolutions in the pyramid
    fine_channels: int = 16  # width of the stride-4 map that the mask head reads outlines from; 0 = no second look

    # Region proposals: levels P3 to P6. A 3x3 on P2 would cost more than the whole backbone stage under it.
    proposal_level: int = 3  # the finest level with anchors
    proposal_channels: int = 0  # of the 3x3 convolution; 0 = as many as the pyramid has
    proposal_separable: bool = False  # a full 3x3 from P3 up runs at the CPU's best rate; see docs/performance.md
    anchor_scales: tuple[float, ...] = (2.0, 3.0, 5.0)  # anchor side = scale * stride: 16 to 320 pixels
    anchor_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)  # height / width
    pre_nms_top_n: int = 400  # best anchors that enter the non-maximum suppression
    post_nms_top_n: int = 100  # proposals that leave it
    proposal_nms_iou: float = 0.7

    # Box head
    box_pool_size: int = 7
    box_units: int = 256
    box_variance: tuple[float, ...] = (0.1, 0.1, 0.2, 0.2)  # box deltas are divided by these

    # Mask head
    mask_pool_size: int = 14
    mask_channels: int = 64
    mask_scoring: bool = False  # whether scores count how sure the mask is of itself, see `mrcnn.mask_scoring`
    mask_margin: float = 0.1  # the head looks beyond the box by this share of its sides: tails and paws reach out of it

    # Detections
    detection_nms_iou: float = 0.5
    detection_limit: int = 100
    confidence: float = 0.5  # lowest score that is shown, unless asked otherwise
    shown_limit: int = 30  # most detections that are shown, unless asked otherwise

    @property
    def class_count(self):
        """Number of classes with the background."""
        return len(self.class_names) + 1

    @property
    def coco_category_ids(self):
        """Ids under which results name the classes 1, 2, ... in COCO's format; tuple of int.

        Raises:
            ValueError: if `category_ids` are not as many as the classes.
        """
        if not self.category_ids:
            return COCO_CATEGORY_IDS if self.class_names == COCO_CLASSES else tuple(range(1, self.class_count))
        if len(self.category_ids) != len(self.class_names):
            raise ValueError(f"there are {len(self.category_ids)} category ids for {len(self.class_names)} classes")
        return self.category_ids

    @property
    def mask_size(self):
        """Side of the square soft mask of one detection, in cells."""
        return (4 if self.fine_channels else 2) * self.mask_pool_size


# The settings of matterport's Mask_RCNN (its `Config` and `CocoConfig`), in this project's words.
RESNET = Config(
    class_names=COCO_CLASSES,
    image_size=1024,
    image_min_size=800,
    pixel_mean=(123.7, 116.8, 103.9),
    pixel_scale=1.0,
    backbone="resnet",
    pyramid_channels=256,
    separable=False,
    fine_channels=0,
    proposal_level=2,
    proposal_channels=512,
    anchor_scales=(8.0,),  # 32 to 512 pixels on P2 to P6
    anchor_ratios=(2.0, 1.0, 0.5),  # height / width; the original counts width / height: 0.5, 1, 2
    pre_nms_top_n=6000,
    post_nms_top_n=1000,
    box_units=1024,
    mask_channels=256,
    mask_margin=0.0,
    detection_nms_iou=0.3,
    confidence=0.7,
    shown_limit=100,
)

PRESETS = {
    "lite": Config(),
    "resnet50": dataclasses.replace(RESNET, preset="resnet50", backbone_blocks=(3, 4, 6, 3)),
    "resnet101": dataclasses.replace(RESNET, preset="resnet101", backbone_blocks=(3, 4, 23, 3)),
}

# Names of settings in the cards of weights from before version 0.2.
RENAMED = {
    "box_std": "box_variance",
    "detail_channels": "fine_channels",
    "proposal_candidates": "pre_nms_top_n",
    "proposal_limit": "post_nms_top_n",
}


def replace(config, **changes):
    """`dataclasses.replace` for any flat config, with an error that names an unknown key and the nearest known one.

    Lists become tuples, so what comes back from JSON compares equal to what went in.

    Raises:
        ValueError: if a key is not a field of `config`.
    """
    known = [field.name for field in dataclasses.fields(config)]
    for key in changes:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known keys: {', '.join(known)}"
            raise ValueError(f"unknown config key {key!r}{hint}")
    changes = {key: tuple(value) if isinstance(value, list) else value for key, value in changes.items()}
    return dataclasses.replace(config, **changes)


def config_from_card(settings):
    """The `Config` that a card describes, also one of older weights.

    Args:
        settings: dict. The `config` of a card, see `mrcnn.weights`.

    Raises:
        ValueError: if a key is unknown, or the preset is.
    """
    settings = {RENAMED.get(key, key): value for key, value in settings.items()}
    settings.pop("conventions", None)  # of weights from before version 0.2: "matterport" for a ResNet, else "pixel"
    preset = settings.get("preset")
    if preset not in PRESETS:
        raise ValueError(f"the preset is {preset!r}, expected one of {', '.join(PRESETS)}")
    return replace(PRESETS[preset], **settings)
