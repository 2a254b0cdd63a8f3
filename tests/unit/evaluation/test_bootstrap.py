import numpy as np
import pytest

from multilabel import config
from multilabel.evaluation import all_metrics, bootstrap
from multilabel.evaluation.predictions import Predictions


def simulated(n, n_labels=4, seed=0, strength=1.5):
    """Labels of 20 to 50 % of the images, with scores that know them by `strength` standard deviations."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n, n_labels)) < np.linspace(0.2, 0.5, n_labels)
    truth[~truth.any(axis=1), 0] = True
    return truth, rng.normal(size=truth.shape) + strength * truth - 0.7


def images_drawn(n_images, n, seed):
    rng = np.random.default_rng(seed)
    return [rng.integers(n_images, size=n_images) for _ in range(n)]


@pytest.mark.parametrize("decimals", [6, 0], ids=["different scores", "many equal scores"])
def test_every_metric_is_what_evaluate_gives_for_the_images_drawn(decimals):
    truth, scores = simulated(50, 6)
    truth[:, 3] = False
    truth[0, 3] = True  # a class of one image is absent from many resamples
    scores = scores.round(decimals)
    found = bootstrap.resample(truth, scores, k=2, n=30, seed=4)
    for position, images in enumerate(images_drawn(50, 30, seed=4)):
        expected = all_metrics.evaluate(truth[images], scores[images], k=2, validation=(truth, scores))
        expected.pop("cardinality_threshold_tau")
        assert list(found) == list(expected)
        np.testing.assert_allclose([found[name][position] for name in found], list(expected.values()), atol=1e-12)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others():
    one, two, other = (bootstrap.resample(*simulated(40), n=20, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert not np.array_equal(one["mean_average_precision"], other["mean_average_precision"])


def test_blocks_of_resamples_do_not_change_the_numbers(monkeypatch):
    whole = bootstrap.resample(*simulated(40), n=20)
    monkeypatch.setattr(bootstrap, "BLOCK", 7)
    parts = bootstrap.resample(*simulated(40), n=20)
    for name in whole:
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-13)


@pytest.mark.parametrize(("n_images", "n"), [(0, 10), (10, 0)])
def test_no_images_or_no_resamples_are_an_error(n_images, n):
    with pytest.raises(ValueError, match=f"found {n_images} images and n = {n}"):
        bootstrap.resample(*simulated(n_images), n=n)


def test_intervals_hold_the_true_value_95_times_of_100():
    options = {"k": 2, "validation": simulated(1000, seed=10**6)}
    true = all_metrics.evaluate(*simulated(200_000, seed=10**6 + 1), **options)
    trials = 150
    held = dict.fromkeys(true, 0)
    for seed in range(trials):
        sample = simulated(400, seed=seed)
        values = all_metrics.evaluate(*sample, **options)
        frame = bootstrap.intervals(values, bootstrap.resample(*sample, n=300, seed=trials + seed, **options))
        for row in frame.itertuples():
            held[row.metric] += row.low <= true[row.metric] <= row.high
    # Interpolation raises precision in small samples, so its intervals lie too high by more than resampling can tell.
    counted = [count / trials for name, count in held.items() if not name.startswith("voc") and "tau" not in name]
    assert len(counted) == 66
    assert 0.93 <= np.mean(counted) <= 0.97


def test_an_interval_holds_the_middle_of_the_values():
    assert bootstrap.interval(np.arange(1001), 500) == pytest.approx((25, 975))
    assert bootstrap.interval(np.arange(1001), 500, level=0.5) == pytest.approx((250, 750))


def test_values_that_lie_above_the_estimate_move_the_interval_below_it():
    values = np.random.default_rng(0).normal(1, 1, size=100_000)  # one standard deviation too high
    assert bootstrap.interval(values, 0) == pytest.approx((-1 - 1.96, -1 + 1.96), abs=0.1)


def test_values_that_are_all_the_same_are_their_own_interval():
    assert bootstrap.interval([0.5] * 10, 0.5) == (0.5, 0.5)


def predictions_of(truth, scores, image_id=None):
    return Predictions(np.arange(len(truth)) if image_id is None else image_id, truth, scores)


def test_a_better_run_is_found_on_the_same_images():
    truth, weak = simulated(200)
    test = {"strong": predictions_of(truth, weak + truth), "weak": predictions_of(truth, weak)}
    runs = {name: (predictions, predictions) for name, predictions in test.items()}
    frame = bootstrap.comparisons(runs, [("strong", "weak"), ("weak", "strong"), ("weak", "weak")], k=2, n=200)
    mean_ap = frame[frame["metric"] == "mAP"].reset_index(drop=True)
    assert mean_ap.loc[0, "low"] > 0
    assert mean_ap.loc[0, "p"] == pytest.approx(2 / 201)
    assert mean_ap.loc[1, "difference"] == -mean_ap.loc[0, "difference"]
    assert mean_ap.loc[2, ["difference", "low", "high", "p"]].tolist() == [0, 0, 0, 1]


def test_pairs_are_narrower_than_runs_alone():
    truth, scores = simulated(200)
    test = {"a": predictions_of(truth, scores), "b": predictions_of(truth, scores + 0.01 * truth)}
    frame = bootstrap.comparisons({name: (p, p) for name, p in test.items()}, [("a", "b")], k=2, n=200)
    alone = bootstrap.resample(truth, scores, k=2, n=200)["mean_average_precision"]
    assert frame.loc[0, "high"] - frame.loc[0, "low"] < 0.2 * np.ptp(alone)


def test_runs_on_other_images_are_not_compared():
    truth, scores = simulated(20)
    runs = {name: (predictions_of(truth, scores, ids),) * 2 for name, ids in [("a", range(20)), ("b", range(1, 21))]}
    with pytest.raises(ValueError, match="found others: a, b"):
        bootstrap.comparisons(runs, [("a", "b")], k=2, n=100)


def test_runs_to_compare_come_from_patterns():
    found = config.load({"evaluation": {"compare": ["zmuvs_avg_2x{4096,2048,1024}d5_lr11_b128"]}}).comparisons
    assert [(first.nodes, second.nodes) for first, second in found] == [(4096, 2048), (4096, 1024)]


def test_a_run_to_compare_that_is_not_trained_is_an_error():
    with pytest.raises(config.ConfigError, match=r"evaluation\.compare: .* found zmuvs_avg_2x7d5_lr11_b128"):
        config.load({"evaluation": {"compare": ["zmuvs_avg_2x{4096,7}d5_lr11_b128"]}})
