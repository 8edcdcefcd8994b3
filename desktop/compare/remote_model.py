"""The models of connections in a comparison."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from desktop.chat.waiting import Waiting
from desktop.compare.model_choice import ModelChoice
from desktop.connections.controller import ConnectionsController
from engine.chat_engine import ChatEngine
from engine.remote.remote_model import RemoteModel


class ConnectedModel:
    """One model on another server; an `AnswerSource`."""

    def __init__(self, connections: ConnectionsController, model: RemoteModel) -> None:
        self.model_id, self.host = model.id, model.host
        self._connections, self._model = connections, model

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ChatEngine]:
        yield await self._connections.engine(self._model.connection_id, self._model.id)

    def waiting(self) -> Waiting:
        return Waiting("loading")


def connected_choices(connections: ConnectionsController) -> Sequence[ModelChoice]:
    """The models of all servers that were asked, except the one that answers in the window."""
    return [
        ModelChoice(
            f"{model.connection_id}/{model.id}",
            model.name,
            model.host,
            partial(ConnectedModel, connections, model),
            model.host,
        )
        for state in connections.states
        for model in state.models
        if connections.chosen != (model.connection_id, model.id)
    ]
