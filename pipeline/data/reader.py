"""Training samples without end, in an order that depends on the seed and the sample's number alone.

A resumed run asks for sample 12,345 and gets the photo and the jitter that an uninterrupted run would have had: each
sample's random numbers come from (seed, number), and each epoch's order from (seed, group, epoch).
"""

import functools
import re
import sys

import numpy as np

from mrcnn.letterbox import Canvas
from mrcnn.results.instances import MaskWindow
from pipeline.data.augmentation import MASK_SIZE, Jitter, augment
from pipeline.data.copy_paste import paste
from pipeline.data.dataset import IGNORE
from pipeline.data.window_cache import WindowCache

NEGATIVE, POSITIVE = 0, 1
MOST_UNREADABLE = 100  # photos in a row that cannot be read, beyond which it is not a few of them but all


class SampleReader:
    """Draws training samples from several data sets.

    Args:
        datasets: list of `pipeline.data.dataset.CocoDataset` with the same classes.
        config: `pipeline.training.config.TrainConfig`.
        canvas: `mrcnn.letterbox.Canvas`, that of the network. Defaults to the one of the lite preset.

    Attributes:
        unreadable: dict from the path of each photo that was left out so far to the reason: the photo or one of its
            annotations cannot be read. It is said on stderr when it is met.

    Raises:
        ValueError: if there is no photo with an instance, or the data sets' classes differ.
    """

    def __init__(self, datasets, config, canvas=Canvas()):  # noqa: B008, it is frozen
        names = {dataset.class_names for dataset in datasets}
        if len(names) > 1:
            raise ValueError(f"the data sets have different classes: {', '.join(map(str, sorted(names)))}")
        images = [(dataset, image_id) for dataset in datasets for image_id in dataset.image_ids]
        groups = {NEGATIVE: [], POSITIVE: []}
        for dataset, image_id in images:
            group = groups[POSITIVE if dataset.has_instances(image_id) else NEGATIVE]
            group += [(dataset, image_id)] * _times(dataset.images[image_id], config.sampling_weights)
        if not groups[POSITIVE]:
            raise ValueError("no photo of the training data shows an instance")
        self.groups = groups
        self.config = config
        self.canvas = canvas
        self.negative_share = config.negative_share if groups[NEGATIVE] else 0.0
        self.jitter = Jitter(config.scale, config.aspect, config.flip, config.colour, config.grey)
        self.unreadable = {}
        self._windows = WindowCache(self._read_windows)  # masks are stored as run lengths and decoded once

    def _read_windows(self, dataset, image_id):
        windows, class_ids, outlined = dataset.windows(image_id)
        if any(_holds(condition, dataset.images[image_id]) for condition in self.config.box_only):
            windows = [MaskWindow(w.top, w.left, np.ones_like(w.mask)) for w in windows]
            outlined = np.zeros_like(outlined)
        return windows, class_ids, outlined

    def image(self, number):
        """The `(dataset, image_id)` of a sample: an epoch shows every photo of a group, in a new order each time."""
        share = self.negative_share
        negatives_before, negatives_after = int(number * share), int((number + 1) * share)
        group = NEGATIVE if negatives_after > negatives_before else POSITIVE
        ordinal = negatives_before if group == NEGATIVE else number - negatives_before
        epoch, position = divmod(ordinal, len(self.groups[group]))
        return self.groups[group][self._order(group, epoch)[position]]

    @functools.lru_cache(maxsize=8)  # noqa: B019  (one reader lives as long as the run)
    def _order(self, group, epoch):
        return np.random.default_rng((self.config.seed, group, epoch)).permutation(len(self.groups[group]))

    def canvas_size(self, batch):
        """Side in pixels of the canvases of batch number `batch`."""
        sizes = self.config.canvas_sizes
        return sizes[np.random.default_rng((self.config.seed, 2, batch)).integers(len(sizes))]

    def photos(self, batch):
        """Paths of the photos of batch number `batch`, those that cannot be read replaced as in `sample`."""
        first = batch * self.config.batch_size
        paths = []
        for number in range(first, first + self.config.batch_size):
            while (path := self._path(*self.image(number))) in self.unreadable:
                number += 1
            paths.append(path)
        return paths

    def sample(self, number):
        """Sample `number`: see `pipeline.data.augmentation.augment` for what comes back.

        A photo that cannot be read, or one of whose annotations cannot, is replaced by that of the next sample.

        Raises:
            ValueError: if `MOST_UNREADABLE` photos in a row cannot be read.
        """
        for other in range(number, number + MOST_UNREADABLE):
            dataset, image_id = self.image(other)
            read = self._read(dataset, image_id)
            if read is not None:
                break
        else:
            reason = self.unreadable[self._path(dataset, image_id)]
            raise ValueError(f"{MOST_UNREADABLE} photos in a row cannot be read, the last because {reason}")
        image, windows, class_ids, outlined = read
        random = np.random.default_rng((self.config.seed, 3, number))
        if not dataset.has_instances(image_id) and random.random() < self.config.paste:
            image, windows, class_ids, outlined = self._paste_one(image, windows, class_ids, outlined, random)
        size = self.canvas_size(number // self.config.batch_size)
        return augment(image, windows, class_ids, outlined, size, self.jitter, random, self.canvas)

    def _path(self, dataset, image_id):
        return str(dataset.path(image_id))

    def _read(self, dataset, image_id):
        """Image, windows, class ids and outlined of a photo, or `None` if something of it cannot be read."""
        path = self._path(dataset, image_id)
        if path in self.unreadable:
            return None
        try:
            return dataset.load_image(image_id), *self._windows(dataset, image_id)
        except ValueError as error:
            self.unreadable[path] = str(error)
            print(f"\nleft out: {error}", file=sys.stderr, flush=True)
            return None

    def _paste_one(self, image, windows, class_ids, outlined, random):
        """A photo with an instance of another photo taken at random, if that has an outline and is large enough."""
        positives = self.groups[POSITIVE]
        source = self._read(*positives[random.integers(len(positives))])
        if source is None:
            return image, windows, class_ids, outlined
        source_image, others, other_ids, other_outlined = source
        real = np.flatnonzero((other_ids != IGNORE) & other_outlined)
        if not len(real):  # its masks are empty, or it has boxes alone
            return image, windows, class_ids, outlined
        row = real[random.integers(len(real))]
        image, window = paste(image, source_image, others[row], random)
        if window is None:
            return image, windows, class_ids, outlined
        return image, [*windows, window], np.append(class_ids, other_ids[row]), np.append(outlined, True)

    def batches(self, first_step=0, worker=(0, 1)):
        """Batches from number `first_step` on, without end.

        Args:
            first_step: int. Defaults to 0.
            worker: tuple `(index, count)`. Of each batch, only this of so many equal parts. Defaults to all of it.

        Returns:
            A `tf.data.Dataset` of `(images, truth, seeds)`, see `Network.training_losses`.
        """
        import tensorflow as tf

        size = self.config.batch_size
        index, count = worker
        rows = size // count

        def load(number):
            types = tf.uint8, tf.float32, tf.int32, tf.uint8, tf.float32
            canvas, boxes, class_ids, masks, known = tf.numpy_function(
                lambda number: self.sample(int(number)), [number], types
            )
            canvas.set_shape((None, None, 3))
            boxes.set_shape((None, 4))
            class_ids.set_shape((None,))
            masks.set_shape((None, MASK_SIZE, MASK_SIZE))
            known.set_shape((None, 4))
            seed = tf.stack([self.config.seed, tf.cast(number, tf.int32)])
            return canvas, {"boxes": boxes, "class_ids": class_ids, "masks": masks, "known": known}, seed

        def numbers(step):
            first = step * size + index * rows
            return tf.data.Dataset.range(first, first + rows)

        samples = tf.data.Dataset.range(first_step, np.iinfo(np.int64).max).flat_map(numbers)
        samples = samples.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        # At least one row of padding, class 0: operations over instances then never see an empty axis.
        return samples.map(_add_padding_row).padded_batch(rows).prefetch(4)


def next_batch(batches):
    """The next batch of `SampleReader.batches`.

    Args:
        batches: iterator over them.

    Raises:
        ValueError: if hardly any photo can be read.
    """
    import tensorflow as tf

    try:
        return next(batches)
    except tf.errors.OpError as error:  # it wraps what the reader raised, with a traceback in its message
        reason = re.search(r"^(?:\w+: )?ValueError: (.+)$", error.message, re.MULTILINE)
        if reason is None:
            raise
        raise ValueError(f"the training data cannot be read: {reason[1]}") from error


def _times(record, sampling_weights):
    """How often a photo comes in an epoch: the product of all `sampling_weights` that hold for its COCO record."""
    times = 1
    for condition, count in sampling_weights:
        if _holds(condition, record):
            times *= count
    return times


def _holds(condition, record):
    """Whether a condition such as "kind=dog" is true of a COCO image record."""
    key, _, value = condition.partition("=")
    return str(record.get(key)) == value


def _add_padding_row(canvas, truth, seed):
    import tensorflow as tf

    padded = {name: tf.pad(values, [[0, 1]] + [[0, 0]] * (values.shape.rank - 1)) for name, values in truth.items()}
    return canvas, padded, seed
