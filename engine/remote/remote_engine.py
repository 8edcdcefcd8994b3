"""A chat model on another server, as an engine."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from engine.chat_engine import Capabilities
from engine.errors import AccessDenied, EngineClosed, EngineDead, EngineError, ServerFailed, ServerUnreachable
from engine.events import Embeddings, Failed, Finished, Scores
from engine.publisher import Publisher
from engine.redacted_traceback import redacted_traceback
from engine.remote.answer_reader import AnswerFailed, AnswerReader
from engine.remote.client import ConnectionClient, drain
from engine.remote.remote_model import RemoteModel
from engine.remote.remote_queries import RemoteQueries
from engine.remote.remote_request import RemoteRequest, RemoteRequests
from engine.remote.request_body import chat_body, completion_body, embedding_body
from engine.remote.reranking import scores_by
from engine.remote.retry import RetryPlan
from engine.remote.untrusted_json import JsonObject, count_in, list_in, object_in, objects_in
from engine.request_state import RequestProgress
from engine.requests import ChatRequest, EmbedRequest, Request, RerankRequest
from engine.stream import RequestStream

log = logging.getLogger(__name__)

EMBED_TIMEOUT_S = 600.0

NEWER_LENGTH_FIELD = "max_completion_tokens"
"""OpenAI's newer models refuse `max_tokens`, and other servers do not know this name."""


@dataclass(frozen=True, slots=True)
class RemoteStatus:
    """See `engine.chat_engine.EngineStatus`. With the state "dead", the last request did not reach the server, or was
    refused its key. Requests are still accepted, and the next one that is answered ends the state."""

    state: Literal["ready", "dead", "closed"]
    model: RemoteModel
    progress: float = 1.0
    error: EngineError | None = None


class RemoteEngine:
    """A model on another server. See `engine.chat_engine.ChatEngine`. May be used on any thread with a running event
    loop. Several engines can share the client of a connection."""

    def __init__(self, client: ConnectionClient, model: RemoteModel) -> None:
        self._client = client
        self._model = model
        self._requests = RemoteRequests()
        self._publisher: Publisher[RemoteStatus] = Publisher(RemoteStatus("ready", model))
        self._length_field = "max_tokens"
        """The field for the maximum length of an answer. Read and written on the remote thread only."""

    @property
    def queries(self) -> RemoteQueries:
        return RemoteQueries(self._client, self._model)

    @property
    def status(self) -> RemoteStatus:
        return self._publisher.status

    @property
    def capabilities(self) -> Capabilities:
        return self._model.capabilities

    def submit(self, request: Request) -> RequestStream:
        """Sends a request and returns the stream of its events, which arrive on the running event loop. Never blocks.

        Raises EngineClosed. Errors of the request and of the connection arrive as a `Failed` event."""
        if self.status.state == "closed":
            raise EngineClosed
        stream = RequestStream(request.id, asyncio.get_running_loop(), self.cancel)
        state = RemoteRequest(request, stream)
        self._requests.open(state)
        try:
            state.task = self._client.thread.spawn(self._answer(state), lambda task: self._end(state, task))
        except EngineClosed:
            self._requests.close(state, Failed(EngineClosed()))
            raise
        if state.cancelled.is_set():
            state.task.cancel()
        return stream

    def cancel(self, request_id: str) -> None:
        """Cancels a request, and closes its connection to the server. Its last event still arrives. Ignores unknown
        ids. Idempotent."""
        state = self._requests.find(request_id)
        if state is not None and not state.cancelled.is_set():
            state.cancelled.set()
            if state.task is not None:
                state.task.cancel()

    def progress(self, request_id: str) -> RequestProgress | None:
        state = self._requests.find(request_id)
        return None if state is None else state.progress()

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Computes embeddings on the server. Raises EngineClosed, Unsupported, and the errors of the connection."""
        if self.status.state == "closed":
            raise EngineClosed
        return await self._client.thread.call(embeddings_by(self._client, self._model, request))

    async def rerank(self, request: RerankRequest) -> Scores:
        """Scores documents on the server. Raises EngineClosed, and the errors of the connection."""
        if self.status.state == "closed":
            raise EngineClosed
        return await self._client.thread.call(scores_by(self._client, self._model.id, request))

    def forget(self, owners: Collection[str]) -> None:
        """Does nothing: this computer keeps nothing of a remote model in memory."""

    def watch(self, listener: Callable[[RemoteStatus], None]) -> Callable[[], None]:
        return self._publisher.watch(listener)

    def replace_model(self, model: RemoteModel) -> None:
        """Publishes what a new look at the server found about the model. Ends the state "dead", because the server
        answers."""
        self._model = model
        self._publisher.update(lambda status: status if status.state == "closed" else RemoteStatus("ready", model))

    async def aclose(self) -> None:
        """Cancels all requests and waits until their connections are closed. Idempotent."""
        self._publisher.update(lambda status: RemoteStatus("closed", status.model))
        open_requests = self._requests.all()
        for state in open_requests:
            self.cancel(state.request.id)
        for state in open_requests:
            if state.task is not None:
                with suppress(EngineClosed):
                    await self._client.thread.call(state.task.wait())

    async def _answer(self, state: RemoteRequest) -> Finished | Failed:
        """Sends the request until it is answered, and returns its last event. Remote thread only."""
        retry = RetryPlan()
        while True:
            try:
                reader = reader_for(state.request, self._client.host)
                await self._send(state, reader, self._client, self._model)
                return last_event(state, reader)
            except AnswerFailed as failure:
                return Failed(failure.error)
            except EngineError as error:
                if self._must_rename_length_field(state, error):
                    continue
                if reader.ending is not None:  # the connection was lost after the answer's last token
                    return last_event(state, reader)
                delay_s = None if state.was_answered else retry.delay_s(error)
                if delay_s is None:
                    self._connection_failed(error)
                    return Failed(error)
                await asyncio.sleep(delay_s)

    async def _send(
        self, state: RemoteRequest, reader: AnswerReader, client: ConnectionClient, model: RemoteModel
    ) -> None:
        """Sends the request once, and delivers the answer's events. Raises AnswerFailed, EngineError."""
        request = state.request
        if isinstance(request, ChatRequest):
            path, body = "/chat/completions", chat_body(request, model.id, model.kind, model.capabilities)
            if "max_tokens" in body:
                state.length_field = self._length_field
                body[state.length_field] = body.pop("max_tokens")
        else:
            path, body = "/completions", completion_body(request, model.id, model.kind, model.capabilities)
        state.sent_at = time.monotonic()
        async with client.stream(client.api(path), body, request.id) as blocks:
            state.was_answered = True
            self._connection_worked()
            async for block in blocks:
                state.receive(reader, block)
                if reader.is_done:
                    break
            state.deliver(reader.close())
            if reader.ending is None and not reader.is_done and state.first_at is None:
                raise ServerUnreachable(client.host, "the connection was lost")
            self._requests.close(state, last_event(state, reader))
            await drain(blocks)

    def _must_rename_length_field(self, state: RemoteRequest, error: EngineError) -> bool:
        """Whether the server refused `max_tokens` and wants OpenAI's newer name for it. From then on it is used."""
        is_refused = isinstance(error, ServerFailed) and error.status == 400 and NEWER_LENGTH_FIELD in error.reason
        if not is_refused or state.length_field != "max_tokens":
            return False
        self._length_field = NEWER_LENGTH_FIELD
        return True

    def _end(self, state: RemoteRequest, task: asyncio.Task[Finished | Failed]) -> None:
        """Sends the last event of a request whose task has ended. Remote thread only."""
        if task.cancelled():
            last: Finished | Failed = state.finished("cancelled")
        elif (error := task.exception()) is not None:
            log.error("a request to another server failed\n%s", redacted_traceback(error))
            last = Failed(EngineDead(type(error).__name__))
        else:
            last = task.result()
        if isinstance(last, Failed) and state.cancelled.is_set():
            last = state.finished("cancelled")
        self._requests.close(state, last)

    def _connection_worked(self) -> None:
        if self.status.state == "dead":
            self._publisher.update(
                lambda status: replace(status, state="ready", error=None) if status.error else status
            )

    def _connection_failed(self, error: EngineError) -> None:
        if not isinstance(error, ServerUnreachable | AccessDenied):
            return

        def change(status: RemoteStatus) -> RemoteStatus:
            return status if status.state == "closed" else replace(status, state="dead", error=error)

        self._publisher.update(change)


