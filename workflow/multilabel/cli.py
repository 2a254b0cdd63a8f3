"""The command `multilabel`: label images with a trained model, describe, export and import model files."""

import argparse
import csv
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from multilabel import __version__
from multilabel.experiments import EXPERIMENTS

# Everything else is imported where it is needed: help and errors come at once.
if TYPE_CHECKING:
    import numpy as np

    from multilabel.export import Model

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""Files of a folder that are taken for images."""
IMPORTERS = [
    name for name in EXPERIMENTS if Path(__file__).with_name("experiments").joinpath(name, "importing.py").exists()
]
"""Experiments that make model files of what others released; they have a module `importing`."""
SHOWN = 5
"""Labels of an image that the table shows at least."""

EPILOG = """\
examples:
  multilabel predict results/coco_2017/model/coco_2017.h5 photo.jpg
  multilabel predict model.h5 photos/ --format csv > labels.csv
  find photos -name '*.jpg' | multilabel predict model.h5 - --format json --top 3
  multilabel import checkpoint.pkl --config config_new.json model.h5

exit status:
  0 all is done, 1 some images could not be read, 2 nothing could be done: no image could be read, or no model
"""


class Prediction(NamedTuple):
    """A label of an image: its rank by score, and whether the score reaches the threshold of its class."""

    rank: int
    label: str
    score: float
    threshold: float
    predicted: bool


Results = Iterable[tuple[Path, list[Prediction]]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except BrokenPipeError:  # who reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except (OSError, ValueError) as error:
        _report(error)
        return 2


def predict(options: argparse.Namespace) -> int:
    """Print the ranked labels of images; what cannot be read is reported and left out.

    The exit status is 0, 1 where some images could not be read, 2 where none could.
    """
    from multilabel import export

    model, paths = export.load(options.model), list(_image_files(options.images))
    if not paths:
        raise ValueError(f"expected images, found none in {', '.join(options.images)}")
    bad: list[tuple[Path, str]] = []
    WRITERS[options.format](_results(model, paths, options, bad), sys.stdout, options.top)
    for path, reason in bad:
        _report(f"{path}: {reason}")
    if bad:
        _report(f"{len(bad)} of {len(paths)} image(s) could not be read")
    return 2 if len(bad) == len(paths) else 1 if bad else 0


def describe(options: argparse.Namespace) -> int:
    """Print what a model file says of itself."""
    from multilabel import export

    print(export.describe(options.model))
    return 0


def export_model(options: argparse.Namespace) -> int:
    """Write a model as SavedModel."""
    from multilabel import devices, export

    model = export.load(options.model)
    with _quiet():
        devices.configure(options.threads)
    difference = export.save_tensorflow(model, options.folder)
    print(f"{options.folder}: SavedModel of {model.run}; its scores differ from the model's by {difference:.1e}")
    return 0


def import_model(options: argparse.Namespace) -> int:
    """Write a model file of what others released."""
    from multilabel import devices

    if Path(options.model).exists():
        raise ValueError(f"{options.model}: expected a file that does not exist yet")
    classes = None
    if options.classes:
        classes = [line.strip() for line in Path(options.classes).read_text(encoding="utf-8").splitlines()]
        classes = [name for name in classes if name]
    with _quiet():
        devices.configure(len(os.sched_getaffinity(0)), gpu=False)
    importlib.import_module(f"multilabel.experiments.{options.kind}.importing").import_model(
        options.checkpoint, options.config, options.model, classes=classes
    )
    print(f"{options.model}: model file of {options.checkpoint}")
    return 0


def write_table(results: Results, out: TextIO, top: int | None) -> None:
    """For people: by default the first labels of each image and all that are predicted, these with a mark."""
    for number, (path, predictions) in enumerate(results):
        last = max([SHOWN, *(p.rank for p in predictions if p.predicted)]) if top is None else top
        width = max(len("label"), *(len(p.label) for p in predictions))
        print("\n" * bool(number) + str(path), file=out)
        print(f"  rank  {'label':{width}}  score  threshold", file=out)
        for p in predictions[:last]:
            line = f"{p.rank:6}  {p.label:{width}}  {p.score:.3f}  {p.threshold:9.3f}"
            print(f"{line}  predicted" if p.predicted else line, file=out)
        out.flush()


def write_csv(results: Results, out: TextIO, top: int | None) -> None:
    """One row per image and label."""
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["image", *Prediction._fields])
    for path, predictions in results:
        rows.writerows([path, *p[:-1], int(p.predicted)] for p in predictions[:top])
        out.flush()


def write_json(results: Results, out: TextIO, top: int | None) -> None:
    """A list with one object per image, each on a line of its own."""
    out.write("[")
    for number, (path, predictions) in enumerate(results):
        content = {"image": str(path), "labels": [p._asdict() for p in predictions[:top]]}
        out.write((",\n" if number else "\n") + json.dumps(content))
        out.flush()
    out.write("\n]\n")


WRITERS: dict[str, Callable[[Results, TextIO, int | None], None]] = {
    "table": write_table,
    "json": write_json,
    "csv": write_csv,
}


def _results(
    model: "Model", paths: Sequence[Path], options: argparse.Namespace, bad: list[tuple[Path, str]]
) -> Iterator[tuple[Path, list[Prediction]]]:
    """Each image with its labels, in the order of `paths`; `bad` takes those that cannot be read, with the reason."""
    from multilabel import devices, export
    from multilabel.evaluation import decisions
    from multilabel.images import decode

    with _quiet():
        devices.configure(options.threads)
    score = export.scorer(model)
    batches = decode.batches(
        paths, model.size, options.batch_size, workers=options.threads, damaged="skip", skipped=bad
    )
    for rows, pixels in batches:
        scores = score(pixels)
        for row, *of_image in zip(rows.tolist(), scores, decisions.threshold(scores, model.thresholds), strict=True):
            yield paths[row], _ranked(model, *of_image)


def _ranked(model: "Model", scores: "np.ndarray", predicted: "np.ndarray") -> list[Prediction]:
    """The labels of an image, highest score first; equal scores in the order of the classes."""
    return [
        # The shortest decimal number that stands for the float32.
        Prediction(rank, model.classes[j], float(str(scores[j])), float(model.thresholds[j]), bool(predicted[j]))
        for rank, j in enumerate((-scores).argsort(kind="stable").tolist(), start=1)
    ]


def _image_files(arguments: Iterable[str]) -> Iterator[Path]:
    """The images that arguments name: files, the images in folders, and what the lines of standard input name."""
    for argument in arguments:
        if argument == "-":
            lines = (os.fsdecode(line.rstrip(b"\r\n")) for line in sys.stdin.buffer)
            yield from _image_files(line for line in lines if line not in ("", "-"))
        elif (path := Path(argument)).is_dir():
            files = (file for file in path.rglob("[!.]*") if file.suffix.lower() in SUFFIXES and file.is_file())
            yield from sorted(files)
        else:
            yield path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="multilabel",
        description="Label images with a trained model.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"multilabel {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        subparser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        subparser.add_argument("model", metavar="MODEL", help="a model file, results/…/model/….h5")
        subparser.set_defaults(command=function)
        return subparser

    predicting = command("predict", predict, "print the labels of images, ranked, with scores and decisions")
    predicting.add_argument(
        "images", nargs="+", metavar="IMAGE|FOLDER|-", help="images, folders of them, or - for paths on standard input"
    )
    predicting.add_argument("--format", choices=WRITERS, default="table", help="default: table")
    predicting.add_argument(
        "--top",
        type=_positive,
        metavar="N",
        help=f"only the N first labels of each image; default: all, in the table those predicted and at least {SHOWN}",
    )
    predicting.add_argument("--batch-size", type=_positive, default=64, metavar="N", help="default: 64")
    command("describe", describe, "print what a model file says of itself, as JSON")
    exporting = command("export", export_model, "write a model as TensorFlow's SavedModel")
    exporting.add_argument("folder", metavar="FOLDER", help="is created")
    text = "make a model file of a checkpoint that others released"
    importing = commands.add_parser("import", help=text, description=f"{text[0].upper()}{text[1:]}.")
    importing.set_defaults(command=import_model)
    importing.add_argument("checkpoint", metavar="CHECKPOINT", help="its file, as PyTorch wrote it")
    importing.add_argument("model", metavar="MODEL", help="the model file to write")
    importing.add_argument(
        "--config", metavar="JSON", help="what was released with it: heads, image size, normalisation"
    )
    importing.add_argument(
        "--classes",
        metavar="TEXT",
        help="file of the names of its labels, one per line, in its order; default: COCO's 80",
    )
    importing.add_argument(
        "--kind", choices=IMPORTERS, default=IMPORTERS[0], help="whose checkpoint it is; default: %(default)s"
    )
    for subparser in (predicting, exporting):
        subparser.add_argument(
            "--threads", type=_positive, default=len(os.sched_getaffinity(0)), metavar="N", help="default: all cores"
        )
    return parser


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return int(text)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what TensorFlow says on standard error while it starts, whatever it is told; failures are exceptions."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _report(problem: object) -> None:
    print(f"multilabel: {problem}", file=sys.stderr)
