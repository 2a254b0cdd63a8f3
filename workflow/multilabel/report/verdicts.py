"""Published numbers beside ours: a row for each, with a verdict and the reason for it, the same for every experiment.

The verdicts are

    reproduced                 ours is within the first limit of the band, or the statement holds
    within the band            within the second limit
    not                        beyond it, or the statement does not hold
    not run at this size       the configuration is not the published one, so that the numbers do not compare
    not run                    there is nothing of ours to compare, for the reason given

Bands are in the file of published numbers that an experiment brings, under `reproduction`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

REPRODUCED, WITHIN, NOT = "reproduced", "within the band", "not"
OTHER_SIZE, NOT_RUN = "not run at this size", "not run"


class Row(NamedTuple):
    """One line of the page. Values are numbers or text; None is an empty cell."""

    where: str
    what: str
    published: Any
    ours: Any
    difference: Any
    verdict: str
    why: str


def as_text(rows: Iterable[Row]) -> list[Row]:
    """The rows with numbers as text, of as many decimals as the published one has."""
    return [
        row._replace(
            published=_rounded(row, row.published),
            ours=_rounded(row, row.ours),
            difference=_rounded(row, row.difference, "+"),
        )
        for row in rows
    ]


def counted(rows: Sequence[Row]) -> str:
    """How many rows have which verdict, as a sentence."""
    counts = Counter(row.verdict for row in rows).most_common()
    return f"Of {len(rows)} rows: {', '.join(f'{number} {verdict}' for verdict, number in counts)}."


def _rounded(row: Row, value: Any, sign: str = "") -> Any:
    """A number as text; other values as they are."""
    if not isinstance(value, int | float):
        return value
    decimals = len(str(row.published).partition(".")[2]) if isinstance(row.published, float) else 0
    return f"{value:{sign}.{decimals}f}"


def not_comparable(row: Row) -> Row:
    """A row of another size: our value is shown, but not judged."""
    if row.verdict == NOT_RUN:
        return row
    return row._replace(difference=None, verdict=OTHER_SIZE, why="another dataset, network or training")


def number(
    said: Mapping[str, Any],
    where: str,
    what: str,
    published: float,
    ours: float | None,
    band: str,
    *,
    known: str = "",
    relative: bool = False,
    lacking: str = "no such value: nothing to compare",
) -> Row:
    """A row for a number."""
    if ours is None or np.isnan(ours):
        return Row(where, what, published, None, None, NOT_RUN, lacking)
    narrow, wide = said["reproduction"]["bands"][band]
    difference = ours - published
    distance = round(abs(difference) / abs(published) if relative else abs(difference), 9)
    per = " of the published" if relative else ""
    if distance <= narrow:
        verdict, why = REPRODUCED, f"differs by at most {narrow:g}{per}" if narrow else "the same number"
    elif distance <= wide:
        verdict, why = WITHIN, f"differs by at most {wide:g}{per}"
    else:
        verdict, why = NOT, f"differs by more than {wide:g}{per}" if wide else "another number"
    reason = said["reproduction"]["known"].get(known)
    return Row(where, what, published, ours, difference, verdict, reason if reason and verdict != REPRODUCED else why)
