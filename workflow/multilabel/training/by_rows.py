"""Adam for variables with a row per sample, of which a step's gradient has the batch's rows only.

The result is that of Adam on the whole variable, in which the other rows move on by their momentum. Here a row makes
those moves when it is next read, all at once: k steps after its own, m is β₁ᵏ and v is β₂ᵏ times what they were, so the
moves are a sum that needs no gradients. It ends where β₁ᵏ/√β₂ᵏ is below the resolution of float32. So a step takes the
time of a batch, where the whole variable would take that of the data.

The sum has a division for each k and number. But its terms are weights, the same for a whole row, times a smooth
function of k, which the polynomial in log(k + 1) through a few of its values gives more exactly than float32 can tell:
the divisions are only made there.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

NODES = 16
"""Values that the polynomial goes through: its part of the error of a sum is below 1e-8 for usual betas."""
BLOCK = 1024
"""Rows that are settled at once."""


class ByRows:
    """The moments of such variables and the steps that move them; see `adam.Adam.by_rows`."""

    def __init__(
        self,
        owned: Sequence[keras.Variable],
        iterations: keras.Variable,
        *,
        rate: Callable[[tf.Tensor], tf.Tensor],
        beta_1: float,
        beta_2: float,
        epsilon: float,
    ) -> None:
        self.owned, self.iterations, self.rate, self.epsilon = owned, iterations, rate, epsilon
        counts = {variable.shape[0] for variable in owned}
        if len(counts) > 1 or any(len(variable.shape) != 2 for variable in owned):
            shapes = ", ".join(str(tuple(variable.shape)) for variable in owned)
            raise ValueError(f"variables by rows: expected matrices of one number of rows, found {shapes}")
        # As arithmetic of their type sees them: in float32, 1 − 0.999 is not 0.001, and the corrections must agree.
        self.betas = [[float(np.dtype(v.dtype).type(beta)) for beta in (beta_1, beta_2)] for v in owned]
        self.moments = [
            [keras.Variable(np.zeros(v.shape, v.dtype), trainable=False, name=name) for name in ("mean", "square")]
            for v in owned
        ]
        self.moved = keras.Variable(np.zeros(counts.pop(), np.int64), dtype="int64", trainable=False, name="moved")
        ratio = beta_1 / math.sqrt(beta_2)
        longest = math.ceil(-24 * math.log(2) / math.log(ratio)) if ratio > 0 else 1
        self.terms = np.arange(1.0, longest + 1)
        self.nodes, self.basis = _interpolation(self.terms)

    @property
    def variables(self) -> list[keras.Variable]:
        """What a state keeps besides the variables themselves: moments, and after which step each row last moved."""
        return [*(moment for pair in self.moments for moment in pair), self.moved]

    def catch_up(self, rows: tf.Tensor) -> None:
        """Bring rows, each named once, to where the steps taken so far have moved them: before they are read."""
        taken = tf.cast(self.iterations.value, tf.int64)
        moved = tf.gather(self.moved.value, rows)
        passed = tf.cast(taken - moved, tf.float64)[:, tf.newaxis]
        self._caught = []
        for variable, (mean, square), (beta_1, beta_2) in zip(self.owned, self.moments, self.betas, strict=True):
            kind = variable.value.dtype
            m, v = tf.gather(mean.value, rows), tf.gather(square.value, rows)
            moves = m * self._moves(tf.sqrt(v), tf.cast(moved, tf.float64)[:, tf.newaxis], passed, beta_1, beta_2)
            _put(variable, rows, tf.gather(variable.value, rows) - moves)
            self._caught.append((m * tf.cast(beta_1**passed, kind), v * tf.cast(beta_2**passed, kind)))

    def apply(self, gradients: Sequence[Any], rows: tf.Tensor) -> None:
        """Take the step of rows that have caught up, before the optimiser takes its own."""
        taken = tf.cast(self.iterations.value, tf.float64)
        count = tf.shape(rows)[0]
        for index, gradient in enumerate(gradients):
            variable, (beta_1, beta_2), (m, v) = self.owned[index], self.betas[index], self._caught[index]
            kind = variable.value.dtype
            if not isinstance(gradient, tf.IndexedSlices):
                raise TypeError(
                    f"{variable.path}: expected an objective that reads it by tf.gather(variable.value, rows), found "
                    f"the gradient {gradient}"
                )
            # Rows that were gathered several times, always in the same order, come several times.
            g = tf.reduce_sum(tf.reshape(gradient.values, (-1, count, variable.shape[1])), 0)
            m, v = m + (g - m) * tf.constant(1 - beta_1, kind), v + (g * g - v) * tf.constant(1 - beta_2, kind)
            root = tf.sqrt(1 - beta_2 ** (taken + 1))
            rate = tf.cast(self.rate(taken) * root / (1 - beta_1 ** (taken + 1)), kind)
            move = rate * m / (tf.sqrt(v) + tf.cast(self.epsilon * root, kind))
            _put(variable, rows, tf.gather(variable.value, rows) - move)
            self._put_moments(index, rows, m, v)
        _put(self.moved, rows, tf.fill((count,), tf.cast(self.iterations.value, tf.int64) + 1))

    def settle(self) -> None:
        """Bring all rows to where the steps taken so far have moved them."""

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)], autograph=False)
        def settle_block(rows: tf.Tensor) -> None:
            self.catch_up(rows)
            for index, moments in enumerate(self._caught):
                self._put_moments(index, rows, *moments)
            _put(self.moved, rows, tf.fill((tf.shape(rows)[0],), tf.cast(self.iterations.value, tf.int64)))

        for start in range(0, self.moved.shape[0], BLOCK):
            settle_block(tf.range(start, min(start + BLOCK, self.moved.shape[0]), dtype=tf.int64))

    def _moves(self, root: tf.Tensor, moved: tf.Tensor, passed: tf.Tensor, beta_1: float, beta_2: float) -> tf.Tensor:
        """What m is multiplied by to give the sum of the moves of `passed` steps after step `moved`, n×L.

        Of its terms k = 1, 2, …, the rate after bias correction is rₖ and v is qₖ² times `root`²: Σ rₖ / (root·qₖ + ε).
        """
        fallen = beta_1**self.terms
        weights = self.rate(moved + self.terms - 1) * fallen / (1 - beta_1**moved * fallen)
        weights = tf.where(self.terms <= passed, weights, tf.zeros_like(weights))
        shrunk = beta_2 ** (self.nodes / 2) / tf.sqrt(1 - beta_2**moved * beta_2**self.nodes)
        weights, shrunk = (tf.cast(part, root.dtype)[:, :, tf.newaxis] for part in (weights @ self.basis, shrunk))
        return tf.reduce_sum(weights / (root[:, tf.newaxis] * shrunk + tf.constant(self.epsilon, root.dtype)), 1)

    def _put_moments(self, index: int, rows: tf.Tensor, *values: tf.Tensor) -> None:
        for moment, value in zip(self.moments[index], values, strict=True):
            _put(moment, rows, value)


def _put(variable: keras.Variable, rows: tf.Tensor, values: tf.Tensor) -> None:
    variable.value.scatter_update(tf.IndexedSlices(values, rows))


def _interpolation(terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (J,), and the matrix that takes values of a function there to those at the terms: len(terms)×J.

    Lagrange's polynomials in log(k + 1), through Chebyshev's nodes.
    """
    count = min(NODES, len(terms))
    place, (low, high) = np.log(terms + 1), np.log([2.0, terms[-1] + 1])
    nodes = (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * (np.arange(count) + 0.5) / count)
    basis = np.ones((len(terms), count))
    for column, row in itertools.permutations(range(count), 2):
        basis[:, column] *= (place - nodes[row]) / (nodes[column] - nodes[row])
    return np.exp(nodes) - 1, basis
