# Paper 000, the main experiment: VGG16 transferred to many labels in two stages. The target is `transfer`.


include: "transfer/runs.smk"
include: "transfer/dataset.smk"
include: "transfer/top_models.smk"
include: "transfer/finetune.smk"
include: "transfer/evaluation.smk"
include: "transfer/beyond.smk"
include: "transfer/paper.smk"
include: "transfer/versions.smk"
