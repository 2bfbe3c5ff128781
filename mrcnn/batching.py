"""The loop over the images of a batch, for what looks at one image at a time."""

import tensorflow as tf


def map_images(function, inputs, signature):
    """`tf.map_fn`, but without a loop where the batch is known to be one image: exported graphs are then plain.

    Args:
        function: takes a tuple of tensors of one image, returns a tensor or a tuple of them.
        inputs: tuple of tensors `(B, ...)`.
        signature: `tf.TensorSpec` or a tuple of them. What `function` returns.

    Returns:
        What `function` returns, stacked to `(B, ...)`.
    """
    if inputs[0].shape[0] == 1:
        return tf.nest.map_structure(lambda value: value[None], function(tuple(value[0] for value in inputs)))
    return tf.map_fn(function, inputs, fn_output_signature=signature)
