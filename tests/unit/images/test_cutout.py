import numpy as np
import pytest

from multilabel.images.cutout import cutout

SEED = np.array([3, 5], np.int32)


def test_a_square_of_half_the_side_in_one_colour(noise):
    images = np.repeat(noise, 100, axis=0)
    found = cutout(images, 0.5, SEED).numpy()
    for image, before in zip(found, images, strict=True):
        changed = (image != before).any(axis=-1)
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        assert np.ptp(rows) < 10
        assert np.ptp(columns) < 10
        painted = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert (painted == painted[0, 0]).all()


def test_it_is_cut_off_at_the_border(noise):
    images = np.repeat(noise, 300, axis=0)
    share = (cutout(images, 0.5, SEED).numpy() != images).any(axis=-1).mean()
    # A square of 10 pixels around a uniform centre covers, on average, 8.75 of 20 rows and 9.17 of 30 columns.
    assert share == pytest.approx(8.75 * 9.17 / 600, rel=0.05)


def test_the_same_seed_paints_the_same(noise):
    assert (cutout(noise, 0.5, SEED).numpy() == cutout(noise, 0.5, SEED).numpy()).all()
    assert (cutout(noise, 0.5, SEED).numpy() != cutout(noise, 0.5, SEED + 1).numpy()).any()
