"""A network as a SavedModel: a folder that TensorFlow alone can run."""

ENDING = ""
MARK = "saved_model.pb"


def write(path, network, **_):
    """Write the folder; see `pipeline.exporting.keras_file.write`. It takes images of any size."""
    write_function(path, network, detect_of(network), signature(None, None, None))


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


def write_function(path, network, function, inputs):
    """Write a function of a network.

    Args:
        path: path of the folder.
        network: `mrcnn.network.Network`.
        function: what becomes the signature `serving_default`.
        inputs: list of `tf.TensorSpec`.
    """
    import tensorflow as tf

    # A plain module with the plain variables: keras.export would store each of them twice.
    module = tf.Module()
    module.weights = [variable.value for variable in network.variables]
    module.serve = tf.function(function, input_signature=inputs, autograph=False)
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve})
