"""Declares a field of `Settings`: its default, its check, and the row of the settings page that changes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass, field
from typing import Any, Literal, cast

Card = Literal["appearance", "language", "notifications", "about"]
"""The id of a card of the settings page."""


@dataclass(frozen=True, slots=True)
class SwitchRow:
    """A row with a switch for two values. The titles of all rows are marked by QT_TRANSLATE_NOOP("settings", …)."""

    card: Card
    title: str
    on: object = True
    off: object = False


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    card: Card
    options: Sequence[tuple[str, str]]
    """Pairs of a value and the title of its button."""


@dataclass(frozen=True, slots=True)
class StepsRow:
    card: Card
    title: str
    steps: Sequence[int]
    usual: int
    """The settings page shows this value as 100 %."""


Row = SwitchRow | ChoiceRow | StepsRow


def setting(default: Any, row: Row | None = None, *, is_valid: Callable[[Any], bool] | None = None) -> Any:
    """Declares a field of `Settings`. A stored value is ignored if it is invalid or has another type than `default`.

    If `default` is a list or dict, each `Settings` gets a copy of it."""
    metadata = {"row": row, "is_valid": is_valid or (lambda value: True)}
    if isinstance(default, list | dict):
        return field(default_factory=default.copy, metadata=metadata)
    return field(default=default, metadata=metadata)


def row_of(declared: Field[Any]) -> Row | None:
    return cast("Row | None", declared.metadata["row"])


def is_valid(declared: Field[Any], value: object) -> bool:
    return bool(declared.metadata["is_valid"](value))
