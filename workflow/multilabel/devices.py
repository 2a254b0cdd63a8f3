"""Which processors a job uses. Call `configure` before anything imports TensorFlow."""

import os


def configure(threads: int, *, gpu: bool = True) -> None:
    """Fix TensorFlow's threads, make its operations deterministic, and let it see the GPU or not.

    TensorFlow reads its threads from the environment when it is imported (and ignores OMP_NUM_THREADS). They are part
    of a result: sums in another order differ in the last digits.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"

    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    cards = tf.config.list_physical_devices("GPU")
    if gpu:
        for card in cards:
            tf.config.experimental.set_memory_growth(card, True)
    else:
        tf.config.set_visible_devices([], "GPU")
