"""Which photos look alike: the same one in another size, format or compression, or the next of a burst.

A photo's look is 128 bits: whether a cell of its grey 9 x 9 miniature is brighter than its left and than its upper
neighbour (the difference hash of N. Krawetz, "Kind of like that", 2013).
"""

import numpy as np

BITS = 128
NEAR = 10  # bits in which two pictures of the same scene may differ; different photos differ in some 50


def look(pixels):
    """The look of a photo.

    Args:
        pixels: uint8 (H, W, 3).

    Returns:
        str of 32 hexadecimal digits.
    """
    from PIL import Image

    grey = Image.fromarray(pixels).convert("L").resize((9, 9), Image.Resampling.BOX)
    grey = np.asarray(grey, np.int16)
    bits = np.concatenate([(grey[:-1, 1:] > grey[:-1, :-1]).ravel(), (grey[1:, :-1] > grey[:-1, :-1]).ravel()])
    return np.packbits(bits).tobytes().hex()


def near_pairs(looks, others=None):
    """Pairs of photos that look alike.

    Args:
        looks: list of N str from `look`.
        others: list of M str, to compare those with. Defaults to `looks` themselves, each pair once.

    Returns:
        list of (i, j) with i < N; j < M, or i < j < N without `others`.
    """
    rows, columns = _bits(looks), _bits(looks if others is None else others)
    pairs = []
    for i, row in enumerate(rows):
        first = i + 1 if others is None else 0
        distances = np.bitwise_count(columns[first:] ^ row).sum(axis=1)
        pairs += [(i, int(j) + first) for j in np.flatnonzero(distances <= NEAR)]
    return pairs


def groups(looks):
    """Photos that are connected by looking alike.

    Returns:
        list of N int: the group of each, named by its first photo.
    """
    leader = list(range(len(looks)))

    def find(i):
        while leader[i] != i:
            i = leader[i]
        return i

    for i, j in near_pairs(looks):
        first, second = sorted((find(i), find(j)))
        leader[second] = first
    return [find(i) for i in range(len(looks))]


def _bits(looks):
    return np.frombuffer(bytes.fromhex("".join(looks)), np.uint8).reshape(-1, BITS // 8)
