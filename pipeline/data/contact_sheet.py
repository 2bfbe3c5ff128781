"""Many small images with their masks drawn, on one sheet, so that a person sees the data at one glance."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Tile:
    """One image of a sheet.

    Attributes:
        image: uint8 (H, W, 3) RGB.
        masks: list of bool (H, W), the instances.
        ignored: list of bool (H, W), hatched in grey.
        caption: str. One line below the image.
    """

    image: np.ndarray
    masks: list = field(default_factory=list)
    ignored: list = field(default_factory=list)
    caption: str = ""


def contact_sheet(tiles, columns=6, tile_size=220):
    """Draws tiles row by row.

    Args:
        tiles: iterable of Tile; each is drawn and let go before the next is taken.
        columns: int. Tiles a row.
        tile_size: int. Pixels of the square that an image is shrunk into.

    Returns:
        PIL.Image.Image, RGB.
    """
    from PIL import Image, ImageDraw

    caption_height = 16
    drawn = []
    for tile in tiles:
        cell = Image.new("RGB", (tile_size, tile_size + caption_height), "white")
        image = _draw_tile(tile, tile_size - 6)
        cell.paste(image, ((tile_size - image.width) // 2, (tile_size - image.height) // 2))
        ImageDraw.Draw(cell).text((4, tile_size), tile.caption[: tile_size // 6], fill="black")
        drawn.append(cell)
    columns = max(1, min(columns, len(drawn)))
    rows = max(1, -(-len(drawn) // columns))
    sheet = Image.new("RGB", (columns * tile_size, rows * (tile_size + caption_height)), "white")
    for place, cell in enumerate(drawn):
        sheet.paste(cell, (place % columns * tile_size, place // columns * (tile_size + caption_height)))
    return sheet


def _draw_tile(tile, longest):
    """Shrinks first and draws then, so that outlines stay thin."""
    from PIL import Image

    from mrcnn.results.drawing import draw_instances
    from mrcnn.results.instances import Instances

    height, width = tile.image.shape[:2]
    scale = min(1.0, longest / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))

    def shrink(mask):
        return np.asarray(Image.fromarray(mask.astype(np.uint8)).resize(size, Image.Resampling.NEAREST), bool)

    pixels = np.array(Image.fromarray(tile.image).resize(size, Image.Resampling.BILINEAR))
    for mask in map(shrink, tile.ignored):
        rows, columns = np.indices(mask.shape)
        pixels[mask & ((rows + columns) % 6 < 2)] = 128
    if tile.masks:
        masks = np.stack([shrink(mask) for mask in tile.masks])
        found = Instances.from_masks(masks, np.ones(len(masks), np.int32))
        pixels = draw_instances(pixels, found, boxes=False, labels=False, scores=False)
    return Image.fromarray(pixels)
