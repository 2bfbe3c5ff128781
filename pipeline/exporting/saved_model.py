"""A network as a SavedModel: a folder that TensorFlow alone can run.

It has two signatures. `serving_default` gives a row a detection of the whole batch. `detect_padded` gives each image
the same number of rows, and every input and output has a row an image along its first dimension: servers that put
requests together into batches, such as TensorFlow Serving and Triton, need that. `docs/scale.md` shows how to set them
up.
"""

ENDING = ""
MARK = "saved_model.pb"


def write(path, network, *, limit, **_):
    """Write the folder; see `pipeline.exporting.keras_file.write`. It takes images of any size.

    Args:
        path: path of the folder.
        network: `mrcnn.network.Network`.
        limit: int. Rows an image of the signature `detect_padded`.
    """
    signatures = {
        "serving_default": (detect_of(network), signature(None, None, None)),
        "detect_padded": (padded_of(network, limit), padded_signature()),
    }
    write_functions(path, network, signatures)


def run(path, images, confidence, limit):
    """Run the folder; see `pipeline.exporting.keras_file.run`."""
    import tensorflow as tf

    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    found = serve(images=tf.constant(images), confidence=tf.constant(confidence, tf.float32), limit=tf.constant(limit))
    return {name: value.numpy() for name, value in found.items()}


def signature(batch, height, width):
    """The `tf.TensorSpec` of the three inputs, for sizes as int or, where any may come, `None`."""
    import tensorflow as tf

    return [
        tf.TensorSpec((batch, height, width, 3), tf.uint8, name="images"),
        tf.TensorSpec((), tf.float32, name="confidence"),
        tf.TensorSpec((), tf.int32, name="limit"),
    ]


def detect_of(network):
    """`network.detect` with exactly the inputs of `signature`."""

    def detect(images, confidence, limit):
        return network.detect(images, confidence, limit)

    return detect


def padded_signature():
    """The `tf.TensorSpec` of the inputs of `padded_of`."""
    import tensorflow as tf

    return [
        tf.TensorSpec((None, None, None, 3), tf.uint8, name="images"),
        tf.TensorSpec((None, 1), tf.float32, name="confidence"),
    ]


def padded_of(network, limit):
    """`network.detect_padded` with a confidence an image, so that requests of different ones share a batch."""
    import tensorflow as tf

    def detect_padded(images, confidence):
        # Suppression goes from the best detection down, so a lower confidence only adds rows behind.
        found = network.detect_padded(images, tf.reduce_min(confidence), limit)
        sure = found["scores"] >= confidence  # (B, limit)
        return {
            name: tf.where(tf.reshape(sure, [-1, limit] + [1] * (len(values.shape) - 2)), values, tf.zeros_like(values))
            for name, values in found.items()
        }

    return detect_padded


def write_functions(path, network, signatures):
    """Write functions of a network.

    Args:
        path: path of the folder.
        network: `mrcnn.network.Network`.
        signatures: dict from the name of each signature to its function and its list of `tf.TensorSpec`.
    """
    import tensorflow as tf

    # A plain module with the plain variables: keras.export would store each of them twice.
    module = tf.Module()
    module.weights = [variable.value for variable in network.variables]
    module.functions = {
        name: tf.function(function, input_signature=inputs, autograph=False)
        for name, (function, inputs) in signatures.items()
    }
    tf.saved_model.save(module, str(path), signatures=dict(module.functions))
