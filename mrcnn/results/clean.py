"""From masks as the network draws them, each by itself, to masks as people would draw them.

A network judges every cell alone. So masks come with specks beside them and pinholes within, and where two objects meet
both claim the same pixels. Here specks are dropped, pinholes filled, and each pixel given to one object, the surest.
Only what is small beside its mask is touched: a cat behind a chair leg stays in two pieces, and the gap under the arm
that holds it stays open.
"""

import numpy as np

from mrcnn.results.instances import MaskWindow

BAND = 1_000_000  # pixels of a mask that are looked at at once
SMALLEST_SHARE = 0.01  # of a mask's pixels: smaller pieces are dropped, smaller holes filled


def clean_masks(windows, overlaps=False):
    """Masks without specks and pinholes, each pixel in one of them.

    Args:
        windows: list of `MaskWindow` of one image, the surest first. Their masks are changed, too: copies of those of
            a huge photo would take as much memory again.
        overlaps: bool. Whether a pixel may stay in several masks, as the COCO evaluation expects. Defaults to `False`.

    Returns:
        list of `MaskWindow` in the same order, each as small as its mask; of shape `(0, 0)` where a mask has no pixel
        or surer ones have taken them all.
    """
    runs = [_drop_specks(window.mask) for window in windows]
    pairs = [] if overlaps else _meeting(windows)
    robbed = set()
    for surer, other in pairs:
        theirs, mine = _shared(windows[surer], windows[other])
        if (mine & theirs).any():
            mine &= ~theirs
            robbed.add(other)
    for row in robbed:
        runs[row] = _drop_specks(windows[row].mask)
    for row, window in enumerate(windows):
        neighbours = [windows[pair[1 - pair.index(row)]] for pair in pairs if row in pair]
        _fill_pinholes(window, runs[row], neighbours)
    return [_trimmed(window, runs) for window, runs in zip(windows, runs, strict=True)]


def components(runs, length):
    """The connected pieces of a mask, pixels joined by their sides.

    Not pixels are joined but the runs in its rows: a mask has some hundred, whatever its size.

    Args:
        runs: int64 `(R, 2)`, see `runs_of`.
        length: int. From a pixel to the one below it.

    Returns:
        labels int32 `(R,)`: the piece of each run; areas int64 `(P,)`: the pixels of each piece.
    """
    from scipy.sparse import csr_array  # takes a quarter of a second, and not every program draws masks
    from scipy.sparse.csgraph import connected_components

    starts, stops = runs.T
    # Those runs that, one row further down, begin before this one stops and stop after it begins.
    first = np.searchsorted(stops, starts + length, side="right")
    count = np.maximum(np.searchsorted(starts, stops + length) - first, 0)
    ends = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    below = np.arange(ends[-1], dtype=np.int32) + np.repeat(first - ends[:-1], count).astype(np.int32)
    touching = csr_array((np.ones(len(below)), below, ends), shape=(len(starts), len(starts)))
    _, labels = connected_components(touching, directed=False)
    return labels, np.bincount(labels, stops - starts).astype(np.int64)


def runs_of(mask):
    """The runs of True in the rows of a mask.

    Positions count through the rows of the mask with an empty row before and after it and an empty column to its left,
    so that no run goes on in the next row: row r and column c are at `(r + 1) * (W + 1) + c + 1`.

    Args:
        mask: bool `(H, W)`.

    Returns:
        int64 `(R, 2)`: first position of each run and the one after its last.
    """
    height, width = mask.shape
    step = max(1, BAND // (width + 1))
    runs = [np.empty((0, 2), np.int64)]
    for top in range(0, height, step):
        band = mask[top : top + step]
        flat = np.zeros((len(band), width + 1), bool)
        flat[:, 1:] = band
        # What is in the last column ends with its row, that of the last row with the band.
        changes = np.flatnonzero(np.diff(flat.ravel(), append=False))
        runs.append(changes.reshape(-1, 2) + 1 + (top + 1) * (width + 1))
    return np.concatenate(runs)


def _drop_specks(mask):
    """Takes its tiny pieces from a mask, in place, and gives the runs of what is left."""
    runs, length = runs_of(mask), mask.shape[1] + 1
    labels, areas = components(runs, length)
    tiny = (areas < SMALLEST_SHARE * areas.sum())[labels]
    for run in runs[tiny]:
        mask[_place(run, length)] = False
    return runs[~tiny]


def _fill_pinholes(window, runs, neighbours):
    """Fills the tiny holes of a mask, in place, in which nothing of its `neighbours` is, a list of `MaskWindow`."""
    height, width = window.mask.shape
    length = width + 1
    # What lies between the runs. It goes on from the end of a row to the next one, but only outside of the mask, which
    # is one piece anyway: that of the first.
    gaps = np.concatenate([[0], runs.ravel(), [(height + 2) * length]]).reshape(-1, 2)
    labels, areas = components(gaps, length)
    tiny = areas < SMALLEST_SHARE * np.sum(runs[:, 1] - runs[:, 0])
    tiny[labels[0]] = False
    holes = np.flatnonzero(tiny[labels])
    if not len(holes):
        return
    taken = MaskWindow(window.top, window.left, np.zeros_like(window.mask))
    for neighbour in neighbours:
        mine, theirs = _shared(taken, neighbour)
        mine |= theirs
    for hole in holes:
        if taken.mask[_place(gaps[hole], length)].any():
            tiny[labels[hole]] = False
    for hole in holes:
        if tiny[labels[hole]]:
            window.mask[_place(gaps[hole], length)] = True


def _place(run, length):
    """Row and columns of a run in its mask."""
    row, column = divmod(int(run[0]), length)
    return row - 1, slice(column - 1, column - 1 + int(run[1] - run[0]))


def _meeting(windows):
    """The pairs of windows that share a part of the image, the lower row first, in order."""
    pairs = ((row, other) for other in range(1, len(windows)) for row in range(other))
    return [(row, other) for row, other in pairs if _shared(windows[row], windows[other])[0].size]


def _shared(window, other):
    """What two windows show of the part of the image that lies in both: two views of their masks, of one shape."""
    edges = np.array([window.box, other.box])
    top, left = edges[:, :2].max(axis=0)
    bottom, right = np.maximum(edges[:, 2:].min(axis=0), (top, left))
    return [w.mask[top - w.top : bottom - w.top, left - w.left : right - w.left] for w in (window, other)]


def _trimmed(window, runs):
    """The same mask in the smallest window; `runs` are those that reach furthest out."""
    if not len(runs):
        return MaskWindow(0, 0, np.zeros((0, 0), bool))
    rows, columns = np.divmod(runs, window.mask.shape[1] + 1)
    top, bottom, left = rows[0, 0] - 1, rows[-1, 0], columns[:, 0].min() - 1
    right = int((columns[:, 0] - 1 + runs[:, 1] - runs[:, 0]).max())
    tight = window.mask[top:bottom, left:right]
    return MaskWindow(window.top + int(top), window.left + int(left), np.ascontiguousarray(tight))
