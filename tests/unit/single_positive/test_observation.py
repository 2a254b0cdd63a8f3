import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilabel.datasets.labels import LabelMatrix
from multilabel.experiments.single_positive import observation

LABELS = (np.random.default_rng(0).random((40, 9)) < 0.3).astype(np.uint8)
LABELS[np.arange(40), np.arange(40) % 9] = 1


def matrix(labels, image_id):
    return LabelMatrix(image_id, [f"{number}.jpg" for number in image_id], [f"c{j}" for j in range(9)], labels)


def observed(labels=LABELS, image_id=None, classes=None):
    ids = np.arange(len(labels)) if image_id is None else np.asarray(image_id)
    return observation.Observed(
        ids, tuple(f"{i}.jpg" for i in ids), classes or tuple(f"c{j}" for j in range(9)), observation.draw(labels)
    )


def test_one_positive_is_observed_of_each_image_and_nothing_that_is_not_there():
    drawn = observation.draw(LABELS)

    assert (drawn.sum(axis=1) == 1).all()
    assert (LABELS[drawn == 1] == 1).all()


def test_more_labels_are_those_of_fewer_and_others_besides():
    one, two, everything = (observation.draw(LABELS, positives=number) for number in (1, 2, 9))

    assert (two >= one).all()
    assert (two.sum(axis=1) == np.minimum(LABELS.sum(axis=1), 2)).all()
    assert (everything == LABELS).all()


@given(share=st.floats(0.01, 0.99))
def test_a_share_leaves_at_least_one_label(share):
    drawn = observation.draw(LABELS, positives=share)

    there = LABELS.sum(axis=1)
    assert (drawn.sum(axis=1) == np.maximum(1, np.round(share * there))).all()


def test_negatives_do_not_move_the_positives():
    drawn = observation.draw(LABELS, negatives=1)

    assert ((drawn > 0) == (observation.draw(LABELS) > 0)).all()
    assert ((drawn < 0).sum(axis=1) == (LABELS == 0).any(axis=1)).all()
    assert (LABELS[drawn < 0] == 0).all()


def test_another_seed_draws_other_labels():
    assert (observation.draw(LABELS, seed=1) != observation.draw(LABELS, seed=2)).any()


@pytest.mark.parametrize("positives", [0, -1, 1.5])
def test_a_number_of_labels_that_cannot_be_is_named(positives):
    with pytest.raises(ValueError, match=str(positives)):
        observation.draw(LABELS, positives=positives)


def test_an_image_without_a_positive_label_is_named():
    labels = LABELS.copy()
    labels[[3, 7]] = 0

    with pytest.raises(ValueError, match=r"labels.h5: 2 image\(s\) have no positive label to observe, in rows 3, 7"):
        observation.draw(labels, name="labels.h5")


def test_images_are_ordered_by_their_ids_as_text_and_unlabelled_ones_are_left_out():
    labels = np.ones((4, 9), np.uint8)
    labels[2] = 0

    rows = observation.published_order(matrix(labels, [9, 10, 11, 100]))

    assert rows.tolist() == [1, 3, 0]


def test_the_parts_of_a_split_are_sorted_and_together_all_rows():
    train, validation = observation.split(41)

    assert (len(train), len(validation)) == (33, 8)
    assert sorted([*train, *validation]) == list(range(41))
    assert (np.diff(train) > 0).all()
    assert (np.diff(validation) > 0).all()


def test_a_split_with_an_empty_part_is_refused():
    with pytest.raises(ValueError, match="one of the parts would be empty"):
        observation.split(2)


def test_hidden_labels_do_not_reach_the_losses_of_single_positives():
    """Whatever the hidden labels are, these losses are given the same bytes."""
    drawn = observation.draw(LABELS, negatives=1)
    corrupt = np.where(drawn > 0, 1, 1 - LABELS)

    given = [observation.seen("positives", labels, drawn) for labels in (LABELS, corrupt)]

    assert given[0].tobytes() == given[1].tobytes()
    assert (given[0] == observation.draw(LABELS)).all()


def test_the_other_losses_see_what_their_definitions_name():
    drawn = observation.draw(LABELS, negatives=1)
    corrupt = np.where(drawn > 0, 1, 1 - LABELS)

    assert (observation.seen("everything", LABELS, drawn) == LABELS).all()
    assert (observation.seen("one_negative", corrupt, drawn) == drawn).all()
    iun = observation.seen("all_negatives", LABELS, drawn)
    assert ((iun < 0) == (LABELS == 0)).all()
    assert ((iun > 0) == (drawn > 0)).all()


def test_observed_labels_come_back_from_their_file(tmp_path):
    observed().save(tmp_path / "observed.h5")
    loaded = observation.Observed.load(tmp_path / "observed.h5")

    assert (loaded.labels == observed().labels).all()
    assert (loaded.image_id == observed().image_id).all()
    assert (loaded.file_name, loaded.classes) == (observed().file_name, observed().classes)


def test_observed_labels_of_another_dataset_are_refused():
    with pytest.raises(ValueError, match=r"seen\.h5: expected observed labels of the 2 classes of val\.h5, found 9"):
        observed().require(("a", "b"), name="seen.h5", other="val.h5")


def test_a_training_image_without_an_observed_positive_is_named():
    found = observed()
    found.labels[4] = 0

    with pytest.raises(ValueError, match=r"seen\.h5: expected a positive label of every training image.* of 1: 4"):
        found.require(found.classes, name="seen.h5", other="val.h5")


def test_estimates_of_other_images_are_refused(tmp_path):
    with h5py.File(tmp_path / "estimates.h5", "w") as file:
        file["image_id"], file["estimates"] = np.arange(3), np.zeros((3, 9), np.float32)

    assert observation.load_estimates(tmp_path / "estimates.h5", np.arange(3)).shape == (3, 9)
    with pytest.raises(ValueError, match=r"estimates\.h5: expected label estimates of the training images"):
        observation.load_estimates(tmp_path / "estimates.h5", np.arange(1, 4))


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "observed.h5").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"observed\.h5: expected an HDF5 file of observed labels"):
        observation.Observed.load(tmp_path / "observed.h5")
