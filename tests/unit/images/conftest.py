import numpy as np
import pytest


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (6, 20, 30, 3), dtype=np.uint8)
