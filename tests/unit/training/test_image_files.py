import numpy as np
import pytest
from PIL import Image

from multilabel.images.decode import decode
from multilabel.training import image_files
from multilabel.training.image_files import ImageFiles

READING = {"workers": 2, "damaged": "stop"}


@pytest.fixture
def files(tmp_path):
    """More images than a chunk of batches holds, by reading some several times, labelled by their place."""
    rng = np.random.default_rng(0)
    for number in range(10):
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(tmp_path / f"{number}.png")
    paths = [tmp_path / f"{place % 10}.png" for place in range(40)]
    return ImageFiles(paths, np.arange(40), (32, 32), seed=1, **READING)


def visited(chunks):
    return np.concatenate([chunk.y[chunk.order] for chunk in chunks])


def test_every_image_is_visited_once_in_another_order_in_each_epoch(files):
    orders = [visited(files.chunks(epoch, 2)).tolist() for epoch in (0, 1)]
    assert orders[0] != orders[1]
    assert [sorted(order) for order in orders] == [list(range(40))] * 2


def test_without_an_epoch_images_are_visited_in_their_own_order(files):
    assert visited(files.chunks(None, 2)).tolist() == list(range(40))


def test_chunks_hold_whole_batches_but_for_the_last(files):
    assert [len(chunk.order) for chunk in files.chunks(0, 2)] == [16, 16, 8]


def test_each_image_comes_with_its_own_label(files):
    for chunk in files.chunks(5, 2):
        for pixels, place in zip(chunk.x, chunk.y, strict=True):
            assert (pixels == decode(files.paths[place], (32, 32))).all()


def test_skipped_images_leave_the_others_with_their_labels(files, tmp_path):
    paths = [tmp_path / "none.png" if place in (3, 20) else path for place, path in enumerate(files.paths)]
    source = ImageFiles(paths, np.arange(40), (32, 32), seed=1, workers=2, damaged="skip")
    assert visited(source.chunks(None, 2)).tolist() == [place for place in range(40) if place not in (3, 20)]
    for epoch in range(3):
        assert [len(chunk.order) for chunk in source.chunks(epoch, 2)] == [16, 16, 6]


def test_images_that_are_all_damaged_are_an_error_when_they_are_skipped(tmp_path):
    source = ImageFiles([tmp_path / "none.png"], np.zeros(1), (32, 32), seed=1, workers=2, damaged="skip")
    with pytest.raises(ValueError, match=rf"^{tmp_path}: expected at least one readable image of 1, found none"):
        visited(source.chunks(0, 2))


@pytest.mark.parametrize("memory_gb", [0.0, 1.0])
def test_samples_know_their_places_among_all_images_also_where_some_are_skipped(files, memory_gb):
    paths = [path.with_name("none.png") if place in (3, 20) else path for place, path in enumerate(files.paths)]
    options = {"seed": 1, "memory_gb": memory_gb, "reading": {"workers": 2, "damaged": "skip"}}
    found = image_files.source(paths, np.arange(40), (32, 32), **options)
    for chunk in found.chunks(0, 2):
        assert (chunk.rows == np.asarray(chunk.y)).all()
