"""Write the scores of the base network's own classifier, which was trained on one label per image."""

from pathlib import Path

from multilabel import devices, logs

with logs.logged(snakemake.log[0]):
    devices.configure(snakemake.params.threads, gpu=snakemake.resources.gpu > 0)
    from multilabel import files
    from multilabel.datasets import shapes
    from multilabel.datasets.labels import LabelMatrix
    from multilabel.evaluation import predictions
    from multilabel.experiments.transfer import single_label
    from multilabel.images import decode
    from multilabel.networks import backbones, pretraining

    i, p = snakemake.input, snakemake.params
    labels = LabelMatrix.load(i.labels)
    if p.pretrained:
        classifier = pretraining.classifier(backbones.build(**p.base), len(shapes.SHAPES))
        backbones.load_weights(classifier, Path(i.weights))
        outputs = {name: [index] for index, name in enumerate(shapes.SHAPES) if name in labels.classes}
        preprocess = pretraining.PREPROCESS
    else:
        classifier = backbones.build(**p.base, weights=i.weights, top=True)
        outputs, preprocess = single_label.counterparts(labels.classes), "caffe"
    image_id, scores = single_label.predict(
        classifier,
        labels,
        i.images,
        outputs,
        preprocess=preprocess,
        reading={**p.reading, **decode.reading(snakemake.config)},
    )
    predictions.save(snakemake.output.scores, image_id, scores)
    files.write_json(snakemake.output.counterparts, outputs)
