"""Print one table of all benchmarks, or of those named: python tests/benchmarks/run.py labels linear"""

import importlib
import sys
from pathlib import Path

from comparison import machine, show

ALL = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))

if __name__ == "__main__":
    chosen = sys.argv[1:] or ALL
    if unknown := set(chosen) - set(ALL):
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    print(f"{machine()}\n", flush=True)
    modules = [importlib.import_module(f"bench_{name}") for name in chosen]
    show(row for module in modules for row in module.rows())
