"""Several servers with the same model behind one name. Each request goes to the one with the fewest requests."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from engine.chat_engine import Capabilities
from engine.errors import (
    AccessDenied,
    EngineClosed,
    EngineError,
    NotLoaded,
    ServerBusy,
    ServerFailed,
    ServerUnreachable,
)
from engine.events import Embeddings, Failed, Finished
from engine.remote.answer_reader import AnswerFailed
from engine.remote.client import ConnectionClient
from engine.remote.discovery import PROBE_TIMEOUT_S, find_server
from engine.remote.remote_engine import RemoteEngine, embeddings_by, last_event, reader_for
from engine.remote.remote_model import RemoteModel
from engine.remote.remote_queries import RemoteQueries
from engine.remote.remote_request import RemoteRequest
from engine.remote.remote_thread import RemoteTask
from engine.requests import EmbedRequest

log = logging.getLogger(__name__)

CHECK_S = 10.0
"""Interval of the checks whether the servers answer."""
RECHECK_S = 1.0
"""The same while one of them does not."""


@dataclass(eq=False, slots=True)
class Upstream:
    """One of the servers. Written on the remote thread only."""

    client: ConnectionClient
    number: int
    """The place of its address in the group, from 1. The log names the server by it."""
    model: RemoteModel | None = None
    """None until the server was reached."""
    n_running: int = 0
    used_at: float = 0.0
    error: EngineError | None = None
    """Why the server is skipped; None if it is not."""
    failed_at: float = 0.0

    @property
    def is_live(self) -> bool:
        return self.model is not None and self.error is None


class UpstreamGroup(RemoteEngine):
    """See `engine.chat_engine.ChatEngine`. All clients share one `RemoteThread`.

    A request that fails before its first token goes to another server; one that fails later ends with its error. A
    server that cannot be reached, or fails, gets no requests until a check finds that it answers again. If all are
    skipped, they are tried one after the other."""

    def __init__(self, name: str, clients: Sequence[ConnectionClient]) -> None:
        """`name`: the id of the model here. Each server should have a model with this id, or only one model."""
        self._upstreams = [Upstream(each, number) for number, each in enumerate(clients, 1)]
        hosts = ", ".join(dict.fromkeys(each.host for each in clients))
        model = RemoteModel(
            id=name,
            name=name,
            host=hosts,
            connection_id=name,
            kind="openai",
            capabilities=Capabilities(),
            is_loaded=False,
        )
        super().__init__(clients[0], model)
        self._watching: RemoteTask | None = None
        self._any_failed = asyncio.Event()
        """Used on the remote thread only."""

    @property
    def queries(self) -> RemoteQueries:
        """Queries to one of the servers. Raises NotLoaded if none was reached yet."""
        upstream = self._choose(())
        if upstream is None or upstream.model is None:
            raise NotLoaded(loading=True)
        return RemoteQueries(upstream.client, upstream.model)

    def start(self) -> None:
        """Begins to check the servers."""
        if self._watching is None:
            self._watching = self._client.thread.spawn(self._watch(), lambda task: None)

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Computes embeddings on one of the servers. Raises EngineClosed, Unsupported, and the errors of the
        connections."""
        if self.status.state == "closed":
            raise EngineClosed
        return await self._client.thread.call(self._embed(request))

    async def aclose(self) -> None:
        """Cancels all requests and checks, and closes the clients. Idempotent."""
        if self._watching is not None:
            self._watching.cancel()
        await super().aclose()
        for upstream in self._upstreams:
            await upstream.client.aclose()

    async def _answer(self, state: RemoteRequest) -> Finished | Failed:
        tried: list[Upstream] = []
        error: EngineError = NotLoaded(loading=True)
        while (upstream := self._choose(tried)) is not None and upstream.model is not None:
            tried.append(upstream)
            reader = reader_for(state.request, upstream.client.host)
            upstream.n_running += 1
            upstream.used_at = time.monotonic()
            try:
                await self._send(state, reader, upstream.client, upstream.model)
                self._succeeded(upstream)
                return last_event(state, reader)
            except AnswerFailed as failure:
                return Failed(failure.error)
            except EngineError as failure:
                if self._must_rename_length_field(state, failure):
                    tried.remove(upstream)
                    continue
                if reader.ending is not None:  # the connection was lost after the answer's last token
                    return last_event(state, reader)
                error = failure
                self._failed(upstream, error)
                if state.first_at is not None or not _may_work_elsewhere(error):
                    break
            finally:
                upstream.n_running -= 1
        return Failed(error)

    async def _embed(self, request: EmbedRequest) -> Embeddings:
        tried: list[Upstream] = []
        error: EngineError = NotLoaded(loading=True)
        while (upstream := self._choose(tried)) is not None and upstream.model is not None:
            tried.append(upstream)
            upstream.n_running += 1
            try:
                return await embeddings_by(upstream.client, upstream.model, request)
            except EngineError as failure:
                error = failure
                self._failed(upstream, error)
                if not _may_work_elsewhere(error):
                    break
            finally:
                upstream.n_running -= 1
        raise error

    def _choose(self, tried: Collection[Upstream]) -> Upstream | None:
        """Returns the live server with the fewest requests, among equals the one that was used least recently. If no
        server that was tried is live, the others follow, first the one whose last failure is the oldest."""
        live = [each for each in self._upstreams if each.is_live and each not in tried]
        if live:
            return min(live, key=lambda each: (each.n_running, each.used_at))
        if any(each.is_live for each in tried):
            return None
        known = [each for each in self._upstreams if each.model is not None and each not in tried]
        return min(known, key=lambda each: each.failed_at, default=None)

    def _succeeded(self, upstream: Upstream) -> None:
        if upstream.error is not None:
            log.warning("server %s of a group answers again", upstream.number)
            upstream.error = None
        self._connection_worked()

    def _failed(self, upstream: Upstream, error: EngineError) -> None:
        """A busy server is not skipped, but the next request goes to another one if it has fewer."""
        if not isinstance(error, ServerUnreachable | AccessDenied) and not _is_server_error(error):
            return
        if upstream.error is None:
            log.warning("server %s of a group is skipped: %s", upstream.number, type(error).__name__)
        upstream.error, upstream.failed_at = error, time.monotonic()
        self._any_failed.set()
        if not any(each.is_live for each in self._upstreams):
            self._connection_failed(error)

    async def _watch(self) -> None:
        """Remote thread only."""
        while True:
            await asyncio.gather(*(self._check(each) for each in self._upstreams))
            if all(each.is_live for each in self._upstreams):
                with suppress(TimeoutError):
                    async with asyncio.timeout(CHECK_S):
                        await self._any_failed.wait()
            self._any_failed.clear()
            if not all(each.is_live for each in self._upstreams):
                await asyncio.sleep(RECHECK_S)

    async def _check(self, upstream: Upstream) -> None:
        try:
            if upstream.model is None:
                await self._find_model(upstream)
            else:
                await upstream.client.get(upstream.client.api("/models"), timeout_s=PROBE_TIMEOUT_S)
        except EngineError as error:
            self._failed(upstream, error)
        else:
            self._succeeded(upstream)

    async def _find_model(self, upstream: Upstream) -> None:
        """Finds the model with the group's name on a server, else the server's first one."""
        client = upstream.client
        found = await find_server(client)
        if not found.models:
            raise ServerFailed(client.host, "it has no models", 200)
        if found.api_path != client.connection.api_path:
            upstream.client = client.at(found.api_path)
            await client.aclose()
        by_id = {model.id: model for model in found.models}
        upstream.model = model = by_id.get(self._model.id, found.models[0])
        if not self._model.is_loaded:
            own = self._model
            self.replace_model(replace(model, id=own.id, name=own.name, host=own.host, is_loaded=True))


def _may_work_elsewhere(error: EngineError) -> bool:
    return isinstance(error, ServerUnreachable | AccessDenied | ServerBusy) or _is_server_error(error)


def _is_server_error(error: EngineError) -> bool:
    return isinstance(error, ServerFailed) and error.status >= 500
