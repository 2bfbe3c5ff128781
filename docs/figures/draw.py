"""Draws the explanations of the README and the page.

python docs/figures/draw.py        # writes the PNG files named below beside this file; needs matplotlib
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle, Ellipse, FancyArrowPatch, FancyBboxPatch, PathPatch, Polygon, Rectangle
from matplotlib.path import Path as Curve

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from mrcnn.results import drawing  # noqa: E402  (the figures use the page's own colours)

INK, PAPER, GROUND, WALL = "#263040", "#fbfaf7", "#d9cdb8", "#eee6d8"
FUR = ["#8c7b6b", "#4d4a4a", "#d59a56"]
# Each cat: where it sits, its size, and which way its tail points. The first one sits in front of the others.
CATS = [((5.0, 0.8), 1.3, 1), ((3.75, 1.3), 1.15, -1), ((6.25, 1.35), 1.1, 1)]


def unit(colour):
    return tuple(channel / 255 for channel in colour)


def draw_cat(axes, place, size, tail, colour, eyes=False, edge=None, width=11):
    """A sitting cat of a few round shapes; all in one colour, or with an edge around the whole of it."""
    x, y = place

    def at(dx, dy):
        return x + size * dx, y + size * dy

    curve = Curve(
        [at(tail * 0.45, 0.12), at(tail * 1.3, -0.05), at(tail * 1.35, 0.7), at(tail * 1.0, 0.9)],
        [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4],
    )
    for outline in [edge, None] if edge else [None]:
        extra = 5 if outline else 0
        fill = outline or colour
        style = {"facecolor": fill, "edgecolor": fill, "linewidth": extra}
        axes.add_patch(
            PathPatch(curve, facecolor="none", edgecolor=fill, linewidth=width * size + extra, capstyle="round")
        )
        axes.add_patch(Ellipse(at(0, 0.55), 1.15 * size, 1.25 * size, **style))
        axes.add_patch(Ellipse(at(0, 0.12), 1.3 * size, 0.36 * size, **style))
        axes.add_patch(Circle(at(0, 1.38), 0.42 * size, **style))
        for side in (-1, 1):
            corners = [at(side * 0.42, 1.42), at(side * 0.36, 1.98), at(side * 0.06, 1.74)]
            axes.add_patch(Polygon(corners, joinstyle="round", **style))
    if eyes:
        for side in (-1, 1):
            axes.add_patch(Ellipse(at(side * 0.17, 1.44), 0.15 * size, 0.13 * size, color="#e8d06a"))
            axes.add_patch(Ellipse(at(side * 0.17, 1.44), 0.05 * size, 0.12 * size, color="#1c1c1c"))
        axes.add_patch(Polygon([at(-0.05, 1.3), at(0.05, 1.3), at(0, 1.24)], color="#c4777d"))


def draw_segmentation():
    """The same three cats as a photo, as a semantic map and as instances."""
    figure, panels = plt.subplots(1, 3, figsize=(12, 3.3), facecolor=PAPER)
    cat = unit(drawing.class_colour(1))
    for axes, title, line in zip(
        panels,
        ["Photo", "Semantic segmentation", "Instance segmentation"],
        ["", "a class for each pixel: cat or background", "a mask for each object: cat 1, cat 2, cat 3"],
        strict=True,
    ):
        axes.set(xlim=(1.5, 8.5), ylim=(0, 4.4), aspect="equal", xticks=[], yticks=[])
        axes.set_title(title, fontsize=14, color=INK, fontweight="bold", pad=8)
        axes.set_xlabel(line, fontsize=11, color=INK, labelpad=8)
        for spine in axes.spines.values():
            spine.set_visible(False)
    photo, semantic, instances = panels
    for axes in (photo, instances):
        axes.add_patch(Rectangle((0, 0), 10, 5, color=WALL))
        axes.add_patch(Rectangle((0, 0), 10, 1.7, color=GROUND))
        axes.add_patch(Rectangle((2.1, 2.7), 1.3, 1.3, facecolor="#bcd3dc", edgecolor="white", linewidth=5))
    semantic.add_patch(Rectangle((0, 0), 10, 5, color=unit(drawing.BACKGROUND_COLOUR)))
    for row in reversed(range(len(CATS))):
        place, size, tail = CATS[row]
        draw_cat(photo, place, size, tail, FUR[row], eyes=True)
        draw_cat(semantic, place, size, tail, cat)
        colour = unit(drawing.instance_colour(row))
        draw_cat(instances, place, size, tail, colour, edge="white")
    for row, ((x, y), size, _) in enumerate(CATS):
        instances.text(x, y + 0.5 * size, str(row + 1), ha="center", va="center", fontsize=16, fontweight="bold")
    figure.tight_layout(w_pad=2)
    figure.savefig(HERE / "segmentation.png", dpi=130, facecolor=PAPER)
    plt.close(figure)


def draw_preview():
    """What a shared link to the page shows: the same three cats, and its title; and the icon of the page's tab."""
    figure, axes = plt.subplots(figsize=(12, 6.3), facecolor=PAPER)
    axes.set_position([0, 0, 1, 1])
    axes.set(xlim=(0, 10), ylim=(0, 5.25), aspect="equal")
    axes.axis("off")
    axes.add_patch(Rectangle((0, 0), 10, 5.25, color=WALL))
    axes.add_patch(Rectangle((0, 0), 10, 1.5, color=GROUND))
    for row in reversed(range(len(CATS))):
        (x, y), size, tail = CATS[row]
        draw_cat(axes, (x + 1.55, y - 0.2), 1.12 * size, tail, unit(drawing.instance_colour(row)), eyes=True,
                 edge="white")  # fmt: skip
    axes.text(0.5, 4.45, "Every cat, cut out", fontsize=46, fontweight="bold", color=INK, va="center")
    words = "Mask R-CNN finds each cat\nand draws its exact shape"
    axes.text(0.5, 3.7, words, fontsize=25, color=INK, va="top", linespacing=1.4)
    figure.savefig(HERE / "preview.png", dpi=100, facecolor=PAPER)
    plt.close(figure)

    figure, axes = plt.subplots(figsize=(1.28, 1.28))
    axes.set_position([0, 0, 1, 1])
    axes.set(xlim=(-0.62, 0.62), ylim=(0.84, 2.08), aspect="equal")
    axes.axis("off")
    axes.add_patch(Circle((0, 1.36), 0.5, color=unit(drawing.instance_colour(1))))
    for side in (-1, 1):
        corners = [(side * 0.5, 1.4), (side * 0.46, 2.02), (side * 0.06, 1.8)]
        axes.add_patch(Polygon(corners, color=unit(drawing.instance_colour(1))))
        axes.add_patch(Ellipse((side * 0.2, 1.42), 0.13, 0.22, color=INK))
    axes.add_patch(Polygon([(-0.07, 1.24), (0.07, 1.24), (0, 1.15)], color=INK))
    figure.savefig(HERE / "icon.png", dpi=100, transparent=True)
    plt.close(figure)


