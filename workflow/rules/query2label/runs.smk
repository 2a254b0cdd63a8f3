# The runs of Query2Label and what is imported, and where they lie.


Q2L = f"{RESULTS}/query2label"
q2l_reported = reporter("query2label")
Q2L_KEYS = CONFIG.query2label
Q2L_RUNS = {kind: Q2L_KEYS.runs(kind) for kind in Q2L_KEYS.kinds}
Q2L_IMPORTED = {entry.name: entry for entry in Q2L_KEYS.checkpoints}
# What attention is shown of: the transformer with each seed, and what was imported.
Q2L_LOOKING = [*Q2L_RUNS.get("transformer", []), *Q2L_IMPORTED]
Q2L_SHOWN = [*Q2L_RUNS.get("transformer", [])[:1], *Q2L_IMPORTED]
Q2L_SPLITS = list(dict.fromkeys(["train", *EVALUATED]))
Q2L_MASKS = CONFIG.dataset.kind in ("coco", "shapes")


def q2l_annotations(split):
    """The file with the masks of a split's images."""
    return annotations_of("test" if split == TEST and not CONFIG.dataset.test.fraction else "train")
