"""The face of the engine: one model, loaded once, asked through two doors. (Being built.)"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.events import ModelInfo, Status
from engine.requests import Request
from engine.stream import RequestStream


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """`n_ctx` 0 takes what the model was trained for, at most 8,192 tokens."""

    n_ctx: int = 0


class Engine:
    """One model behind one native thread."""

    @property
    def status(self) -> Status:
        """Where the engine stands now. Any thread."""
        raise NotImplementedError

    def watch(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """Calls `listener` on the caller's running loop at every change, first with the status of now.

        Returns a function that ends it (any thread)."""
        raise NotImplementedError

    async def load(self, path: Path, settings: LoadSettings = LoadSettings()) -> ModelInfo:
        """Loads the model, replacing the one in memory. Raises ModelFileError, LoadCancelled, EngineClosed."""
        raise NotImplementedError

    def cancel_load(self) -> None:
        """Ends a load that is under way. Any thread, idempotent."""

    async def unload(self) -> None:
        """Cancels every request and frees the model."""

    def submit(self, request: Request) -> RequestStream:
        """Queues a request; its events come on the running loop. Never blocks.

        Raises NotLoaded, EngineDead, EngineClosed at once; what is wrong with the request itself
        (ContextOverflow, TemplateError) comes as `Failed`, the stream's only event."""
        raise NotImplementedError

    def cancel(self, request_id: str) -> None:
        """Ends a request within one step; unknown ids are ignored. Any thread, idempotent."""

    async def aclose(self) -> None:
        """Cancels all, frees the context, then the model, and joins the native thread. Idempotent."""
