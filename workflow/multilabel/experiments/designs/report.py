"""All tables and figures of the experiment, from what its runs left."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from multilabel.datasets.labels import LabelMatrix
from multilabel.evaluation import bootstrap, decisions, metrics, predictions
from multilabel.experiments.designs import figures, names, tables
from multilabel.experiments.designs.tables import Evaluated
from multilabel.files import complete_or_absent
from multilabel.report import verdicts
from multilabel.report.figures import save
from multilabel.report.tables import write_table


class Results(NamedTuple):
    """What the report is made from: labels by split (train, val, test), and predictions of the runs on images."""

    labels: Mapping[str, LabelMatrix]
    models: Mapping[str, Evaluated]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.labels["train"].classes

    @property
    def training_counts(self) -> np.ndarray:
        """Training images with each class, L."""
        return self.labels["train"].labels.sum(axis=0, dtype=int)

    @property
    def designs(self) -> dict[str, Evaluated]:
        """The three designs."""
        return {name: self.models[name] for name in names.DESIGNS}

    @property
    def losses(self) -> dict[str, Evaluated]:
        """Model 3 by loss."""
        return {names.loss_of(name): found for name, found in self.models.items() if name.startswith(names.MODEL_3)}


def evaluated(folder: str | Path, run: str, label_files: Mapping[str, str]) -> Evaluated:
    """A run's predictions, `{folder}/{run}/{split}.h5`, with the labels of their images."""
    return Evaluated(
        *(
            predictions.load_with_truth(Path(folder, run, f"{split}.h5"), label_files[split])
            for split in ("test", "val")
        )
    )


def seconds_of(timings: Mapping[str, Sequence[str | Path]]) -> dict[str, float]:
    """Seconds of training by design, from the files of its networks: as one after the other takes."""
    return {
        design: float(sum(pd.read_csv(path)["seconds"].sum() for path in paths)) for design, paths in timings.items()
    }


def write_quality(
    results: Results,
    features: Mapping[str, Sequence[Evaluated]],
    stems: Mapping[str, str | Path],
    ablation_file: str | Path,
    *,
    dataset: str,
    resamples: int,
    seed: int,
) -> None:
    """Write the tables and figures that say how good runs are: the same runs, the same bytes.

    Args:
        results: see there.
        features: output → the runs of its seeds on features.
        stems: name → path without ending, of the tables `classes`, `ablation`, `outputs`, and the figures `scores`,
            `rare`.
        ablation_file: where the ablation's numbers go, for `write_costs`.
        dataset: its name.
        resamples: of the bootstrap.
        seed: of its draws.
    """
    by_class = tables.per_class(results.designs, results.classes)
    caption = f"Each class of {dataset} with each design, decided at 0.5, on test images."
    write_table(by_class, stems["classes"], caption, shown=_wide(by_class))

    by_loss, rare = results.losses, tables.rare_classes(results.training_counts)
    ablation = tables.ablation(by_loss, rare, against=names.PLAIN, n=resamples, seed=seed)
    with complete_or_absent(ablation_file) as temporary:
        ablation.to_csv(temporary, index=False)
    titles = {name: loss.title for name, loss in names.LOSSES.items()}
    named = ", ".join(np.asarray(results.classes)[rare])
    write_table(
        ablation,
        stems["ablation"],
        f"Model 3 on {dataset} with other losses: metric on test images [95 % interval] and difference from the first "
        f"row; * above 0 and † below by its interval. Rare classes: {named}. Thresholds for macro F1 are those of each "
        "class from validation images, where not 0.5.",
        shown=tables.ablation_as_read(ablation, titles),
    )
    save(figures.ablation(ablation, titles, [loss for loss in by_loss if loss != names.PLAIN]), stems["rare"])

    on_images = {name: by_loss[name] for name in names.OUTPUTS if name in by_loss}
    table = tables.outputs(
        [
            *(("bottleneck features", output, found) for output, found in features.items()),
            *(("Model 3", output, [found]) for output, found in on_images.items()),
            ("Model 3", names.PER_LABEL, [results.models[names.MODEL_1]]),
        ]
    )
    write_table(
        table,
        stems["outputs"],
        f"The forum's question on {dataset}: one network with different outputs and losses, and one network per label "
        "(on images, Model 1). Mean ± standard deviation over seeds; macro F1 with each class's threshold from "
        "validation images, where not 0.5.",
        shown=tables.outputs_as_read(table),
        group="network",
    )
    save(figures.scores_by_labels({name: found.test for name, found in on_images.items()}), stems["scores"])