def last_event(state: RemoteRequest, reader: AnswerReader) -> Finished | Failed:
    """The last event of an answer that was read to its end."""
    host, ending = reader.host, reader.ending
    if ending is None:
        if reader.is_done:
            return Failed(ServerFailed(host, "it ended the answer early", 200))
        return Failed(ServerUnreachable(host, "the connection was lost"))
    is_known = ending.stop_string is not None and ending.stop_string in state.request.stop
    return state.finished(ending.reason, reader.usage, ending.stop_string if is_known else None)


def reader_for(request: Request, host: str) -> AnswerReader:
    return AnswerReader(
        host,
        wants_choices=request.n_logprobs is not None,
        n_others=request.n_logprobs or 0,
        parallel_calls=not isinstance(request, ChatRequest) or request.parallel_tool_calls,
    )


async def embeddings_by(client: ConnectionClient, model: RemoteModel, request: EmbedRequest) -> Embeddings:
    """Computes embeddings with one model. Remote thread only. Raises Unsupported, and the errors of the connection."""
    body = embedding_body(request, model.id, model.kind)
    reply = await client.post(client.api("/embeddings"), body, timeout_s=EMBED_TIMEOUT_S, request_id=request.id)
    return _embeddings(reply, len(request.inputs), client.host)


def _embeddings(reply: JsonObject, n_inputs: int, host: str) -> Embeddings:
    """Reads the answer to an embedding request. The vectors are normalised to length 1."""
    entries = objects_in(reply, "data")
    by_index = {count_in(entry, "index"): entry for entry in entries}
    vectors = [_vector(list_in(by_index.get(at, {}), "embedding")) for at in range(n_inputs)]
    if any(not vector for vector in vectors):
        raise ServerFailed(host, "its embeddings cannot be read", 200)
    return Embeddings(tuple(vectors), count_in(object_in(reply, "usage"), "prompt_tokens"))


def _vector(given: list[object]) -> tuple[float, ...]:
    """Returns a vector of length 1; an empty one if `given` has other elements than finite numbers."""
    try:
        numbers = [float(each) for each in given if isinstance(each, int | float)]
    except OverflowError:
        return ()
    length = math.hypot(*numbers)
    if len(numbers) != len(given) or not math.isfinite(length):
        return ()
    return tuple(each / length for each in numbers) if length else tuple(numbers)
