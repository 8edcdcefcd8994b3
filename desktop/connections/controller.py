"""Holds the connections to other servers, and lets one of their models answer in the window."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from desktop.connections.connection_state import ConnectionState
from desktop.connections.open_connection import OpenConnection
from desktop.models.model_controller import ModelController
from desktop.platform.daemon_thread import detached
from desktop.platform.task_set import TaskSet
from desktop.settings.current_settings import AppSettings
from engine.chat_engine import ChatEngine
from engine.errors import EngineError, NotLoaded, Reason, ServerFailed
from engine.remote.awaited_engine import AwaitedEngine
from engine.remote.client import ConnectionClient
from engine.remote.connection import Connection
from engine.remote.connection_keys import ConnectionKeys, KeyPlace
from engine.remote.discovery import FoundServer, find_server
from engine.remote.remote_model import RemoteModel, shown_name
from engine.remote.remote_thread import RemoteThread
from engine.remote.server_kinds import CAPABILITIES
from engine.remote.stored_connections import connection_from_record, connection_record

log = logging.getLogger(__name__)

FRESH_S = 30.0
"""For this long, `look_at_all` does not ask a server again."""


class ConnectionsController(QObject):
    """Owns the connections in the settings. Asks a server only for its models, and only when somebody looks at them.
    Event loop thread only."""

    changed = Signal(object)
    """Carries a tuple with the `ConnectionState` of each connection."""
    not_stored = Signal(object)
    """Carries the OSError because of which a key was not stored."""

    def __init__(self, models: ModelController, settings: AppSettings, keys: ConnectionKeys) -> None:
        super().__init__()
        self._models, self._settings, self._keys = models, settings, keys
        self._tasks = TaskSet(lambda error, name: log.error("%s failed: %s", name, type(error).__name__))
        self._thread = RemoteThread()
        self._states: dict[str, ConnectionState] = {}
        for record in settings.value.connections:
            if (connection := connection_from_record(record)) is not None:
                self._states[connection.id] = ConnectionState(connection)
        self._new_keys: dict[str, str] = {}
        """Keys that are being stored, or could not be stored. They are used until the app is closed."""
        self._open: dict[str, OpenConnection] = {}
        self._looks: dict[str, asyncio.Task[None]] = {}
        self._looked_at: dict[str, float] = {}
        self._chosen: tuple[str, str] | None = None
        """Ids of the connection and the model that answer in the window."""
        models.chat_status_changed.connect(self._notice_local_model)

    @property
    def states(self) -> Sequence[ConnectionState]:
        return tuple(self._states.values())

    @property
    def chosen(self) -> tuple[str, str] | None:
        """Ids of the connection and the model that answer in the window; None if it is the local model."""
        return self._chosen

    def restore_choice(self) -> bool:
        """Choose the model that was chosen when the app was closed. Returns False if it was the local one. The server
        is asked in the background."""
        stored = self._settings.value.remote_model
        connection_id, model_id = stored.get("connection", ""), stored.get("model", "")
        if connection_id not in self._states or not model_id:
            return False
        self.choose(connection_id, model_id)
        return True

    def choose(self, connection_id: str, model_id: str) -> None:
        """Let this model answer in the window. If its server was not reached yet, it is asked first, and messages wait
        for it."""
        self._chosen = connection_id, model_id
        self._settings.change(remote_model={"connection": connection_id, "model": model_id})
        state = self._states[connection_id]
        model = next((each for each in state.models if each.id == model_id), None)
        if model is not None and state.stage == "reachable" and connection_id in self._open:
            self._models.answer_with(self._open[connection_id].engine(model))
        else:
            self._connect()

    async def engine(self, connection_id: str, model_id: str) -> ChatEngine:
        """An engine for this model, whichever answers in the window. If its server was not reached yet, it is asked
        first. Raises EngineError."""
        state = self._states.get(connection_id)
        if state is not None and (state.stage != "reachable" or connection_id not in self._open):
            await asyncio.shield(self.look_at(connection_id))
        model = self._model(connection_id, model_id)
        return self._open[connection_id].engine(model)

    def choose_local(self) -> None:
        """Let the local model answer in the window."""
        self._models.answer_with(None)

    def try_again(self) -> None:
        """Ask the server of the chosen model again."""
        if self._chosen is not None:
            self._connect()

    def look_at_all(self) -> None:
        """Ask all servers for their models in the background, except those that were asked a short time ago."""
        for connection_id in self._states:
            if time.monotonic() - self._looked_at.get(connection_id, float("-inf")) > FRESH_S:
                self.look_at(connection_id)

    def look_at(self, connection_id: str) -> asyncio.Task[None]:
        """Ask a server for its models in the background. Returns the task, which raises no error."""
        running = self._looks.get(connection_id)
        if running is None or running.done():
            running = self._looks[connection_id] = self._tasks.spawn(self._look(connection_id), "look at a server")
        return running

    async def test(self, connection: Connection, key: str | None) -> FoundServer:
        """Test a connection that need not be stored. With None, the stored key is used. Raises EngineError."""
        if key is None:
            key = await self._stored_key(connection)
        client = ConnectionClient(connection, key, thread=self._thread)
        try:
            return await find_server(client)
        finally:
            await client.aclose()

    def save(self, connection: Connection, key: str | None) -> None:
        """Store a new or changed connection. With None, its key stays as it is; if its address has changed, the key is
        removed, so that no other server gets it."""
        if key is None and not self._is_same_server(connection):
            key = ""
        if key is not None:
            self._new_keys[connection.id] = key
        before = self._states.get(connection.id, ConnectionState(connection))
        self._put(replace(before, connection=connection, stage="unknown", found=None, error=None))
        self._store()
        self._tasks.spawn(self._apply(connection.id, key), "store a connection")

    def remove(self, connection_id: str) -> None:
        """Remove a connection with its key. If one of its models was chosen, the local model answers from now on."""
        if self._chosen is not None and self._chosen[0] == connection_id:
            self.choose_local()
        self._states.pop(connection_id, None)
        self._new_keys.pop(connection_id, None)
        self._looked_at.pop(connection_id, None)
        self._store()
        self.changed.emit(self.states)
        self._tasks.spawn(self._forget(connection_id), "remove a connection")

    async def aclose(self) -> None:
        """Idempotent."""
        await self._tasks.aclose()
        for each in self._open.values():
            await each.aclose()
        self._open.clear()
        await self._thread.aclose()

    def _put(self, state: ConnectionState) -> None:
        self._states[state.connection.id] = state
        self.changed.emit(self.states)

    def _store(self) -> None:
        self._settings.change(connections=[connection_record(each.connection) for each in self._states.values()])

    def _is_same_server(self, connection: Connection) -> bool:
        stored = self._states.get(connection.id)
        return stored is not None and stored.connection.address == connection.address

    async def _stored_key(self, connection: Connection) -> str:
        return (await self._read_key(connection.id))[0] if self._is_same_server(connection) else ""

    async def _read_key(self, connection_id: str) -> tuple[str, KeyPlace]:
        if connection_id in self._new_keys:
            return self._new_keys[connection_id], ""
        try:
            return await detached("read-key", self._keys.read, connection_id)
        except OSError as error:
            self.not_stored.emit(error)
            return "", ""

    async def _opened(self, connection_id: str) -> OpenConnection:
        while connection_id not in self._open:
            asked = self._states[connection_id].connection
            key, place = await self._read_key(connection_id)
            state = self._states[connection_id]
            if state.connection.address != asked.address:
                continue  # the key belongs to the address before
            self._open[connection_id] = OpenConnection(state.connection, key, self._thread)
            self._put(replace(state, key_place=place))
        return self._open[connection_id]

    async def _look(self, connection_id: str) -> None:
        self._put(replace(self._states[connection_id], stage="asking", error=None))
        try:
            opened = await self._opened(connection_id)
            found = await opened.look()
        except EngineError as error:
            if (state := self._states.get(connection_id)) is not None:
                self._looked_at[connection_id] = time.monotonic()
                self._put(replace(state, stage="failed", error=error))
            return
        except KeyError:  # the connection was removed meanwhile
            return
        if (state := self._states.get(connection_id)) is None:
            return
        self._looked_at[connection_id] = time.monotonic()
        self._put(replace(state, connection=opened.connection, stage="reachable", found=found, error=None))
        if state.connection != opened.connection:
            self._store()

    def _connect(self) -> None:
        """Show that the chosen model is awaited, and ask its server."""
        if self._chosen is not None:
            connection_id, model_id = self._chosen
            awaited = AwaitedEngine(self._awaited_model(connection_id, model_id))
            self._models.answer_with(awaited)
            self._tasks.spawn(self._end_waiting(awaited), "connect to a server")

    async def _end_waiting(self, awaited: AwaitedEngine) -> None:
        """Let the awaited model answer if its server has it. Does nothing if another model was chosen meanwhile."""
        model = awaited.status.model
        await self.look_at(model.connection_id)
        if self._chosen != (model.connection_id, model.id) or not self._models.is_answered_by(awaited):
            return
        try:
            found = self._model(model.connection_id, model.id)
        except EngineError as error:
            awaited.fail(error)
        else:
            self._models.answer_with(self._open[model.connection_id].engine(found))

    def _model(self, connection_id: str, model_id: str) -> RemoteModel:
        """A model of a server that was asked. Raises the error of the server, or ServerFailed if it does not have the
        model; NotLoaded if the connection was removed."""
        state = self._states.get(connection_id)
        if state is None:
            raise NotLoaded
        if state.error is not None:
            raise state.error
        if (found := next((each for each in state.models if each.id == model_id), None)) is None:
            reason = Reason("it does not have the model {name}", name=model_id)
            raise ServerFailed(state.connection.host, reason, 404)
        return found

    def _awaited_model(self, connection_id: str, model_id: str) -> RemoteModel:
        """What is known of a model before its server was reached."""
        connection = self._states[connection_id].connection
        kind = connection.kind if connection.kind != "auto" else "openai"
        return RemoteModel(
            id=model_id,
            name=shown_name(model_id),
            host=connection.host,
            connection_id=connection_id,
            kind=kind,
            capabilities=CAPABILITIES[kind],
        )

    async def _apply(self, connection_id: str, key: str | None) -> None:
        """Store the key, and use the new address from now on."""
        if key is not None:
            try:
                await detached("write-key", self._keys.write, connection_id, key)
            except OSError as error:
                self.not_stored.emit(error)
            else:
                if self._new_keys.get(connection_id) == key:
                    del self._new_keys[connection_id]
        await self._close(connection_id)
        if connection_id not in self._states:
            return
        if self._chosen is not None and self._chosen[0] == connection_id:
            self._connect()
        else:
            self.look_at(connection_id)

    async def _forget(self, connection_id: str) -> None:
        await self._close(connection_id)
        try:
            await detached("remove-key", self._keys.remove, connection_id)
        except OSError as error:
            self.not_stored.emit(error)

    async def _close(self, connection_id: str) -> None:
        if (look := self._looks.pop(connection_id, None)) is not None and not look.done():
            look.cancel()
            with suppress(asyncio.CancelledError):
                await look
        if (opened := self._open.pop(connection_id, None)) is not None:
            await opened.aclose()

    def _notice_local_model(self, _: object) -> None:
        """Forget the choice if the local model answers, because the user has chosen or loaded it."""
        if self._chosen is not None and self._models.answers_locally:
            self._chosen = None
            self._settings.change(remote_model={})
