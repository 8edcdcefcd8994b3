"""Opens remote engines for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.events import Event
from engine.remote.client import ConnectionClient, Timeouts
from engine.remote.connection import Connection, ServerKind
from engine.remote.discovery import FoundServer, find_server
from engine.remote.remote_engine import RemoteEngine
from engine.remote.remote_model import RemoteModel
from engine.remote.remote_thread import RemoteThread
from engine.remote.server_kinds import CAPABILITIES
from engine.requests import Request


@asynccontextmanager
async def client_to(
    address: str | Connection, key: str = "", timeouts: Timeouts = Timeouts()
) -> AsyncIterator[ConnectionClient]:
    connection = address if isinstance(address, Connection) else Connection.to(address)
    thread = RemoteThread()
    client = ConnectionClient(connection, key, thread=thread, timeouts=timeouts)
    try:
        yield client
    finally:
        await client.aclose()
        await thread.aclose()


@asynccontextmanager
async def engine_on(
    address: str, kind: ServerKind = "openai", *, n_ctx: int = 0, key: str = "", timeouts: Timeouts = Timeouts()
) -> AsyncIterator[RemoteEngine]:
    """An engine for a model on a server of a known kind."""
    async with client_to(address, key, timeouts) as client:
        engine = RemoteEngine(client, model_of(client, kind, n_ctx))
        try:
            yield engine
        finally:
            await engine.aclose()


def model_of(client: ConnectionClient, kind: ServerKind, n_ctx: int = 0) -> RemoteModel:
    return RemoteModel(
        id="some-model",
        name="Some model",
        n_ctx=n_ctx,
        host=client.host,
        connection_id=client.connection.id,
        kind=kind,
        capabilities=CAPABILITIES[kind],
    )


@asynccontextmanager
async def found_engine(address: str, key: str = "") -> AsyncIterator[tuple[RemoteEngine, FoundServer]]:
    """An engine for the first model that a test of the connection finds."""
    async with client_to(address, key) as client:
        found = await find_server(client)
        engine = RemoteEngine(client, found.models[0])
        try:
            yield engine, found
        finally:
            await engine.aclose()


async def events_of(engine: RemoteEngine, request: Request) -> list[Event]:
    return [event async for event in engine.submit(request)]
