"""The models of one connection, which are looked for again and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from engine.errors import EngineError
from engine.remote.client import ConnectionClient
from engine.remote.connection import Connection
from engine.remote.discovery import FoundServer, find_server
from engine.remote.remote_engine import RemoteEngine
from engine.remote.remote_thread import RemoteThread

log = logging.getLogger(__name__)

REFRESH_S = 60.0
RETRY_S = 5.0
"""Interval of the tries until the server is reached."""


class ConnectedModels:
    """Event loop thread only."""

    def __init__(self, connection: Connection, key: str, thread: RemoteThread) -> None:
        self._client = ConnectionClient(connection, key, thread=thread)
        self._engines: dict[str, RemoteEngine] = {}
        self.error: EngineError | None = None
        """Why the last look at the server failed."""

    @property
    def connection(self) -> Connection:
        return self._client.connection

    @property
    def engines(self) -> tuple[RemoteEngine, ...]:
        """An engine for each model that was found."""
        return tuple(self._engines.values())

    async def watch(self, on_change: Callable[[], None]) -> None:
        """Looks for models until the task is cancelled. Calls `on_change` after each look."""
        while True:
            try:
                await self._look()
            except EngineError as error:
                if self.error is None:
                    log.warning("the models of a connection cannot be listed: %s", type(error).__name__)
                self.error = error
            else:
                self.error = None
            on_change()
            await asyncio.sleep(RETRY_S if self.error is not None and not self._engines else REFRESH_S)

    async def _look(self) -> None:
        found = await find_server(self._client)
        if found.api_path != self.connection.api_path:
            changed = self._client.at(found.api_path)
            await self.aclose()
            self._client = changed
        await self._replace(found)

    async def _replace(self, found: FoundServer) -> None:
        """Models that the server no longer lists are removed. Answers of them in progress go on."""
        before = self._engines
        self._engines = {}
        for model in found.models:
            engine = before.get(model.id)
            if engine is None:
                engine = RemoteEngine(self._client, model)
            else:
                engine.replace_model(model)
            self._engines[model.id] = engine

    async def aclose(self) -> None:
        """Stops all answers of the models and closes the client. Idempotent."""
        for engine in self._engines.values():
            await engine.aclose()
        self._engines.clear()
        await self._client.aclose()
