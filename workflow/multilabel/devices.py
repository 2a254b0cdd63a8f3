"""Which processors a job uses. Call `configure` before anything imports TensorFlow."""

import gc
import os
import platform
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def configure(threads: int, *, gpu: bool = True) -> None:
    """Fix TensorFlow's threads, make its operations deterministic, and let it see the GPU or not.

    TensorFlow reads its threads from the environment when it is imported (and ignores OMP_NUM_THREADS). They are part
    of a result: sums in another order differ in the last digits.
    """
    # What makes a job fail is raised in Python as well.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    # TensorFlow's default only on processors with AVX-512; on others training is a third as fast without.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

    with _without_noise():
        # Keras looks for these, for wrappers, plots and data frames that no job gives it: a third of the seconds that
        # its import takes. The collector finds nothing in modules, however often it looks through them.
        with _unfound("matplotlib", "pandas", "sklearn"), _without_collector():
            import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        cards = tf.config.list_physical_devices("GPU")
    if gpu:
        for card in cards:
            tf.config.experimental.set_memory_growth(card, True)
    else:
        tf.config.set_visible_devices([], "GPU")


def machine() -> dict[str, str]:
    """What computes here, as far as results may depend on it: system, processor, and the GPUs that TensorFlow sees."""
    import tensorflow as tf

    cards = [tf.config.experimental.get_device_details(card) for card in tf.config.get_visible_devices("GPU")]
    names = {"gpu": " + ".join(card.get("device_name", "GPU") for card in cards)} if cards else {}
    return {"system": f"{platform.system()} {platform.machine()}", "processor": _processor()} | names


def peak_memory() -> int:
    """The most memory that this process has had so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


@contextmanager
def _without_noise() -> Iterator[None]:
    """Keep from standard error what TensorFlow writes there before it reads its log level, unless there is an error."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        try:
            yield
        except BaseException:
            noise.seek(0)
            os.write(kept, noise.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def _unfound(*packages: str) -> Iterator[None]:
    """Let packages that are not imported yet look as if they were not installed."""
    hidden = [package for package in packages if package not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is how Python marks them
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]


@contextmanager
def _without_collector() -> Iterator[None]:
    """Let what is made meanwhile stay for good: the garbage collector neither runs nor looks at it later."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def _processor() -> str:
    """The model as the kernel names it; elsewhere what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown"
