"""RoIAlign: a fixed grid of features from a box of any size, without rounding the box to cells.

RoIPool rounded twice and so moved masks by up to half a cell, 16 pixels at stride 32; RoIAlign reads between the cells
by bilinear interpolation instead. Paper: He et al., "Mask R-CNN", 2017, section 3 (https://arxiv.org/abs/1703.06870).

Every bin is sampled once, at its centre. The paper found the number of samples unimportant, and the level is chosen so
that a bin spans one to two cells: bilinear interpolation then sees nearly every cell, at a quarter of the reads.

All levels lie behind one another in one table with a row a cell, so that one gather serves boxes of all levels: no
loop, no per-level `crop_and_resize`, only operations that LiteRT has as well.
"""

import tensorflow as tf


def assign_levels(boxes, pool_size, finest, coarsest):
    """The pyramid level for each box: the one whose cells are at most as large as a bin, and more than half as large.

    Equation 1 of the FPN paper with its constant made explicit: for 14 x 14 bins, a box of 224 x 224 pixels, 16 pixels
    a bin, goes to level 4, stride 16.

    Args:
        boxes: float `(N, 4)` in pixels.
        pool_size: int. Bins along a side.
        finest: int. Lowest level there is; smaller boxes go there too.
        coarsest: int. Highest level there is.

    Returns:
        int32 `(N,)`, `finest` to `coarsest`.
    """
    y1, x1, y2, x2 = tf.unstack(boxes, axis=-1)
    area = tf.maximum((y2 - y1) * (x2 - x1), 1e-6)
    # log2(sqrt(area) / pool_size); the small term keeps exact powers of two on their level in float32
    level = 0.5 * tf.math.log(area) / tf.math.log(2.0) - tf.math.log(float(pool_size)) / tf.math.log(2.0)
    return tf.clip_by_value(tf.cast(tf.floor(level + 1e-5), tf.int32), finest, coarsest)


def roi_align(levels, boxes, box_indices, pool_size, finest=2):
    """Features of each box on a `pool_size` x `pool_size` grid.

    Args:
        levels: list of float `(B, H, W, C)`. Pyramid levels `finest`, `finest + 1`, ...; level k has stride `2^k`.
        boxes: float `(N, 4)` in pixels of the network's input.
        box_indices: int32 `(N,)`. The row of the batch that each box belongs to.
        pool_size: int. Bins along a side.
        finest: int. Level of `levels[0]`. Defaults to 2.

    Returns:
        float `(N, pool_size, pool_size, C)`.
    """
    channels = levels[0].shape[-1]
    shapes = [tf.shape(level) for level in levels]
    table = tf.concat([tf.reshape(level, (-1, channels)) for level in levels], axis=0)
    first_row = tf.cumsum([shape[0] * shape[1] * shape[2] for shape in shapes], exclusive=True)

    level = assign_levels(boxes, pool_size, finest, finest + len(levels) - 1) - finest
    height = tf.gather(tf.stack([shape[1] for shape in shapes]), level)
    width = tf.gather(tf.stack([shape[2] for shape in shapes]), level)
    stride = tf.gather(tf.constant([2.0 ** (finest + k) for k in range(len(levels))]), level)
    origin = tf.gather(first_row, level) + box_indices * height * width

    y1, x1, y2, x2 = tf.unstack(boxes, axis=-1)
    top, bottom, down = _samples(y1 / stride, y2 / stride, height, pool_size)
    left, right, across = _samples(x1 / stride, x2 / stride, width, pool_size)
    top, bottom = ((origin[:, None] + row * width[:, None])[:, :, None] for row in (top, bottom))
    left, right = left[:, None, :], right[:, None, :]
    down, across = down[:, :, None, None], across[:, None, :, None]

    upper = tf.gather(table, top + left) * (1.0 - across) + tf.gather(table, top + right) * across
    lower = tf.gather(table, bottom + left) * (1.0 - across) + tf.gather(table, bottom + right) * across
    return upper * (1.0 - down) + lower * down


def _samples(start, end, length, count):
    """Cells before and after each of `count` bin centres between `start` and `end`, and the weight of the latter.

    Positions are in cells; the centre of cell 0 is at 0.5, hence the half. Outside the map its border goes on.

    Args:
        start, end: float `(N,)`.
        length: int32 `(N,)`. Cells along this side.
        count: int.

    Returns:
        int32 `(N, count)` before and after, float `(N, count)` weight 0 to 1.
    """
    centres = (tf.range(count, dtype=tf.float32) + 0.5) / count
    position = start[:, None] + centres * (end - start)[:, None] - 0.5
    last = tf.cast(length - 1, tf.float32)[:, None]
    position = tf.clip_by_value(position, 0.0, last)
    before = tf.floor(position)
    after = tf.minimum(before + 1.0, last)
    return tf.cast(before, tf.int32), tf.cast(after, tf.int32), position - before