def box(axes, x, y, width, height, text, colour, edge=None, size=11):
    axes.add_patch(
        FancyBboxPatch(
            (x, y), width, height, boxstyle="round,pad=0,rounding_size=0.12", facecolor=colour,
            edgecolor=edge or "none", linewidth=2,
        )
    )  # fmt: skip
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=size, color=INK)


def arrow(axes, start, end, colour=INK):
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=14, linewidth=1.6, color=colour))


def draw_grid(axes, x, y, side, cells, values, colours):
    """A square grid of cells, coloured by `values` in [0, 1] between two colours."""
    low, high = (np.array(matplotlib.colors.to_rgb(colour)) for colour in colours)
    step = side / cells
    for row in range(cells):
        for column in range(cells):
            value = values[row, column]
            axes.add_patch(
                Rectangle(
                    (x + column * step, y + side - (row + 1) * step), step, step,
                    facecolor=low + (high - low) * value, edgecolor="white", linewidth=0.4,
                )
            )  # fmt: skip


def cat_mask(cells):
    """How much of each cell the cat of the photo covers: float `(cells, cells)`."""
    pixels = 20 * cells
    figure, axes = plt.subplots(figsize=(1, 1), dpi=pixels)
    axes.set_position([0, 0, 1, 1])
    axes.set(xlim=(-1.1, 1.5), ylim=(-0.35, 2.25))
    axes.axis("off")
    draw_cat(axes, (0, 0), 1, 1, "black", width=9)
    figure.canvas.draw()
    covered = 1 - np.asarray(figure.canvas.buffer_rgba())[..., 0] / 255
    plt.close(figure)
    return covered.reshape(cells, 20, cells, 20).mean(axis=(1, 3))


