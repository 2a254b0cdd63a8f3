import subprocess
import sys

import h5py
import numpy as np
import pytest

from multilabel.training import feature_files
from multilabel.training.feature_files import FeatureFile


@pytest.fixture
def numbered(tmp_path):
    """A file whose rows hold their own number, and a source of it that reads 100 rows at a time."""
    features = np.tile(np.arange(1000, dtype=np.float32)[:, None], (1, 5))
    with h5py.File(tmp_path / "features.h5", "w") as file:
        file["image_id"] = np.arange(1000) + 7
        file.create_dataset("features", data=features, chunks=(7, 5))
    memory_gb = 100 * features[0].nbytes * feature_files.WINDOWS / 1e9
    return FeatureFile(tmp_path / "features.h5", np.arange(1000), seed=1, memory_gb=memory_gb)


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 8 rows of `numbered`."""
    monkeypatch.setattr(feature_files, "BLOCK_BYTES", 8 * 20)


def visited(source, epoch, batch_size=32):
    return np.concatenate([chunk.x[chunk.order, 0] for chunk in source.chunks(epoch, batch_size)]).astype(int)


def test_every_row_is_visited_once_in_another_order_in_each_epoch(numbered, small_blocks):
    orders = [visited(numbered, epoch).tolist() for epoch in (0, 1)]
    assert orders[0] != orders[1]
    assert [sorted(order) for order in orders] == [list(range(1000))] * 2


def test_the_order_depends_on_seed_and_epoch_alone(numbered, small_blocks):
    assert (visited(numbered, 4) == visited(numbered, 4)).all()


def test_without_an_epoch_rows_are_visited_in_their_own_order(numbered):
    assert (visited(numbered, None) == np.arange(1000)).all()


@pytest.mark.parametrize("batch_size", [1, 7, 32, 100, 150])
def test_windows_hold_whole_batches_but_for_the_last(numbered, small_blocks, batch_size):
    *whole, last = [len(chunk.order) for chunk in numbered.chunks(0, batch_size)]
    assert {length % batch_size for length in whole} == {0}
    assert sum(whole) + last == 1000


def test_each_row_comes_with_its_own_label_and_place(numbered, small_blocks):
    for chunk in numbered.chunks(2, 32):
        assert (chunk.x[:, 0] == chunk.y).all()
        assert (chunk.rows == chunk.y).all()


def test_rows_of_far_places_meet_in_a_window(numbered, small_blocks):
    first = next(iter(numbered.chunks(0, 32)))
    assert np.ptp(first.y) > 500
    assert (np.abs(np.diff(first.y[first.order])) > 8).mean() > 0.8


def test_a_file_cut_short_is_named(numbered):
    numbered.path.write_bytes(numbered.path.read_bytes()[:10_000])
    with pytest.raises(ValueError, match=rf"^{numbered.path}: expected HDF5"):
        visited(numbered, 0)


def test_a_file_that_fits_is_held_in_memory_with_what_belongs_to_its_images(numbered):
    source, inputs = feature_files.source(numbered.path, lambda image_id: image_id - 7, 1, 1.0)
    (chunk,) = source.chunks(None, 32)
    assert inputs == 5
    assert (np.asarray(chunk.x) == np.arange(1000)[:, None]).all()
    assert (chunk.y == np.arange(1000)).all()


GENERATED = """
import resource, sys
from multilabel import devices
devices.configure(1, gpu=False)
import h5py, numpy as np
from multilabel.training import feature_files

source, inputs = feature_files.source(sys.argv[1], lambda image_id: image_id, 0, float(sys.argv[2]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
total = sum(float(np.asarray(chunk.x[:, 0], np.float64).sum()) for chunk in source.chunks(0, 64))
print(total, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def test_a_file_of_several_times_the_allowed_memory_is_read_within_it(tmp_path):
    path, rows, allowed = tmp_path / "features.h5", 40_000, 80_000_000
    with h5py.File(path, "w") as file:  # chunks that are not written take no disk, and read as ones
        file.create_dataset("features", (rows, 2000), np.float32, chunks=(128, 2000), fillvalue=1.0)
        file["image_id"] = np.arange(rows)
    done = subprocess.run(
        [sys.executable, "-c", GENERATED, path, str(allowed / 1e9)], capture_output=True, text=True, check=True
    )
    total, used = map(float, done.stdout.split())
    assert total == rows
    assert used < allowed < rows * 2000 * 4 / 3
