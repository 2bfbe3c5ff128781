"""Box head: what each proposal holds, and where its edges really are.

Paper: Girshick, "Fast R-CNN", 2015, section 2 (https://arxiv.org/abs/1504.08083): two hidden layers, then a softmax
over the classes and a box for each class.
"""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="mrcnn")
class BoxHead(keras.layers.Layer):
    """Class logits and box deltas from pooled features.

    Args:
        class_count: int. Number of classes with the background.
        units: int. Width of the two hidden layers.
    """

    def __init__(self, class_count, units, **kwargs):
        super().__init__(**kwargs)
        self.class_count = class_count
        self.units = units
        self.hidden = [keras.layers.Dense(units, activation="relu", name=f"hidden{n}") for n in (1, 2)]
        self.logits = keras.layers.Dense(class_count, name="logits")
        self.deltas = keras.layers.Dense(4 * class_count, name="deltas")

    def build(self, input_shape):
        _, height, width, channels = input_shape
        self.hidden[0].build((None, height * width * channels))
        for layer in (self.hidden[1], self.logits, self.deltas):
            layer.build((None, self.units))
        self.built = True

    def call(self, pooled):
        """float `(N, 7, 7, C)` to logits float `(N, classes)` and deltas float `(N, classes, 4)`."""
        _, height, width, channels = pooled.shape
        x = tf.reshape(pooled, (-1, height * width * channels))
        for layer in self.hidden:
            x = layer(x)
        return self.logits(x), tf.reshape(self.deltas(x), (-1, self.class_count, 4))

    def get_config(self):
        return {**super().get_config(), "class_count": self.class_count, "units": self.units}
