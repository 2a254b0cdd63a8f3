"""`python -m multilabel`: the command, where the project is not installed."""

import sys

from multilabel.cli import main

if __name__ == "__main__":
    sys.exit(main())
