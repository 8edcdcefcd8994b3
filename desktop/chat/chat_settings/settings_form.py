"""The settings of a chat while they are changed: texts are checked, good values take effect. Qt-free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from desktop.store.records import ChatSettings
from engine.requests import Sampling

Name = Literal["temperature", "top_p", "top_k", "min_p", "repeat_penalty", "max_tokens", "seed"]


@dataclass(frozen=True, slots=True)
class Number:
    """A setting that is a number from `lowest` to `highest`. `default` None: there is none, the model decides."""

    name: Name
    lowest: float
    highest: float
    whole: bool = False
    default: float | None = None

    def value_of(self, text: str) -> float | None:
        """None where the text is no such number. A comma may stand for the point."""
        try:
            value: float = int(text) if self.whole else float(text.replace(",", "."))
        except ValueError:
            return None
        return value if self.lowest <= value <= self.highest else None  # not-a-number is refused too


_USUAL = Sampling()
NUMBERS: tuple[Number, ...] = (
    Number("temperature", 0, 2, default=_USUAL.temperature),
    Number("top_p", 0, 1, default=_USUAL.top_p),
    Number("top_k", 0, 1000, whole=True, default=_USUAL.top_k),
    Number("min_p", 0, 1, default=_USUAL.min_p),
    Number("repeat_penalty", 0.5, 2, default=_USUAL.repeat_penalty),
    Number("max_tokens", 1, 1_000_000, whole=True),
    Number("seed", 0, 4_294_967_295, whole=True),
)
BY_NAME = {number.name: number for number in NUMBERS}


class SettingsForm:
    """Holds the settings; `changed(settings)` hears of each that is good. One thread."""

    def __init__(self, changed: Callable[[ChatSettings], None]) -> None:
        self._changed = changed
        self.settings = ChatSettings()
        self.refused: dict[Name, Number] = {}
        """Numbers whose text is no good at present; the value before stays in force."""

    def show(self, settings: ChatSettings) -> None:
        """Other settings, of another chat say. Tells nobody."""
        self.settings = settings
        self.refused.clear()

    def enter(self, name: Name, text: str) -> bool:
        """Takes what was typed; an empty text is the default. False, and nothing is changed, where it is no good."""
        text = text.strip()
        value = BY_NAME[name].value_of(text) if text else None
        if text and value is None:
            self.refused[name] = BY_NAME[name]
            return False
        self.refused.pop(name, None)
        self.change(**{name: value})
        return True

    def change(self, **changes: object) -> None:
        changed = replace(self.settings, **changes)  # type: ignore[arg-type]
        if changed != self.settings:
            self.settings = changed
            self._changed(changed)

    def text_of(self, name: Name) -> str:
        """The value as it is typed, "" for the default."""
        value = getattr(self.settings, name)
        return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
