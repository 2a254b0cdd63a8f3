"""What others published, as the file of numbers beside this module has it."""

from pathlib import Path
from typing import Any

import yaml

PUBLISHED = Path(__file__).with_name("published.yaml")


def load(path: str | Path = PUBLISHED) -> dict[str, Any]:
    """The numbers that others published, with their sources, as the YAML file has them."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
