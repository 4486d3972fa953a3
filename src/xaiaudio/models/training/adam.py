"""Adam and AdamW as Keras has them, each variable updated in one operation instead of a dozen."""

from __future__ import annotations

import keras
import tensorflow as tf


class _InOneOperation(keras.optimizers.Adam):
    """Keras's formula by TensorFlow's own operation: the same numbers to rounding.

    In a small network the many small operations of Keras's update take a good part of the time.
    Where a row of a table was looked up several times, its gradients are summed before they are
    squared, as the formula has it; Keras squares each by itself.
    """

    def update_step(self, gradient, variable, learning_rate):
        number = self._get_variable_index(variable)
        steps = tf.cast(self.iterations + 1, tf.float32)
        beta_1, beta_2 = tf.constant(self.beta_1), tf.constant(self.beta_2)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[number].value.handle,
            v=self._velocities[number].value.handle,
            beta1_power=beta_1**steps,
            beta2_power=beta_2**steps,
            lr=tf.cast(learning_rate, tf.float32),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=self.epsilon,
            grad=tf.convert_to_tensor(gradient),
        )


class Adam(_InOneOperation):
    """Adam; see ``keras.optimizers.Adam``. Variables are of float32."""


class AdamW(_InOneOperation, keras.optimizers.AdamW):
    """Adam with decoupled weight decay; see ``keras.optimizers.AdamW``."""
