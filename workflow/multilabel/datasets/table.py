"""Labels of any folder of images: a CSV with a row per image and a column per class."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from multilabel.datasets.folder import first_few, require_images
from multilabel.datasets.labels import LabelMatrix

# Spreadsheets and pandas write whole numbers as 1.0 where a column once had a gap.
_VALUES = {"0": 0, "0.0": 0, "1": 1, "1.0": 1, "-1": -1, "-1.0": -1}
_UNKNOWN = 2
_INT64 = np.iinfo(np.int64)


def read_labels(path: str | Path, images: str | Path) -> LabelMatrix:
    """The label matrix of a CSV file, rows in the order of the file, classes in the order of the columns.

    The first line names the columns. The first column, whatever its name, is the file name of an image relative to the
    folder `images`; a column `image_id` holds integer ids, without it they are 1…N in the order of the rows; each
    other column is a class. Labels are 0 and 1 or, in the whole file, −1 and 1; an empty cell is an error, since it
    does not say whether the class is absent or nobody looked. Cells are separated by commas, semicolons or tabs. The
    text is UTF-8, with or without a byte order mark. Lines without content are passed over, and so are images of the
    folder that the file does not name.

        file_name,grass,cow
        meadow/1.png,1,0
        meadow/2.png,1,1

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: the file is not such a table, something is there twice, or images are not in the folder; the
            message names the file and the first five lines, columns or images.
    """
    path = Path(path)
    header, lines = _parse(path)
    file_name = [_relative(row[0]) for _, row in lines]
    _check_header(path, header)
    _check_widths(path, len(header), lines)
    empty = [f"line {line}" for (line, _), name in zip(lines, file_name, strict=True) if not name]
    if empty:
        raise ValueError(
            f"{path}: expected a file name in the first column ({header[0]}), found none in {len(empty)} line(s): "
            f"{first_few(empty)}"
        )
    _check_unique(path, "image", lines, file_name)

    columns = [column for column, name in enumerate(header) if column and name != "image_id"]
    labels = _labels(path, header, lines, columns)
    image_id = np.arange(1, len(lines) + 1)
    if "image_id" in header[1:]:
        image_id = _image_ids(path, lines, header.index("image_id", 1))
    require_images(images, file_name, source=path)
    return LabelMatrix(image_id, tuple(file_name), tuple(header[column] for column in columns), labels)


_Lines = list[tuple[int, list[str]]]  # line number in the file and cells


def _parse(path: Path) -> tuple[list[str], _Lines]:
    """The names of the columns and the lines below them, all cells without the blanks around them."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected a CSV file of labels")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected a CSV file in UTF-8: {error}. Save it as CSV with that encoding") from error
    lines = _cells(path, text)
    if len(lines) < 2:
        raise ValueError(
            f"{path}: expected a line with the names of the columns and one per image, found {len(lines)} line(s)"
        )
    return lines[0][1], lines[1:]


def _cells(path: Path, text: str) -> _Lines:
    """The lines that are not empty."""
    lines: _Lines = []
    try:
        # Names of classes may hold one of the separators, so the one that makes the most columns is meant.
        headers = {
            separator: next(filter(any, csv.reader(io.StringIO(text, newline=""), delimiter=separator)), [])
            for separator in ",;\t"
        }
        separator = max(headers, key=lambda separator: len(headers[separator]))
        # Strict, so that a quotation mark that is not closed does not swallow lines.
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                lines.append((reader.line_num, cells))
    except csv.Error as error:
        place = f"after line {lines[-1][0]}" if lines else "in the first line"
        raise ValueError(f"{path}: expected CSV, found {place}: {error}") from error
    return lines


def _relative(name: str) -> str:
    """One spelling per image: `./a.png` is `a.png`."""
    return PurePosixPath(name).as_posix() if name else name


def _check_header(path: Path, header: Sequence[str]) -> None:
    classes = [name for name in header[1:] if name != "image_id"]
    if not classes:
        raise ValueError(
            f"{path}: expected a column of file names and one or more of classes, found only: {', '.join(header)}"
        )
    if set(classes) <= set(_VALUES):
        raise ValueError(
            f"{path}: expected the names of the columns in the first line, found labels: {first_few(header)}. "
            "Put a line like file_name,CLASS,CLASS,… above it"
        )
    nameless = [f"column {number}" for number, name in enumerate(header, 1) if number > 1 and not name]
    if nameless:
        raise ValueError(
            f"{path}: expected a name for each class in the first line, found none in {first_few(nameless)}"
        )
    twice = [name for name in dict.fromkeys(header[1:]) if header[1:].count(name) > 1]
    if twice:
        raise ValueError(f"{path}: expected each column once, found more than once: {first_few(twice)}")


def _check_widths(path: Path, width: int, lines: _Lines) -> None:
    other = [f"line {line} has {len(row)}" for line, row in lines if len(row) != width]
    if other:
        raise ValueError(
            f"{path}: expected {width} cells in each line, as in the first, found {len(other)} line(s) with another "
            f"number: {first_few(other)}"
        )


def _check_unique(path: Path, what: str, lines: _Lines, values: Sequence[object]) -> None:
    seen: dict[object, int] = {}
    twice = []
    for (line, _), value in zip(lines, values, strict=True):
        if seen.setdefault(value, line) != line:
            twice.append(f"{value} (lines {seen[value]} and {line})")
    if twice:
        raise ValueError(f"{path}: expected each {what} once, found more than once: {first_few(twice)}")


def _labels(path: Path, header: Sequence[str], lines: _Lines, columns: Sequence[int]) -> np.ndarray:
    """The labels uint8 N×L."""
    values = np.array([[_VALUES.get(row[column], _UNKNOWN) for column in columns] for _, row in lines], np.int8)

    def cell(place: np.ndarray) -> str:
        (line, row), column = lines[place[0]], columns[place[1]]
        return f"line {line}, column {header[column]}: {row[column] or 'an empty cell'}"

    wrong = np.argwhere(values == _UNKNOWN)
    if len(wrong):
        raise ValueError(
            f"{path}: expected labels 0 and 1, or −1 and 1, found {len(wrong)} other(s): "
            f"{first_few([cell(place) for place in wrong[:6]], '; ')}"
        )
    zeros, negatives = np.argwhere(values == 0), np.argwhere(values == -1)
    if len(zeros) and len(negatives):
        raise ValueError(
            f"{path}: expected labels 0 and 1, or −1 and 1, found both 0 and −1: {cell(zeros[0])}; "
            f"{cell(negatives[0])}. Use one of them for an absent class"
        )
    return (values == 1).astype(np.uint8)


def _image_ids(path: Path, lines: _Lines, column: int) -> np.ndarray:
    """The ids int64 (N,)."""
    wrong = [f"line {line}: {row[column] or 'an empty cell'}" for line, row in lines if not _is_int64(row[column])]
    if wrong:
        raise ValueError(
            f"{path}: expected integers of 64 bits in the column image_id, found {len(wrong)} other(s): "
            f"{first_few(wrong, '; ')}"
        )
    ids = [int(row[column]) for _, row in lines]
    _check_unique(path, "image_id", lines, ids)
    return np.array(ids, np.int64)


def _is_int64(cell: str) -> bool:
    return bool(re.fullmatch(r"-?[0-9]{1,19}", cell)) and _INT64.min <= int(cell) <= _INT64.max
