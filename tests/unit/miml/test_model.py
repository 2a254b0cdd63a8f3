"""L1 logistic regression on all layers becomes a model file that gives its scores."""

import numpy as np
import pytest

from multilabel import export
from multilabel.experiments.miml import model
from multilabel.images.normalise import normalise
from multilabel.networks import backbones
from multilabel.training import linear

BASE = {"network": "VGG16", "width": 1 / 16, "input_size": 32, "seed": 0}
BLOCKS = ["block1_pool", "block3_pool"]


def test_the_file_gives_the_probabilities_of_the_classifiers(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    images[::2] //= 2
    base = backbones.build(**BASE)
    base.save_weights(tmp_path / "base.weights.h5")
    network, _ = backbones.with_blocks(base, BLOCKS, "average")
    x = network(normalise(images, "inet", None)).numpy().astype(np.float64)
    truth = np.stack([np.arange(12) % 2, np.arange(12) < 4], axis=1).astype(np.uint8)
    fitted = linear.fit(x, truth, penalty="l1", c=1.0)
    model.save(
        tmp_path / "model.h5",
        "tiny_l1",
        fitted,
        classes=("bright", "early"),
        thresholds=[0.5, 0.25],
        base=BASE,
        base_weights=str(tmp_path / "base.weights.h5"),
        blocks=BLOCKS,
        bag="average",
        preprocess="inet",
        provenance={},
    )

    loaded = export.load(tmp_path / "model.h5")
    assert (loaded.experiment, loaded.classes, loaded.settings["blocks"]) == ("miml", ("bright", "early"), BLOCKS)
    assert loaded.thresholds.tolist() == [0.5, 0.25]
    expected = linear.probabilities(fitted, x)
    np.testing.assert_allclose(export.scorer(loaded)(images), expected, atol=1e-4)


@pytest.mark.parametrize("settings", [{}, {"blocks": ["conv_pw_1_relu"], "bag": "average"}])
def test_settings_of_another_network_are_an_error(settings):
    loaded = export.Model("a.h5", "miml", "r", BASE, "inet", ("a",), np.array([0.5]), None, {}, settings)
    with pytest.raises(ValueError, match=r"a\.h5"):
        export.network(loaded)
