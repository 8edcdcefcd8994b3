"""Stands for a model on another server until the server was reached."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal

from engine.chat_engine import Capabilities, Queries
from engine.errors import EngineError, NotLoaded
from engine.events import Embeddings
from engine.publisher import Publisher
from engine.remote.remote_model import RemoteModel
from engine.request_state import RequestProgress
from engine.requests import EmbedRequest, Request
from engine.stream import RequestStream


@dataclass(frozen=True, slots=True)
class AwaitedStatus:
    """See `engine.chat_engine.EngineStatus`. In the state "loading" the server is being asked for its models; "empty"
    means that this failed with `error`. `model` is what is known of the model before."""

    state: Literal["loading", "empty"]
    model: RemoteModel
    progress: float = 0.0
    error: EngineError | None = None


class AwaitedEngine:
    """See `engine.chat_engine.ChatEngine`. Answers nothing. May be used on any thread with a running event loop."""

    def __init__(self, model: RemoteModel) -> None:
        self._publisher = Publisher(AwaitedStatus("loading", model))

    @property
    def status(self) -> AwaitedStatus:
        return self._publisher.status

    @property
    def capabilities(self) -> Capabilities:
        return self.status.model.capabilities

    @property
    def queries(self) -> Queries:
        raise NotLoaded(loading=self.status.state == "loading")

    def fail(self, error: EngineError) -> None:
        self._publisher.update(lambda status: replace(status, state="empty", error=error))

    def submit(self, request: Request) -> RequestStream:
        """Raises NotLoaded."""
        raise NotLoaded(loading=self.status.state == "loading")

    def cancel(self, request_id: str) -> None:
        """Does nothing: there are no requests."""

    def progress(self, request_id: str) -> RequestProgress | None:
        return None

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Raises NotLoaded."""
        raise NotLoaded(loading=self.status.state == "loading")

    def forget(self, owners: Collection[str]) -> None:
        """Does nothing."""

    def watch(self, listener: Callable[[AwaitedStatus], None]) -> Callable[[], None]:
        return self._publisher.watch(listener)
