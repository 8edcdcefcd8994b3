"""Validation of chat settings as they are typed. Qt-free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from desktop.store.records import ChatSettings
from engine.requests import Sampling

Name = Literal["temperature", "top_p", "top_k", "min_p", "repeat_penalty", "max_tokens", "seed"]


@dataclass(frozen=True, slots=True)
class Number:
    """A setting that is a number from `lowest` to `highest`. `default` None means no limit, or a random seed."""

    name: Name
    lowest: float
    highest: float
    whole: bool = False
    default: float | None = None

    def value_of(self, text: str) -> float | None:
        """The number in the text, or None if it is invalid. The decimal separator may be a comma."""
        try:
            value: float = int(text) if self.whole else float(text.replace(",", "."))
        except ValueError:
            return None
        return value if self.lowest <= value <= self.highest else None  # also rejects NaN


_DEFAULTS = Sampling()
NUMBERS: tuple[Number, ...] = (
    Number("temperature", 0, 2, default=_DEFAULTS.temperature),
    Number("top_p", 0, 1, default=_DEFAULTS.top_p),
    Number("top_k", 0, 1000, whole=True, default=_DEFAULTS.top_k),
    Number("min_p", 0, 1, default=_DEFAULTS.min_p),
    Number("repeat_penalty", 0.5, 2, default=_DEFAULTS.repeat_penalty),
    Number("max_tokens", 1, 1_000_000, whole=True),
    Number("seed", 0, 4_294_967_295, whole=True),
)
BY_NAME = {number.name: number for number in NUMBERS}


class SettingsForm:
    """Holds the settings. Valid changes take effect and are passed to `changed(settings)`. Not thread-safe."""

    def __init__(self, changed: Callable[[ChatSettings], None]) -> None:
        self._changed = changed
        self.settings = ChatSettings()
        self.invalid: dict[Name, Number] = {}
        """Numbers whose text is invalid; they keep their previous values."""

    def show(self, settings: ChatSettings) -> None:
        """Replace the settings without calling `changed`."""
        self.settings = settings
        self.invalid.clear()

    def enter(self, name: Name, text: str) -> bool:
        """Set a number from its text; "" sets the default. Returns False, and changes nothing, if it is invalid."""
        text = text.strip()
        value = BY_NAME[name].value_of(text) if text else None
        if text and value is None:
            self.invalid[name] = BY_NAME[name]
            return False
        self.invalid.pop(name, None)
        self.change(**{name: value})
        return True

    def change(self, **changes: object) -> None:
        changed = replace(self.settings, **changes)  # type: ignore[arg-type]
        if changed != self.settings:
            self.settings = changed
            self._changed(changed)

    def text_of(self, name: Name) -> str:
        """The value as text; "" for the default."""
        value = getattr(self.settings, name)
        return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
