"""Search for models on Hugging Face."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from engine.library.hub import Hub, HubModel
from engine.library.hub_errors import HubError

Stage = Literal["idle", "searching", "found", "failed"]


@dataclass(frozen=True, slots=True)
class HubSearchState:
    """The state of the search. `text` is the query. In stage "found", `found` are the models that were found; in stage
    "failed", `error` is the reason."""

    stage: Stage = "idle"
    text: str = ""
    found: tuple[HubModel, ...] = ()
    error: HubError | None = None


class HubSearch:
    """Runs one search at a time; a newer search or `clear` discards the result of an older one. Event loop thread."""

    def __init__(self, hub: Hub, changed: Callable[[], None]) -> None:
        """The function `changed` is called after each change of `state`."""
        self.state = HubSearchState()
        self._hub, self._changed = hub, changed
        self._number = 0

    async def search(self, text: str) -> None:
        """Search for models whose names match `text`. An error is not raised, but sets the stage "failed"."""
        self._number += 1
        number = self._number
        self._set(HubSearchState("searching", text))
        try:
            state = HubSearchState("found", text, await asyncio.to_thread(self._hub.search, text))
        except Exception as error:  # a failed search must not stay in the stage "searching"
            known = error if isinstance(error, HubError) else HubError(f"{type(error).__name__}: {error}")
            state = HubSearchState("failed", text, error=known)
        if number == self._number:
            self._set(state)

    def clear(self) -> None:
        self._number += 1
        self._set(HubSearchState())

    def _set(self, state: HubSearchState) -> None:
        self.state = state
        self._changed()