def write_costs(
    results: Results,
    costs: Mapping[str, Mapping[str, float]],
    seconds: Mapping[str, float],
    log: pd.DataFrame,
    ablation: pd.DataFrame,
    stems: Mapping[str, str | Path],
    *,
    dataset: str,
    resamples: int,
    seed: int,
    comparable: bool,
) -> None:
    """Write what also says what was measured, which differs from machine to machine and from time to time.

    Args:
        results: see there.
        costs: design → what `measuring.cost` found.
        seconds: design → seconds of training.
        log: of Model 3.
        ablation: see `tables.ablation`.
        stems: name → path without ending, of the tables `comparison`, `reproduction`, and the figure `cost`.
        dataset: its name.
        resamples: of the bootstrap.
        seed: of its draws.
        comparable: whether dataset, networks and training are the tutorial's.
    """
    designs, classes = results.designs, results.classes
    compared = tables.comparison(designs, classes, costs, seconds)
    write_table(
        compared,
        stems["comparison"],
        f"The three designs on {dataset}, as Section 7.1 of the tutorial compares them, measured on this machine. "
        "Training time is that of all networks, one after the other; accuracy is the share of test images that are "
        "decided right; memory is what the peak of a process grows by when the networks are loaded and used.",
        shown=compared.map(_as_read),
    )

    mean_ap = {}
    for name, found in designs.items():
        value = metrics.mean_average_precision(found.test.truth, found.test.scores)
        drawn = bootstrap.resample(found.test.truth, found.test.scores, k=1, n=resamples, seed=seed)
        mean_ap[name] = (value, *bootstrap.interval(drawn["mean_average_precision"], value))
    test, images = designs[names.MODEL_3].test, len(results.labels["train"])
    known = tables.frequencies(results.training_counts, images, test)
    baseline = metrics.mean_average_precision(known.truth, known.scores)
    save(figures.quality_and_cost(mean_ap, costs, seconds, baseline), stems["cost"])

    validation = designs[names.MODEL_3].validation
    everything = np.concatenate([results.labels[split].labels for split in ("train", "val")])
    from multilabel.experiments.designs import reproduction  # TensorFlow's three seconds, for this table alone

    rows = reproduction.page(
        dict(zip(classes, everything.sum(axis=0, dtype=int).tolist(), strict=True)),
        len(everything),
        by_class=tables.per_class(designs, classes),
        costs=costs,
        seconds=seconds,
        mean_ap={name: value for name, (value, *_) in mean_ap.items()},
        log=log,
        thresholds=decisions.cardinality_thresholds(validation.scores, validation.truth).tolist(),
        ablation=ablation,
        comparable=comparable,
    )
    write_table(
        pd.DataFrame(rows),
        stems["reproduction"],
        f"The tutorial against {dataset}. {verdicts.counted(rows)}",
        shown=pd.DataFrame(verdicts.as_text(rows)),
    )


def _wide(by_class: pd.DataFrame) -> pd.DataFrame:
    """A row per class, for each design accuracy, recall and average precision."""
    values = ["accuracy", "recall", "average precision"]
    wanted = [(name, design) for name in values for design in names.DESIGNS]
    found = by_class.pivot_table(index=["class", "images"], columns="design", values=values, sort=False)
    shown = {f"{name}, {tables.TITLES[design]}": found[name, design] for name, design in wanted}
    return pd.DataFrame(shown).reset_index()


def _as_read(value: float) -> str:
    """A number with as many digits as it needs."""
    if value >= 1000 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}"
