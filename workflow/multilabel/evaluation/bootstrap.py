"""Bootstrap over the images: intervals of every metric of a run, and of its difference from another run.

The images of the split are drawn with replacement, as many as there are, and every metric is computed on each such
resample. Models and thresholds are taken as they are: the intervals tell how much a number would vary with other test
images, not with another training. Resamples are not built: each is a vector of how often it holds every image, and all
metrics follow from sums weighted by these counts, for many resamples at once.

On simulated scores for 400 and 1,000 images, the 95 % intervals of the comparison's nine metrics, and those of paired
differences between two models, held the true value in 93.5 to 95.9 % of 1,200 samples, with one exception: differences
of one-error in 92.7 % of those samples, in 94.8 % of 4,000 others (tests/benchmarks/bench_bootstrap.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.stats import norm
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from multilabel import arrays
from multilabel.evaluation import all_metrics, metrics
from multilabel.evaluation.headings import MAIN_METRICS
from multilabel.evaluation.predictions import Predictions

Floats = NDArray[np.float64]
BLOCK = 250  # resamples that are computed together: more need more memory and are not faster


def resample(
    truth: ArrayLike,
    scores: ArrayLike,
    *,
    k: int = 3,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    n: int = 1000,
    seed: int = 0,
) -> dict[str, Floats]:
    """Every metric of `all_metrics.evaluate` on `n` resamples of the images; thresholds are those of all images.

    Each value is what `evaluate` gives for the images of the resample. The same seed draws the same images whatever the
    scores, so values of two runs on the same images are pairs.

    Args:
        truth: N×L, 0 or 1; what is masked counts neither way.
        scores: N×L.
        k: labels per image of the decision `top_k`.
        validation: truth and scores, M×L, on which the thresholds are chosen; None: on the arrays themselves.
        n: resamples.
        seed: of the draws.

    Returns:
        Metric → n values. Thresholds are no metrics, so they are not among them.

    Raises:
        ValueError: there are no images, `n` is below 1, or what `evaluate` raises.
    """
    y, h = arrays.truth_and_scores(truth, scores)
    if not len(y) or n < 1:
        raise ValueError(f"bootstrap: expected images and resamples, found {len(y)} images and n = {n}")
    decided = all_metrics.decided(truth, scores, k=k, validation=validation)
    per_image = _per_image(truth, scores, decided)
    pairs = _labels_that_count(truth)
    ranking = _class_ranking(y, h)
    counts = {name: z.astype(np.float64) for name, z in decided.items()}
    both = {name: (y & z.astype(bool)).astype(np.float64) for name, z in decided.items()}
    true = y.astype(np.float64)

    blocks: list[dict[str, Floats]] = []
    with threadpool_limits(limits=1, user_api="blas"):  # the number of threads changes the last digits
        for drawn in _drawn(len(y), n, seed):
            means = drawn @ per_image.to_numpy() / len(y)
            block = dict(zip(per_image.columns, means.T, strict=True)) | _average_precision(ranking, drawn.T)
            if pairs is not None:  # Hamming loss is a mean over pairs, of which images then have different numbers
                block |= {
                    f"{name}_hamming_loss": block[f"{name}_hamming_loss"] / (drawn @ pairs / len(y)) for name in decided
                }
            true_of_class = drawn @ true
            for name in decided:
                sums = (drawn @ both[name], true_of_class, drawn @ counts[name])
                block |= {f"{name}_{metric}": values for metric, values in _shares(*sums).items()}
            blocks.append(block)
    together = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    names = [name for name in all_metrics.evaluate(truth, scores, k=k, validation=validation) if name in together]
    return {name: together[name] for name in names}


def interval(values: ArrayLike, estimate: float, level: float = 0.95) -> tuple[float, float]:
    """The bias-corrected percentile interval of Efron (1981).

    Where as many resampled values lie below the estimate as above it, these are the usual percentiles. Where more lie
    above, as with interpolated average precision, which resampling raises, they are moved down by as much again.

    Args:
        values: the metric on the resamples.
        estimate: the metric on all images.
        level: the share of such intervals that are to hold the metric of the images' source.

    >>> interval(range(101), estimate=50)
    (2.5, 97.5)
    """
    values = np.asarray(values, dtype=np.float64)
    below = (np.sum(values < estimate) + np.sum(values <= estimate)) / (2 * len(values))
    edge = 0.5 / len(values)  # all values on one side: as far as their number lets one see
    bias = norm.ppf(np.clip(below, edge, 1 - edge))
    shares = norm.cdf(2 * bias + norm.ppf([(1 - level) / 2, (1 + level) / 2]))
    low, high = np.quantile(values, shares)
    return float(low), float(high)


def intervals(values: Mapping[str, float], resampled: Mapping[str, Floats], level: float = 0.95) -> pd.DataFrame:
    """A row per metric: metric, value, low, high.

    Args:
        values: metric → its value on all images.
        resampled: metric → its values on the resamples, from `resample`.
        level: share of the resamples that the interval holds.
    """
    rows = [(name, float(values[name]), *interval(resampled[name], values[name], level)) for name in resampled]
    return pd.DataFrame(rows, columns=["metric", "value", "low", "high"])


def comparisons(
    runs: Mapping[str, tuple[Predictions, Predictions]],
    pairs: Iterable[tuple[str, str]],
    *,
    k: int = 3,
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """The paired bootstrap, which asks whether one run is better than another on the same images.

    Args:
        runs: run → what it predicts for the test images, and for those on which its thresholds are chosen.
        pairs: which runs are compared.
        k: labels per image of the decision `top_k`.
        n: resamples, the same for all runs.
        seed: of the draws.
        level: of the intervals.

    Returns:
        A row per pair and main metric: run, against, metric, then the values of the two, their difference, its interval
        (low, high), and p: twice the share of resamples in which the difference has not the sign that it has more
        often, at least 2 / (n + 1).

    Raises:
        ValueError: two runs that are compared have not the same test images; the message names them.
    """
    pairs = list(pairs)
    values, resampled = {}, {}
    for run in dict.fromkeys(run for pair in pairs for run in pair):
        test, validation = runs[run]
        chosen_on = (validation.truth, validation.scores)
        values[run] = all_metrics.evaluate(test.truth, test.scores, k=k, validation=chosen_on)
        resampled[run] = resample(test.truth, test.scores, k=k, validation=chosen_on, n=n, seed=seed)
    for a, b in pairs:
        if not np.array_equal(runs[a][0].image_id, runs[b][0].image_id):
            raise ValueError(f"expected predictions for the same images in the same order, found others: {a}, {b}")
    return paired(values, resampled, pairs, MAIN_METRICS, level=level)


def paired(
    values: Mapping[str, Mapping[str, float]],
    resampled: Mapping[str, Mapping[str, Floats]],
    pairs: Iterable[tuple[str, str]],
    metrics_: Mapping[str, str],
    *,
    level: float = 0.95,
) -> pd.DataFrame:
    """The same of runs that were evaluated and resampled before, on the same images with the same seed.

    Args:
        values: run → metric → its value on all images.
        resampled: run → metric → its values on the resamples.
        pairs: which runs are compared.
        metrics_: what the table calls a metric → its name.
        level: of the intervals.

    Returns:
        As `comparisons`.
    """
    rows = []
    for a, b in pairs:
        for heading, metric in metrics_.items():
            difference, drawn = values[a][metric] - values[b][metric], resampled[a][metric] - resampled[b][metric]
            contrary = 1 + min(np.sum(drawn <= 0), np.sum(drawn >= 0))
            p = min(1.0, float(2 * contrary / (len(drawn) + 1)))
            low, high = interval(drawn, difference, level)
            rows.append((a, b, heading, values[a][metric], values[b][metric], difference, low, high, p))
    return pd.DataFrame(rows, columns=["run", "against", "metric", "first", "second", "difference", "low", "high", "p"])


def holm(p: ArrayLike) -> Floats:
    """P-values of several comparisons, adjusted by Holm (1979): the risk of any error among those below α is α at most.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, np.float64)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def _drawn(n_images: int, n: int, seed: int) -> Iterator[Floats]:
    """How often each resample holds each image, in blocks of at most BLOCK×N."""
    rng = np.random.default_rng(seed)
    for start in range(0, n, BLOCK):
        rows = [
            np.bincount(rng.integers(n_images, size=n_images), minlength=n_images) for _ in range(min(BLOCK, n - start))
        ]
        yield np.array(rows, dtype=np.float64)


