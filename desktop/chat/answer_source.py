"""Which model writes an answer: the one that answers in the window, or one that was chosen for this answer. Qt-free."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from desktop.chat.waiting import Waiting

if TYPE_CHECKING:
    from desktop.models.model_controller import ModelController
    from engine.chat_engine import ChatEngine


class AnswerSource(Protocol):
    """A model that can write answers. Event-loop thread only."""

    @property
    def model_id(self) -> str:
        """Id of the model; "" if it is not known before the model is ready."""

    @property
    def host(self) -> str:
        """The machine to which the chat is sent; "" if the model runs in this process."""

    def open(self) -> AbstractAsyncContextManager[ChatEngine]:
        """Wait for the model, and keep it in memory until the `async with` block ends. Raises EngineError."""

    def waiting(self) -> Waiting:
        """What an answer waits for while the model is being opened."""


class WindowModel:
    """The model that answers in the window when the answer begins."""

    def __init__(self, models: ModelController, model_id: str = "", host: str = "") -> None:
        self._models, self.model_id, self.host = models, model_id, host

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ChatEngine]:
        yield await self._models.ready()

    def waiting(self) -> Waiting:
        return Waiting("loading", self._models.chat_status.progress)
