"""What every dialect's bodies have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

INT32_MAX = 2**31 - 1


def _as_list(value: object) -> object:
    """`stop` comes as nothing, one string, or a list."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def _none_if_endless(value: object) -> object:
    """llama.cpp and Ollama write -1 (-2: until the context is full) for an answer without a limit."""
    return None if type(value) is int and value in (-1, -2) else value


class Body(BaseModel):
    """A null means absent; fields that are unknown are let through. Numbers have bounds everywhere: they end up in
    native code."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


Count = Annotated[int, Field(ge=1, le=INT32_MAX)]
CountOrEndless = Annotated[Count | None, BeforeValidator(_none_if_endless)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Finite = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Word = Annotated[str, StringConstraints(max_length=1024)]
Stops = Annotated[list[Word], Field(max_length=64), BeforeValidator(_as_list)]
