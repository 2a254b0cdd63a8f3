"""Stochastic gradient descent as early Keras had it."""

from typing import Any

import keras
import tensorflow as tf


def sgd(learning_rate: float, momentum: float, decay: float) -> keras.optimizers.Optimizer:
    """SGD with Nesterov momentum and the decay of early Keras: learning rate / (1 + decay · step)."""
    return _FusedSGD(learning_rate, momentum, decay)


class _FusedSGD(keras.optimizers.SGD):
    """Keras' SGD whose step is one operation: one pass over weights and momenta, where Keras makes five.

    The rate before its decay is a variable, which another run can have otherwise.
    """

    def __init__(self, learning_rate: float, momentum: float, decay: float) -> None:
        super().__init__(learning_rate, momentum=momentum, nesterov=momentum > 0)
        self.decay = decay

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        taken = tf.cast(self.iterations.value, tf.float32)
        learning_rate = tf.convert_to_tensor(learning_rate) / (1 + self.decay * taken)
        if not self.momentum:
            super().update_step(gradient, variable, learning_rate)
            return
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=self.momentums[self._get_variable_index(variable)].value.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=gradient,
            momentum=tf.cast(self.momentum, variable.dtype),
            use_nesterov=self.nesterov,
        )
