"""How large objects are at the network's input, and which input size suits them."""

import numpy as np

SIZES = (512, 640, 832)  # longer side of the input in pixels: what two cores can train, multiples of 64 for all presets
SMALL = 32  # pixels, sqrt of width times height: below, COCO calls objects small, and most are missed
TINY = 16  # pixels: the smallest anchor; below, next to nothing is found
SMALL_SHARE = 0.1  # of the objects that may be small


def object_sizes(datasets):
    """The size of every object as a share of its photo's longer side: float64 array (N,), ignore regions left out."""
    sizes = []
    for dataset in datasets:
        for image_id in dataset.image_ids:
            image = dataset.images[image_id]
            longer = max(image["height"], image["width"])
            for top, left, bottom, right in dataset.boxes(image_id):
                sizes.append(np.sqrt(max(bottom - top, 0) * max(right - left, 0)) / longer)
    return np.array(sizes, np.float64)


def share_below(sizes, input_size, pixels):
    """Share of the objects that are smaller than so many pixels at an input size."""
    return float(np.mean(sizes * input_size < pixels)) if len(sizes) else 0.0


def choose_size(sizes):
    """The smallest input size at which few objects are small.

    Args:
        sizes: float64 array (N,) from `object_sizes`.

    Returns:
        int, one of SIZES, and the reason in words.
    """
    least, *_ = SIZES
    small = {size: share_below(sizes, size, SMALL) for size in SIZES}
    chosen = next((size for size in small if small[size] <= SMALL_SHARE), SIZES[-1])
    if chosen == least:
        return least, f"{small[least]:.0%} of the objects are under {SMALL} pixels at {least}: training at {least}"
    return chosen, (
        f"{small[least]:.0%} of the objects are under {SMALL} pixels at {least}, {small[chosen]:.0%} at {chosen}: "
        f"training at {chosen}"
    )
