"""The bootstrap of all metrics at once, and whether its intervals hold what they say.

Expected: 1,000 resamples of 5,000 × 80 in less than 20 s; 95 % intervals hold the true value in 93 to 97 % of samples;
so do the paired ones of a difference between two models on the same images. Nearly all of its time is the simulation.
"""

import time
from collections.abc import Iterator, Mapping

import numpy as np
from comparison import Row, in_turn

from multilabel.evaluation import bootstrap
from multilabel.evaluation.all_metrics import evaluate
from multilabel.experiments.comparison.protocol import METRICS

N, L = 5_000, 80
RESAMPLES = 1_000  # as `evaluation.resamples` is by default


def simulated(n: int, frequency: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of the given frequencies, and scores that know them by 1.5 standard deviations."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n, len(frequency))) < frequency
    truth[~truth.any(axis=1), 0] = True
    return truth, (rng.normal(size=truth.shape) + 1.5 * truth - 0.7).astype(np.float32)


def two_models(n: int, frequency: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, and scores of two models that err alike in part: the second knows less."""
    truth, first = simulated(n, frequency, seed)
    own = np.random.default_rng([seed, 1]).normal(size=truth.shape)
    return truth, first, (first + 0.7 * own).astype(np.float32)


def coverage(images: int, trials: int, metrics: Mapping[str, str]) -> dict[str, list[float]]:
    """The share of samples in which 95 % intervals hold the true value, and those of differences, for each metric."""
    frequency = np.linspace(0.2, 0.5, 5)
    held = {heading: [0, 0] for heading in metrics}
    validations = [(part[0], scores) for part in [two_models(2000, frequency, 10**6)] for scores in part[1:]]
    whole = two_models(400_000, frequency, 10**6 + 1)
    true = [
        evaluate(whole[0], scores, k=2, validation=validation)
        for scores, validation in zip(whole[1:], validations, strict=True)
    ]
    for seed in range(trials):
        truth, *scores = two_models(images, frequency, seed)
        values, drawn = {}, {}
        for name, own, validation in zip("ab", scores, validations, strict=True):
            values[name] = evaluate(truth, own, k=2, validation=validation)
            drawn[name] = bootstrap.resample(truth, own, k=2, validation=validation, n=RESAMPLES, seed=trials + seed)
        table = bootstrap.paired(values, drawn, [("a", "b")], metrics).set_index("metric")
        for heading, metric in metrics.items():
            low, high = bootstrap.interval(drawn["a"][metric], values["a"][metric])
            held[heading][0] += low <= true[0][metric] <= high
            difference = true[0][metric] - true[1][metric]
            held[heading][1] += table.loc[heading, "low"] <= difference <= table.loc[heading, "high"]
    return {heading: [100 * number / trials for number in numbers] for heading, numbers in held.items()}


def rows(rounds: int = 3, trials: int = 1200) -> Iterator[Row]:
    """Time beside the limit and beside resamples that are evaluated one by one; coverage beside what is promised."""
    frequency = np.geomspace(0.14, 0.0015, L)
    frequency[0] = 0.54
    truth, scores = simulated(N, frequency, 0)
    taken = in_turn({"ours": lambda: bootstrap.resample(truth, scores, n=RESAMPLES)}, rounds, warm=False)["ours"]
    yield Row(
        f"{RESAMPLES:,} resamples, {N:,} × {L}, all metrics",
        "the 20 s they may take",
        taken,
        [20.0] * rounds,
        expected=1,
    )

    rng = np.random.default_rng(0)
    started = time.perf_counter()
    for _ in range(3):
        images = rng.integers(N, size=N)
        evaluate(truth[images], scores[images])
    one_by_one = (time.perf_counter() - started) / 3 * 1000
    yield Row("the same", "each resample evaluated (3, × 333)", [min(taken)], [one_by_one])

    every = {metric: metric for metric in bootstrap.resample(*simulated(10, frequency[:5], 0), n=1)}
    for images in (400, 1000):
        found = coverage(images, trials, every)
        for heading, metric in METRICS.items():
            for kind, share in zip(("", "paired differences of "), found[metric], strict=True):
                yield Row(f"coverage, {images:,} images: {kind}{heading}", "what is promised", [share], [95.0], "%")
        mean = float(np.mean(list(found.values())))
        yield Row(f"coverage, {images:,} images: mean of {len(every)} metrics", "what is promised", [mean], [95.0], "%")
