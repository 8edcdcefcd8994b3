"""The models that can be compared, and which of them are chosen. Qt-free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from desktop.chat.answer_source import AnswerSource

MIN_MODELS, MAX_MODELS = 2, 4


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model that can be compared. `detail` tells where it runs."""

    key: str
    name: str
    detail: str
    make_source: Callable[[], AnswerSource]
    host: str = ""
    """The machine to which the chat is sent; empty if the model runs on this computer."""


class ChosenModels:
    """Which of the models are chosen, in the order in which they were chosen."""

    def __init__(self) -> None:
        self.choices: tuple[ModelChoice, ...] = ()
        self._keys: list[str] = []

    def offer(self, choices: Sequence[ModelChoice]) -> None:
        """Set the models that can be compared. A chosen model that is missing is chosen again when it comes back."""
        self.choices = tuple(choices)
        if not self._keys and choices:
            self._keys.append(choices[0].key)

    @property
    def chosen(self) -> tuple[ModelChoice, ...]:
        by_key = {each.key: each for each in self.choices}
        return tuple(by_key[key] for key in self._keys if key in by_key)

    def is_chosen(self, key: str) -> bool:
        return key in self._keys

    @property
    def is_full(self) -> bool:
        return len(self.chosen) >= MAX_MODELS

    @property
    def can_start(self) -> bool:
        return MIN_MODELS <= len(self.chosen) <= MAX_MODELS

    def choose(self, key: str, on: bool) -> None:
        """Choose a model, or end its choice. Does nothing if as many models as possible are chosen."""
        if not on and key in self._keys:
            self._keys.remove(key)
        elif on and key not in self._keys and not self.is_full:
            self._keys.append(key)
