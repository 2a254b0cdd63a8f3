"""The command `multilabel`: label images with a trained model, say what a model file holds, export it."""

import argparse
import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

# Everything else is imported where it is needed: help and errors come at once.
if TYPE_CHECKING:
    import numpy as np

    from multilabel.export import Model

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""Files of a folder that are taken for images."""
SHOWN = 5
"""Labels of an image that the table shows at least."""

EPILOG = """\
examples:
  multilabel predict results/coco_2017/model/coco_2017.h5 photo.jpg
  multilabel predict model.h5 photos/ --format csv > labels.csv
  find photos -name '*.jpg' | multilabel predict model.h5 - --format json --top 3

exit status:
  0 all is done, 1 some images could not be read, 2 nothing could be done
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
    """Print the ranked labels of images; what cannot be read is reported and left out."""
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
    return 1 if bad else 0


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
