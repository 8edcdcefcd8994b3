"""What an answer is waiting for while it is being written. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from desktop.chat.time_left import TimeLeft

if TYPE_CHECKING:
    from engine.events import PromptProgress
    from engine.request_state import RequestProgress

Stage = Literal["loading", "memory", "preparing", "queued", "reading", "writing", "stopping"]
"""Stages of an answer. "loading": the model is being loaded. "memory": it is loaded after another one, for example
because memory is short. "preparing": the prompt is built and tokenised. "queued":
other requests run first. "reading": prefill. "writing": there is output. "stopping": the user has stopped the answer,
but it has not ended yet."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an answer is waiting for. `behind` is the title of the chat whose answer runs first, "" if it is not a chat
    of this window."""

    stage: Stage
    share: float | None = None
    """Progress of loading or prefill from 0 to 1; None if unknown."""
    behind: str = ""
    queue_place: int = 0
    """Place in the queue, from 1; 0 if the answer is not in the queue."""
    remaining_s: float | None = None
    """Estimated duration of the rest of prefill; None if unknown."""

    @classmethod
    def of(cls, progress: RequestProgress | None) -> Waiting:
        """Stage of an answer before the first `PromptProgress` event, according to the progress report of the engine.
        None means that the request is not submitted yet."""
        if progress is None or not progress.n_prompt or progress.waits_for in ("preparation", "snapshot"):
            return cls("preparing")
        if progress.n_output:
            return cls("writing")
        if progress.queue_place or progress.waits_for is not None:
            return cls("queued", queue_place=progress.queue_place)
        return cls("reading", 0.0)

    @classmethod
    def reading(cls, progress: PromptProgress, time_left: TimeLeft) -> Waiting:
        """Stage of an answer whose prompt is being read. Pauses of prefill beside other answers are not shown."""
        n_read, n_to_read = progress.n_read - progress.n_cached, max(1, progress.n_prompt - progress.n_cached)
        share = min(1.0, max(0.0, n_read / n_to_read))
        return cls("reading", share, remaining_s=time_left.seconds(n_to_read - n_read))
