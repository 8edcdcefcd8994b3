"""What an answer waits for before its first word. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from engine.request_state import Progress

Stage = Literal["loading", "preparing", "queued", "reading", "writing", "stopping"]
"""loading: no model is in memory yet. preparing: its prompt is made and tokenised. queued: other requests go first.
reading: the model reads the prompt. writing: words have come. stopping: it was stopped, and has not ended yet."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """`share` is how far reading the prompt, or loading the model, has got, from 0 to 1; None where that is unknown.
    `behind` is the title of the chat whose answer goes first, where it is one of the window's."""

    stage: Stage
    share: float | None = None
    behind: str = ""

    @classmethod
    def of(cls, progress: Progress | None) -> Waiting:
        """`progress` as the engine reports it for a request without output; None before it was submitted."""
        if progress is None or not progress.n_prompt or progress.waits_for in ("preparation", "snapshot"):
            return cls("preparing")
        if progress.queue_place or progress.waits_for is not None:
            return cls("queued")
        if progress.n_output:
            return cls("writing")
        to_read = max(1, progress.n_prompt - progress.n_cached)
        return cls("reading", min(1.0, max(0.0, (progress.n_read - progress.n_cached) / to_read)))
