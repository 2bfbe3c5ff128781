"""Masks of photos in memory, packed: eight pixels a byte, and the least used go when there are too many."""

import collections
import threading

import numpy as np

from mrcnn.results.instances import MaskWindow

MOST_BYTES = 512_000_000


class WindowCache:
    """Keeps what `CocoDataset.windows` gives, for as many photos as fit.

    Args:
        read: function of a hashable key, which reads a photo's windows: list of N `MaskWindow`, class ids int32 `(N,)`
            and outlined bool `(N,)`.
        most_bytes: int. Of the packed masks. Defaults to 512 MB.
    """

    def __init__(self, read, most_bytes=MOST_BYTES):
        self._read = read
        self._most_bytes = most_bytes
        self._entries = collections.OrderedDict()
        self._lock = threading.Lock()  # samples are read by several threads
        self.bytes = 0

    def __len__(self):
        return len(self._entries)

    def __call__(self, *key):
        """What `read` gives for this key; from memory if it is there."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._unpacked(self._entries[key])
        windows, class_ids, outlined = self._read(*key)
        packed = [(window.top, window.left, window.mask.shape, np.packbits(window.mask)) for window in windows]
        with self._lock:
            if key not in self._entries:
                self._entries[key] = packed, class_ids, outlined
                self.bytes += _bytes(packed)
            while self.bytes > self._most_bytes:
                _, (oldest, *_) = self._entries.popitem(last=False)
                self.bytes -= _bytes(oldest)
        return windows, class_ids, outlined

    @staticmethod
    def _unpacked(entry):
        packed, class_ids, outlined = entry
        windows = [
            MaskWindow(top, left, np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape).astype(bool))
            for top, left, shape, bits in packed
        ]
        return windows, class_ids, outlined


def _bytes(packed):
    return sum(bits.nbytes for *_, bits in packed)
