"""A connection in use: its HTTP client, and an engine for each model that was chosen. Qt-free."""

from __future__ import annotations

from dataclasses import replace

from engine.remote.client import ConnectionClient
from engine.remote.connection import Connection
from engine.remote.discovery import FoundServer, find_server
from engine.remote.remote_engine import RemoteEngine
from engine.remote.remote_model import RemoteModel
from engine.remote.remote_thread import RemoteThread


class OpenConnection:
    """Event loop thread only."""

    def __init__(self, connection: Connection, key: str, thread: RemoteThread) -> None:
        self._key, self._thread = key, thread
        self._client = ConnectionClient(connection, key, thread=thread)
        self._engines: dict[str, RemoteEngine] = {}

    @property
    def connection(self) -> Connection:
        return self._client.connection

    async def look(self) -> FoundServer:
        """Ask the server for its models, and tell the engines what it answered. If its API is at another path than that
        of the connection, the connection is changed. Raises the errors of `find_server`."""
        found = await find_server(self._client)
        if found.api_path != self.connection.api_path:
            changed = replace(self.connection, api_path=found.api_path)
            await self.aclose()
            self._client = ConnectionClient(changed, self._key, thread=self._thread)
        for model in found.models:
            if (engine := self._engines.get(model.id)) is not None:
                engine.replace_model(model)
        return found

    def engine(self, model: RemoteModel) -> RemoteEngine:
        if model.id not in self._engines:
            self._engines[model.id] = RemoteEngine(self._client, model)
        return self._engines[model.id]

    async def aclose(self) -> None:
        """Stop all answers of the engines and close the client. Idempotent."""
        for engine in self._engines.values():
            await engine.aclose()
        self._engines.clear()
        await self._client.aclose()