def _per_image(truth: ArrayLike, scores: ArrayLike, decided: Mapping[str, NDArray[np.uint8]]) -> pd.DataFrame:
    """The metrics that are means over the images: N rows. With masked pairs, Hamming loss is how many are wrong."""
    y, _ = arrays.truth_and_scores(truth, scores)
    columns = {
        "label_cardinality": y.sum(axis=1),
        "image_average_precision": metrics.average_precision_per_image(truth, scores),
        "coverage": metrics.coverage_per_image(truth, scores),
        "one_error": metrics.one_error_per_image(truth, scores),
        "ranking_loss": metrics.ranking_loss_per_image(truth, scores),
    }
    true = y.sum(axis=1)
    for name, predicted in decided.items():
        z = predicted.astype(bool)
        both, positive, wrong = (y & z).sum(axis=1), z.sum(axis=1), (y != z)
        columns |= {
            f"{name}_instance_precision": _ratio(both, positive),
            f"{name}_instance_recall": _ratio(both, true),
            f"{name}_instance_f1": _ratio(2 * both, true + positive),
            f"{name}_jaccard": _ratio(both, true + positive - both),
            f"{name}_subset_zero_one_loss": wrong.any(axis=1),
            f"{name}_hamming_loss": wrong.mean(axis=1) if arrays.counted(truth) is None else wrong.sum(axis=1),
        }
    return pd.DataFrame(columns).astype(np.float64)


