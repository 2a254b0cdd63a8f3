"""Adam as PyTorch computes it: epsilon is added outside the bias-corrected root, decay is decoupled (AdamW)."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from multilabel.training.by_rows import ByRows

Rate = float | Callable[[tf.Tensor], tf.Tensor]
"""A number, or a function of the number of steps taken before, float64 of any shape."""


class Adam(keras.optimizers.Optimizer):
    """p ← (1 − rate·decay)·p − rate · m̂ / (√v̂ + ε), with the m̂ and v̂ of Kingma and Ba (2015).

    One pass over weights and moments per step. Keras' Adam adds ε to the root before its correction, which is another
    number where gradients are small. A `beta_1` that changes from step to step corrects with the step's own, as
    PyTorch's.
    """

    def __init__(
        self,
        learning_rate: Rate,
        *,
        beta_1: Rate = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        decay: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate=0.0 if callable(learning_rate) else learning_rate, **options)
        self.rate, self.beta_1, self.beta_2, self.epsilon, self.decay = learning_rate, beta_1, beta_2, epsilon, decay

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make the moments of the variables; see Keras."""
        if self.built:
            return
        super().build(variables)
        self.moments = [
            [self.add_variable_from_reference(variable, name) for name in ("mean", "square")] for variable in variables
        ]

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        """Take a step; see Keras."""
        taken = tf.cast(self.iterations.value, tf.float64)
        self._now = at(self.rate, taken), at(self.beta_1, taken), taken + 1
        super().apply(grads, trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move one variable; see Keras."""
        mean, square = self.moments[self._get_variable_index(variable)]
        rate, beta_1, step = self._now
        beta_1, beta_2 = rounded(beta_1, variable.dtype), rounded(self.beta_2, variable.dtype)
        root = tf.sqrt(1 - beta_2**step)
        if self.decay:
            variable.assign(variable * tf.cast(1 - rate * self.decay, variable.dtype))
        # TensorFlow's operation has ε inside, too: what it is given is rate and ε that make it the same.
        scalars = {
            "lr": rate * root / (1 - beta_1**step),
            "epsilon": self.epsilon * root,
            "beta1": beta_1,
            "beta2": beta_2,
            "beta1_power": 0.0,
            "beta2_power": 0.0,
        }
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=mean.value.handle,
            v=square.value.handle,
            grad=gradient,
            **{name: tf.cast(value, variable.dtype) for name, value in scalars.items()},
        )

    def by_rows(self, variables: Sequence[keras.Variable], factor: float) -> ByRows:
        """What trains N×L variables of which a step sees some rows, in the steps of this one, at `factor` its rate.

        Raises:
            ValueError: beta_1 changes, or decay is not 0: then it cannot.
        """
        if callable(self.beta_1) or self.decay:
            raise ValueError("variables by rows: expected an Adam with a fixed beta_1 and without decay")
        return ByRows(
            variables,
            self.iterations,
            rate=lambda taken: factor * at(self.rate, taken),
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
        )


def at(rate: Rate, taken: tf.Tensor) -> tf.Tensor:
    """A rate after some steps, float64."""
    return tf.cast(rate(taken), tf.float64) if callable(rate) else tf.constant(rate, tf.float64)


def rounded(value: Any, dtype: tf.DType) -> tf.Tensor:
    """A factor as arithmetic of a type sees it, float64: in float32, 1 − 0.999 is not 0.001, and corrections agree."""
    return tf.cast(tf.cast(tf.convert_to_tensor(value, tf.float64), dtype), tf.float64)
