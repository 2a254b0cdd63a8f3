import h5py
import numpy as np
import pytest

from multilabel.features import files as features
from multilabel.features import whitening


@pytest.fixture
def correlated(tmp_path):
    """A feature file of 5,000 rows whose 6 columns depend on each other."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((5000, 6)) @ rng.standard_normal((6, 6)) + 100
    path = tmp_path / "train_zmuvs_avg.h5"
    with h5py.File(path, "w") as file:
        file["image_id"] = np.arange(5000)
        file["features"] = values.astype(np.float32)
        file.attrs["provenance"] = "kept"
    return path


def test_whitened_features_have_mean_0_and_covariance_1(correlated, tmp_path):
    whitening.apply(whitening.fit(correlated, 0.0), correlated, tmp_path / "white.h5")
    found = features.load(tmp_path / "white.h5")
    assert found.features.dtype == np.float32
    assert found.features.mean(axis=0) == pytest.approx(np.zeros(6), abs=1e-3)
    assert np.cov(found.features, rowvar=False, bias=True) == pytest.approx(np.eye(6), abs=1e-3)


def test_the_transform_is_symmetric_unlike_that_of_principal_components(correlated):
    matrix = whitening.fit(correlated, 0.1).matrix
    assert matrix == pytest.approx(matrix.T)


def test_blocks_give_the_covariance_of_the_whole(correlated, monkeypatch):
    whole = whitening.fit(correlated, 0.1)
    monkeypatch.setattr(whitening, "BLOCK", 8 * 6 * 7)  # seven rows
    assert whitening.fit(correlated, 0.1).matrix == pytest.approx(whole.matrix, rel=1e-9)


def test_directions_of_little_variance_are_not_blown_up(tmp_path):
    values = np.random.default_rng(0).standard_normal((1000, 2)) * [1.0, 1e-6]
    with h5py.File(tmp_path / "flat.h5", "w") as file:
        file["image_id"], file["features"] = np.arange(1000), values
    assert np.abs((values @ whitening.fit(tmp_path / "flat.h5", 0.01).matrix)[:, 1]).max() < 1e-3


def test_ids_and_provenance_are_kept(correlated, tmp_path):
    whitening.apply(whitening.fit(correlated, 0.1), correlated, tmp_path / "white.h5")
    with h5py.File(tmp_path / "white.h5") as file:
        assert file["image_id"][()].tolist() == list(range(5000))
        assert file.attrs["provenance"] == "kept"


def test_equal_rows_are_an_error_that_names_the_file(tmp_path):
    with h5py.File(tmp_path / "equal.h5", "w") as file:
        file["image_id"], file["features"] = np.arange(3), np.ones((3, 4))
    with pytest.raises(ValueError, match=r"equal\.h5: expected features that differ"):
        whitening.fit(tmp_path / "equal.h5", 0.1)


def test_a_damaged_file_is_named(correlated):
    correlated.write_bytes(correlated.read_bytes()[:3000])
    with pytest.raises(ValueError, match=r"train_zmuvs_avg\.h5: expected HDF5"):
        whitening.fit(correlated, 0.1)