def _labels_that_count(truth: ArrayLike) -> Floats | None:
    """How many labels of each image are not masked, N; None where none is."""
    counted = arrays.counted(truth)
    return None if counted is None else counted.sum(axis=1).astype(np.float64)


def _shares(both: Floats, true: Floats, positive: Floats) -> dict[str, Floats]:
    """Macro and micro precision, recall and F1 from counts per resample and class, B×L."""
    shares: dict[str, Floats] = {}
    for average in set(get_args(metrics.Average)) - {"instance"}:
        b, t, p = (x if average == "macro" else x.sum(axis=1, keepdims=True) for x in (both, true, positive))
        of_average = {"precision": _ratio(b, p), "recall": _ratio(b, t), "f1": _ratio(2 * b, t + p)}
        shares |= {f"{average}_{name}": values.mean(axis=1) for name, values in of_average.items()}
    return shares


class _ClassRanking(NamedTuple):
    """The images of each class in steps of equal scores, from the highest: S steps of all classes, one after another.

    Only steps that hold a true image count; an image between two of them belongs to the lower.
    """

    all: sparse.csr_array  # S×N, which images a step holds
    true: sparse.csr_array  # S×N, which true ones
    end: NDArray[np.intp]  # L + 1, where the classes' steps begin and end


def _class_ranking(y: NDArray[np.bool_], h: NDArray[Any]) -> _ClassRanking:
    rows: dict[bool, list[NDArray[Any]]] = {False: [], True: []}
    images: dict[bool, list[NDArray[Any]]] = {False: [], True: []}
    end = [0]
    for truth, scores in zip(y.T, h.T, strict=True):
        levels = -np.unique(-scores[truth])
        step = np.searchsorted(-levels, -scores)  # the first level that is not above the score
        for only_true, held in ((False, step < len(levels)), (True, truth)):
            rows[only_true].append(end[-1] + step[held])
            images[only_true].append(np.flatnonzero(held))
        end.append(end[-1] + len(levels))

    def members(only_true: bool) -> sparse.csr_array:
        place = (np.concatenate(rows[only_true]), np.concatenate(images[only_true]))
        return sparse.csr_array((np.ones(len(place[0])), place), shape=(end[-1], len(y)))

    return _ClassRanking(members(False), members(True), np.array(end))


def _average_precision(ranking: _ClassRanking, drawn: Floats) -> dict[str, Floats]:
    """The three means of average precision over the classes, for images N×B drawn so often."""
    names = (
        "mean_average_precision",
        "voc_mean_average_precision",
        "voc_mean_average_precision_eleven_points",
    )
    sums = np.zeros((3, drawn.shape[1]))
    drawn = np.ascontiguousarray(drawn)
    in_step, true_in_step = ranking.all @ drawn, ranking.true @ drawn
    for start, stop in zip(ranking.end[:-1], ranking.end[1:], strict=True):
        if start == stop:
            continue  # a class without images counts 0
        true = true_in_step[start:stop]
        found = np.cumsum(true, axis=0)
        precision = _ratio(found, np.cumsum(in_step[start:stop], axis=0))
        best = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
        size = found[-1]
        sums[0] += _ratio((true * precision).sum(axis=0), size)
        sums[1] += _ratio((true * best).sum(axis=0), size)
        for tenth in range(11):
            # The step of the highest score at which the recall is reached; whole numbers, so nothing is rounded.
            reached = np.argmax(10 * found >= tenth * size, axis=0)
            sums[2] += np.where(size > 0, np.take_along_axis(best, reached[np.newaxis], axis=0)[0], 0) / 11
    return dict(zip(names, sums / (len(ranking.end) - 1), strict=True))


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> Floats:
    """The quotient, 0 where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator != 0)
