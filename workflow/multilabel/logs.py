"""The log of a job: everything that it prints, and how it failed."""

import linecache
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CODE = str(Path(__file__).resolve().parents[1])


@contextmanager
def logged(path: str | Path) -> Iterator[None]:
    """Send standard output and error, native libraries' too, to a file, which ends with what a failure has to say.

    That is the message alone where data, files or settings are wrong, which the user can mend; else the traceback.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as log:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(log.fileno(), stream.fileno())
    try:
        yield
    except BaseException as error:
        if is_expected(error):
            sys.stdout.flush()
            print(f"Error: {error}", file=sys.stderr)
        else:
            traceback.print_exc()
        sys.exit(1)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def is_expected(error: BaseException) -> bool:
    """Whether an error is about data, files or settings: its message says all, a traceback would bury it.

    Such are those that this project raises itself (ValueError, OSError, ArithmeticError, or a subclass), and what the
    system says of a file that it names. What NumPy or Keras refuse is a mistake in the code, whatever its type.
    """
    if isinstance(error, OSError) and error.filename is not None:
        return True
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or not isinstance(error, ValueError | OSError | ArithmeticError):
        return False
    origin = frames[-1]
    raised = linecache.getline(origin.filename, origin.lineno or 0).split()[:1] == ["raise"]
    return raised and Path(origin.filename).resolve().is_relative_to(_CODE)
