"""From masks as the network draws them, each by itself, to masks as people would draw them.

A network judges every cell alone. So masks come with specks beside them and pinholes within, and where two objects meet
both claim the same pixels. Here specks are dropped, pinholes filled, and each pixel given to one object, the surest.
Only what is small beside its mask is touched: a cat behind a chair leg stays in two pieces, and the gap under the arm
that holds it stays open.
"""

import numpy as np

from mrcnn.results.instances import MaskWindow

SMALLEST_SHARE = 0.01  # of a mask's pixels: smaller pieces are dropped, smaller holes filled


def clean_masks(windows, overlaps=False):
    """Masks without specks and pinholes, each pixel in one of them.

    Args:
        windows: list of `MaskWindow` of one image, the surest first.
        overlaps: bool. Whether a pixel may stay in several masks, as the COCO evaluation expects. Defaults to `False`.

    Returns:
        list of `MaskWindow` in the same order, each as small as its mask; of shape `(0, 0)` where a mask has no pixel
        or surer ones have taken them all.
    """
    windows = [MaskWindow(window.top, window.left, _without_specks(window.mask)) for window in windows]
    pairs = [] if overlaps else list(_meeting(windows))
    robbed = set()
    for surer, other in pairs:
        theirs, mine = _shared(windows[surer], windows[other])
        if (mine & theirs).any():
            mine &= ~theirs
            robbed.add(other)
    for row in robbed:
        windows[row] = MaskWindow(windows[row].top, windows[row].left, _without_specks(windows[row].mask))
    for row, window in enumerate(windows):
        taken = np.zeros_like(window.mask)
        for other in [pair[1 - pair.index(row)] for pair in pairs if row in pair]:
            part, theirs = _shared(MaskWindow(window.top, window.left, taken), windows[other])
            part |= theirs
        _fill_pinholes(window.mask, taken)
    return [_trimmed(window) for window in windows]


def components(mask):
    """The connected pieces of a mask, pixels joined by their sides.

    The runs of True in each row are what is joined, not pixels: a mask has some hundred runs, whatever its size.

    Args:
        mask: bool array of shape `(H, W)`.

    Returns:
        rows, starts, stops int64 `(R,)`: the runs `mask[row, start:stop]`; labels int32 `(R,)`: the piece of each run;
        areas int64 `(P,)`: the pixels of each piece.
    """
    from scipy.sparse import coo_array  # takes a quarter of a second, and not every program draws masks
    from scipy.sparse.csgraph import connected_components

    # One False after each row ends every run within its own row.
    length = mask.shape[1] + 1
    padded = np.zeros((len(mask), length), np.int8)
    padded[:, :-1] = mask
    steps = np.diff(padded.ravel(), prepend=np.int8(0))
    starts, stops = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    # Those runs of the next row that begin before this one stops and stop after it begins.
    first = np.searchsorted(stops, starts + length, side="right")
    count = np.maximum(np.searchsorted(starts, stops + length) - first, 0)
    above = np.repeat(np.arange(len(starts)), count)
    below = np.arange(count.sum()) + np.repeat(first - np.cumsum(count) + count, count)
    touching = coo_array((np.ones(len(above), np.int8), (above, below)), shape=(len(starts), len(starts)))
    _, labels = connected_components(touching, directed=False)
    areas = np.bincount(labels, stops - starts).astype(np.int64)
    return starts // length, starts % length, stops - starts // length * length, labels, areas


def _without_specks(mask):
    """A copy of a mask without its tiny pieces."""
    mask = mask.copy()
    rows, starts, stops, labels, areas = components(mask)
    if len(areas) > 1:
        for run in np.flatnonzero((areas < SMALLEST_SHARE * areas.sum())[labels]):
            mask[rows[run], starts[run] : stops[run]] = False
    return mask


def _fill_pinholes(mask, taken):
    """Fills, in place, the tiny holes of a mask in which nothing is `taken`, bool `(H, W)`."""
    # With a ring around it, all that is outside of the mask is one piece, the one of the first run.
    rows, starts, stops, labels, areas = components(~np.pad(mask, 1))
    if len(areas) == 1:
        return
    tiny = areas < SMALLEST_SHARE * np.count_nonzero(mask)
    tiny[labels[0]] = False
    runs = np.flatnonzero(tiny[labels])
    places = [(rows[run] - 1, slice(starts[run] - 1, stops[run] - 1)) for run in runs]
    tiny[[labels[run] for run, place in zip(runs, places, strict=True) if taken[place].any()]] = False
    for run, place in zip(runs, places, strict=True):
        if tiny[labels[run]]:
            mask[place] = True


def _meeting(windows):
    """The pairs of windows that share a part of the image, lower row first."""
    for other in range(1, len(windows)):
        for row in range(other):
            if all(part.size for part in _shared(windows[row], windows[other])):
                yield row, other


def _shared(window, other):
    """What two windows show of the part of the image that lies in both: two views of their masks, of one shape."""
    top, left = max(window.top, other.top), max(window.left, other.left)
    views = []
    bottom = min(w.top + w.mask.shape[0] for w in (window, other))
    right = min(w.left + w.mask.shape[1] for w in (window, other))
    for w in (window, other):
        views.append(w.mask[top - w.top : max(bottom, top) - w.top, left - w.left : max(right, left) - w.left])
    return views


def _trimmed(window):
    """The same mask in the smallest window."""
    tight = MaskWindow.around(window.mask)
    if not tight.mask.size:
        return MaskWindow(0, 0, tight.mask)
    return MaskWindow(window.top + tight.top, window.left + tight.left, tight.mask)
