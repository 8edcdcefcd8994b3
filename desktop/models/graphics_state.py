"""What is known of the graphics cards of this computer. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass

from engine.devices.backend_state import BackendState
from engine.devices.card import Card
from engine.errors import Reason


@dataclass(frozen=True, slots=True)
class LibraryProgress:
    """The library for a card is being built, or that failed."""

    progress: float = 0.0
    """From 0 to 1."""
    error: str | Reason = ""
    """Why it failed; "" if it did not."""


@dataclass(frozen=True, slots=True)
class GraphicsState:
    """What the models page shows of graphics cards. All empty where there is no card."""

    cards: tuple[Card, ...] = ()
    """The cards that can be used. Their free memory is what would be free without the loaded model."""
    used: tuple[str, ...] = ()
    """Ids of the cards that the loaded model uses."""
    failed: tuple[BackendState, ...] = ()
    build: LibraryProgress | None = None
    offers_load: bool = False
    """Whether the loaded model would use a card if it was loaded again."""
