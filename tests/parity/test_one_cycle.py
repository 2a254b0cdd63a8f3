"""The schedule of Query2Label's training, against PyTorch's numbers."""

import re

import numpy as np
import tensorflow as tf

from multilabel.training.one_cycle import OneCycle


def test_learning_rate_and_beta_of_every_step(arrays):
    for key, expected in arrays("q2l_one_cycle").items():
        maximum, steps, epochs = map(float, re.fullmatch(r"max_lr_(.+)_steps_(.+)_epochs_(.+)", key).groups())
        cycle, taken = OneCycle(maximum, round(steps * epochs)), tf.range(len(expected), dtype=tf.float64)
        np.testing.assert_allclose(cycle.learning_rate(taken), expected[:, 0], rtol=1e-9, atol=1e-18)
        np.testing.assert_allclose(cycle.beta_1(taken), expected[:, 1], rtol=1e-12)
