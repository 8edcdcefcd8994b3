"""What an answer is waiting for while it is being written. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from engine.request_state import RequestProgress

Stage = Literal["loading", "preparing", "queued", "reading", "writing", "stopping"]
"""Stages of an answer. "loading": the model is being loaded. "preparing": the prompt is built and tokenised. "queued":
other requests run first. "reading": prefill. "writing": there is output. "stopping": the user has stopped the answer,
but it has not ended yet."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an answer is waiting for. `share` is the progress of loading or prefill from 0 to 1, None if unknown.
    `behind` is the title of the chat whose answer runs first, "" if it is not a chat of this window."""

    stage: Stage
    share: float | None = None
    behind: str = ""

    @classmethod
    def of(cls, progress: RequestProgress | None) -> Waiting:
        """Stage of an answer according to the progress report of the engine. None means that the request is not
        submitted yet."""
        if progress is None or not progress.n_prompt or progress.waits_for in ("preparation", "snapshot"):
            return cls("preparing")
        if progress.queue_place or progress.waits_for is not None:
            return cls("queued")
        if progress.n_output:
            return cls("writing")
        n_to_read = max(1, progress.n_prompt - progress.n_cached)
        return cls("reading", min(1.0, max(0.0, (progress.n_read - progress.n_cached) / n_to_read)))
