"""One training step, and everything that changes in it: network, optimizers, moving average.

The step is written out, not left to `keras.Model.fit`: it is what one wants to read, and its losses are sums over
instances, which `fit` would average over batches. On several devices each takes a part of the batch; counts and
gradients are added up before they are used, so that the result is that of one device.
"""

import math

import numpy as np

from pipeline.training.devices import worker


def learning_rate(config, step):
    """Linear warm-up, then half a cosine from the peak to 0 at the last step."""
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    done = min(1.0, max(0.0, (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)))
    return config.learning_rate * warm * 0.5 * (1.0 + math.cos(math.pi * done))


class Trainer:
    """Network, optimizer and moving average, and the one step that changes them.

    Args:
        network: `mrcnn.network.Network` with its initial weights.
        config: `pipeline.training.config.TrainConfig`.
        strategy: `tf.distribute.Strategy`, in whose scope `network` was made. Defaults to TensorFlow's own.

    Raises:
        ValueError: if the batch cannot be split evenly over the devices.
    """

    def __init__(self, network, config, strategy=None):
        import tensorflow as tf

        from mrcnn.build import build_network
        from mrcnn.training_losses import Sampling

        self.network = network
        self.config = config
        self.sampling = Sampling(**config.sampling)
        self.step = 0
        self.strategy = strategy or tf.distribute.get_strategy()
        devices = self.strategy.num_replicas_in_sync
        if config.batch_size % devices:
            raise ValueError(f"batch_size is {config.batch_size}, expected a multiple of the {devices} devices")
        self.averaged = build_network(network.config)
        self.averaged.set_weights(network.get_weights())
        backbone = {id(variable) for variable in network.backbone.weights}
        frozen = {id(variable) for variable in network.backbone_variables(config.frozen)}
        self.trained = [variable for variable in network.trainable_variables if id(variable) not in frozen]
        # Two optimizers, because the pretrained backbone gets a lower rate; scaling its gradient would not do, Adam
        # undoes that.
        self.groups = [
            ([v for v in self.trained if id(v) in backbone], config.backbone_lr_factor),
            ([v for v in self.trained if id(v) not in backbone], 1.0),
        ]
        with self.strategy.scope():
            self.optimizers = [_optimizer(variables, config.weight_decay) for variables, _ in self.groups]
        averages = {id(v): a for v, a in zip(network.weights, self.averaged.weights, strict=True)}
        self._averages = [averages[id(variable)] for variable in self.trained]
        truth = {
            "boxes": tf.TensorSpec((None, None, 4), tf.float32),
            "class_ids": tf.TensorSpec((None, None), tf.int32),
            "masks": tf.TensorSpec((None, None, None, None), tf.uint8),
            "known": tf.TensorSpec((None, None, 4), tf.float32),
        }
        self._train = tf.function(
            self._step,
            input_signature=[
                tf.TensorSpec((None, None, None, 3), tf.uint8),
                truth,
                tf.TensorSpec((None, 2), tf.int32),
                tf.TensorSpec((), tf.float32),
            ],
            autograph=False,  # nothing in the step branches on a tensor, and tracing is faster without
        )

    def _step(self, images, truth, seeds, momentum):
        losses = self.strategy.run(self._device_step, (images, truth, seeds))
        for average, variable in zip(self._averages, self.trained, strict=True):
            average.assign(average + (1.0 - momentum) * (variable - average))
        # All devices have the same losses.
        return {name: self.strategy.experimental_local_results(value)[0] for name, value in losses.items()}

    def _device_step(self, images, truth, seeds):
        """The step of one device, on its part of the batch."""
        import tensorflow as tf

        context = tf.distribute.get_replica_context()  # with one device, its `all_reduce` gives back what it gets
        images, truth, seeds = self._part(context, (images, truth, seeds))
        values = [variable.value for variable in self.trained]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            sums = self.network.training_losses(images, truth, seeds, self.sampling)
            counts = context.all_reduce("SUM", {name: count for name, (_, count) in sums.items()})
            losses = {name: total / tf.maximum(counts[name], 1.0) for name, (total, _) in sums.items()}
            total = tf.add_n(list(losses.values()))
        gradients, losses = context.all_reduce("SUM", (tape.gradient(total, values), {**losses, "total": total}))
        gradients, norm = tf.clip_by_global_norm(gradients, self.config.clip_norm)
        gradients = {id(variable): gradient for variable, gradient in zip(self.trained, gradients, strict=True)}
        for optimizer, (variables, _) in zip(self.optimizers, self.groups, strict=True):
            optimizer.apply([gradients[id(variable)] for variable in variables], variables)
        return {**losses, "gradient_norm": norm}

    def _part(self, context, batch):
        """The rows of this machine's batch that the device of `context` works on."""
        import tensorflow as tf

        devices = self.strategy.num_replicas_in_sync // worker(self.strategy)[1]
        if devices == 1:
            return batch
        rows = tf.shape(batch[0])[0] // devices
        start = context.replica_id_in_sync_group % devices * rows
        return tf.nest.map_structure(lambda values: values[start : start + rows], batch)

    def train_step(self, images, truth, seeds):
        """One step on one batch; see `Network.training_losses` for its form. Of several machines, each gives its part.

        Returns:
            dict of floats: the five losses, their `total`, and the `gradient_norm` before clipping.

        Raises:
            FloatingPointError: if the loss or its gradient is not a finite number.
        """
        for optimizer, (_, factor) in zip(self.optimizers, self.groups, strict=True):
            optimizer.learning_rate = factor * learning_rate(self.config, self.step)
        momentum = min(self.config.ema_momentum, (1 + self.step) / (10 + self.step))  # follows quickly at first
        losses = self._train(images, truth, seeds, np.float32(momentum))
        losses = {name: float(value) for name, value in losses.items()}
        # A gradient may be broken where the loss is not: some CPUs' fused ReLU turns NaN into 0.
        for name, what in (("total", "loss"), ("gradient_norm", "norm of the gradient")):
            if not math.isfinite(losses[name]):
                raise FloatingPointError(
                    f"the {what} is {losses[name]} at step {self.step}: try a lower --set learning_rate="
                    f"{self.config.learning_rate / 4:g} and --resume from the last checkpoint"
                )
        self.step += 1
        return losses

    def state(self):
        """All variables of the network, its average and the optimizers: dict from a name to each."""
        lists = {
            "network": self.network.weights,
            "averaged": self.averaged.weights,
            "optimizer": [variable for optimizer in self.optimizers for variable in optimizer.variables],
        }
        return {f"{name}/{i}": v for name, variables in lists.items() for i, v in enumerate(variables)}


def _optimizer(variables, weight_decay):
    import keras

    class SummedAdamW(keras.optimizers.AdamW):
        """Keras adds up the gradients of all devices once more; ours were added up before they were clipped."""

        def _all_reduce_sum_gradients(self, grads_and_vars):
            return grads_and_vars

    optimizer = SummedAdamW(0.0, weight_decay=weight_decay)
    # Decay pulls kernels towards zero; a bias has no reason to go there.
    optimizer.exclude_from_weight_decay([v for v in variables if v.path.endswith("bias")])
    optimizer.build(variables)
    return optimizer