def draw_mask_rcnn():
    """Faster R-CNN from left to right, and the branch that Mask R-CNN adds."""
    figure, axes = plt.subplots(figsize=(13, 5.2), facecolor=PAPER)
    axes.set(xlim=(0, 16.2), ylim=(-0.4, 6.0), aspect="equal")
    axes.axis("off")
    plain, added = "#d8e3ea", "#ffdf9e"
    accent = "#b36b00"

    axes.add_patch(Rectangle((0.1, 2.2), 2.0, 1.9, color=WALL))
    axes.add_patch(Rectangle((0.1, 2.2), 2.0, 0.6, color=GROUND))
    draw_cat(axes, (1.1, 2.45), 0.68, 1, FUR[2], eyes=True)
    axes.text(1.1, 1.85, "photo", ha="center", fontsize=11, color=INK)

    for level, (side, name) in enumerate([(1.5, "P3"), (1.1, "P4"), (0.75, "P5"), (0.5, "P6")]):
        x, y = 3.0 + 0.32 * level, 2.05 + 0.75 * level
        axes.add_patch(
            Polygon(
                [(x, y), (x + side, y), (x + side + 0.35, y + 0.4), (x + 0.35, y + 0.4)],
                facecolor=plain, edgecolor=INK, linewidth=1,
            )
        )  # fmt: skip
        axes.text(x + side + 0.42, y + 0.12, name, fontsize=9, color=INK)
    axes.text(3.85, 1.5, "backbone and\nfeature pyramid", ha="center", va="center", fontsize=11, color=INK)
    arrow(axes, (2.2, 3.15), (2.95, 3.15))

    box(axes, 5.8, 4.6, 2.1, 1.0, "region proposals\n“something is here”", plain, size=10)
    arrow(axes, (5.0, 3.9), (5.75, 4.85))
    arrow(axes, (5.2, 2.9), (6.0, 2.9))
    draw_grid(axes, 6.1, 2.2, 1.4, 7, np.random.default_rng(4).random((7, 7)), ("#eef3f6", "#7fa6bd"))
    arrow(axes, (6.8, 4.55), (6.8, 3.68))
    axes.text(6.8, 1.85, "RoIAlign: a fixed grid\nof features for each region", ha="center", va="top", fontsize=11,
              color=INK)  # fmt: skip

    box(axes, 8.9, 3.9, 2.1, 1.0, "box head", plain)
    arrow(axes, (7.6, 3.1), (8.85, 4.3))
    box(axes, 12.0, 4.75, 3.7, 0.8, "class: cat 97 %, background 3 %", plain, size=10)
    box(axes, 12.0, 3.65, 3.7, 0.8, "box: four numbers", plain, size=10)
    arrow(axes, (11.05, 4.5), (11.95, 5.1))
    arrow(axes, (11.05, 4.3), (11.95, 4.05))

    axes.add_patch(
        FancyBboxPatch(
            (8.55, -0.2), 7.4, 3.2, boxstyle="round,pad=0,rounding_size=0.2", facecolor="#fff6e2",
            edgecolor=accent, linewidth=1.5, linestyle=(0, (5, 3)),
        )
    )  # fmt: skip
    axes.text(12.2, 2.62, "what Mask R-CNN adds: the mask branch", ha="center", fontsize=12, color=accent,
              fontweight="bold")  # fmt: skip
    box(axes, 8.9, 0.95, 2.1, 1.0, "convolutions\n(mask head)", added, size=10)
    arrow(axes, (7.6, 2.7), (8.85, 1.6), accent)
    mask = unit(drawing.instance_colour(0))
    draw_grid(axes, 11.75, 0.65, 1.6, 14, cat_mask(14), ("#f2ead9", mask))
    axes.text(12.55, 0.3, "object or not,\nfor each cell", ha="center", va="center", fontsize=9.5, color=INK)
    arrow(axes, (11.05, 1.45), (11.7, 1.45), accent)
    axes.add_patch(Rectangle((14.05, 0.65), 1.6, 1.6, color=WALL))
    axes.add_patch(Rectangle((14.05, 0.65), 1.6, 0.5, color=GROUND))
    draw_cat(axes, (14.8, 0.85), 0.58, 1, mask, edge="white")
    axes.text(14.85, 0.3, "pasted into\nits box", ha="center", va="center", fontsize=9.5, color=INK)
    arrow(axes, (13.42, 1.45), (14.0, 1.45), accent)

    axes.text(0.1, 5.6, "Faster R-CNN", fontsize=14, color=INK, fontweight="bold")
    figure.tight_layout()
    figure.savefig(HERE / "mask_rcnn.png", dpi=130, facecolor=PAPER)
    plt.close(figure)


if __name__ == "__main__":
    draw_segmentation()
    draw_preview()
    draw_mask_rcnn()
