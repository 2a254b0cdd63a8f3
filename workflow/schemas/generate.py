"""Write the JSON schema and the reference of the configuration from its typed models: `make generated`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from multilabel import config as configuration
from multilabel.config import Config

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.json"
REFERENCE = ROOT / "config" / "README.md"
INTRODUCTION = """\
# Configuration

`config.yaml` is the paper at full size. Another file names only what it changes, and is laid over it:

    snakemake --cores 8 --configfile config/demo.yaml

A wrong key, type or value stops before any job, with the key, what was found and what is allowed. This page is made
from `workflow/multilabel/config/` by `make generated`; so is the JSON schema by which editors complete and check
keys, `workflow/schemas/config.schema.json`.
"""


def schema() -> str:
    """The JSON schema as text."""
    return json.dumps(Config.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def reference() -> str:
    """The page that explains every key."""
    parts = [INTRODUCTION, *(f"\n{notes}" for notes in configuration.NOTES)]
    for name, field in Config.model_fields.items():
        model: Any = field.annotation
        text, rows = (model.__doc__, _rows(model)) if _is_section(model) else ("One value.", [_row(name, field)])
        parts += [
            f"\n## `{name}`\n\n{text}\n",
            "| key | valid | default | meaning |",
            "| --- | --- | --- | --- |",
        ]
        parts += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(parts) + "\n"


def _rows(model: type[BaseModel], prefix: str = "", default: BaseModel | None = None) -> Iterator[tuple[str, ...]]:
    default = default or model()
    for name, field in model.model_fields.items():
        kind: Any = field.annotation
        if _is_section(kind):
            yield from _rows(kind, f"{prefix}{name}.", getattr(default, name))
        else:
            yield _row(f"{prefix}{name}", field, getattr(default, name))


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _row(key: str, field: FieldInfo, default: Any = None) -> tuple[str, ...]:
    shown = json.dumps(field.default if default is None else default, ensure_ascii=False).replace("|", r"\|")
    return f"`{key}`", _valid(field), f"`{shown}`", field.description or ""


def _valid(field: FieldInfo) -> str:
    """Type and range in words."""
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
    names: dict[Any, str] = {int: "whole number", float: "number", str: "text", bool: "`true`, `false`"}
    names |= {list[str]: "run names", list[int]: "whole numbers"}
    bounds = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    limits = [
        f"{sign} {getattr(constraint, bound)}"
        for constraint in field.metadata
        for bound, sign in bounds.items()
        if getattr(constraint, bound, None) is not None
    ]
    return " ".join([names.get(field.annotation, "mapping"), ", ".join(limits)]).strip()


if __name__ == "__main__":
    SCHEMA.write_text(schema(), encoding="utf-8")
    REFERENCE.write_text(reference(), encoding="utf-8")
