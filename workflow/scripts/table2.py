"""Write Table 2: the final model beside published results."""

from pathlib import Path

from multilabel import decisions, files, logs, predictions, tables

with logs.logged(snakemake.log[0]):
    p = snakemake.params
    run = files.read_json(snakemake.input.final)["run"]
    results = Path(snakemake.input.final).parent
    scores, labels = results / "predictions" / run, results / "labels"
    test = predictions.load_with_truth(scores / f"{p.test}.h5", labels / f"{p.test}.h5")
    augmented = predictions.load_with_truth(scores / f"{p.test}_augmented.h5", labels / f"{p.test}.h5")
    validation = predictions.load_with_truth(scores / "val.h5", labels / "val.h5")
    frame = tables.table2(
        test.truth,
        test.scores,
        augmented.scores,
        k=p.k,
        tau=decisions.cardinality_threshold(validation.scores, validation.truth),
        dataset=p.dataset,
        run=run,
        n_random=p.ties,
        seed=p.seed,
    )
    caption = tables.table2_caption(p.dataset, p.test, k=p.k, model_from="val", tau_from="val")
    tables.write_table(frame, Path(snakemake.output[0]).with_suffix(""), caption, digits=1, group="group")
