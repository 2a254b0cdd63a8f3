"""Datasets that are too large for linear classifiers whose features all lie in memory."""


def require_memory(shape: tuple[int, int], largest_gb: float) -> None:
    """Check that the features of the training images, N×D float64, are small enough.

    Training needs about four times as much.

    Raises:
        ValueError: they take more than `largest_gb`; the message says what to do.

    >>> require_memory((3600, 800), largest_gb=4.0)
    """
    images, features = shape
    size = 8 * images * features / 1e9
    if size > largest_gb:
        raise ValueError(
            f"miml.largest_gb: {images:,} training images with {features:,} features take {size:.1f} GB, expected at "
            f"most {largest_gb:g} GB; raise it, or leave l1 and l2 out of comparison.methods"
        )
