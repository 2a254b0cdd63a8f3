"""What all sections of the configuration are made of."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, lt=1)]


Name = Annotated[
    str, BeforeValidator(lambda value: str(value) if type(value) is int else value), Field(pattern=r"^[a-z0-9]+$")
]


Seed = Annotated[int, Field(ge=0, lt=2**31)]


class ConfigError(ValueError):
    """The configuration is wrong; the message lists every problem with its key."""


class Section(BaseModel):
    """A group of keys: no unknown ones, no silent conversion, not changed once read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
