"""What routes get by FastAPI's dependency injection: the loaded model, the settings, the body, and the ways to answer.

All dependencies are coroutines, because FastAPI runs plain functions on a thread pool.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, TypeVar

from fastapi import Depends, FastAPI
from fastapi import Request as HttpRequest
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from api.activity import Activity
from api.answer import Answer, schema_headers, violated_keywords
from api.authentication import KeyHolder
from api.body import parse_body
from api.errors import BodyTooLarge, ModelNotFound
from api.fields.adapters import check_scales
from api.keep_alive import KeepAlive
from api.request_record import BODY, REQUEST_ID, holder_of
from api.settings import EndpointSettings
from api.streaming import SSE, EventStreamResponse, EventWriter, Framing
from engine.capability_check import check_capabilities
from engine.chat_engine import ChatEngine, ChatModel, EngineStatus, Queries
from engine.errors import EngineClosed, NotLoaded, RemoteError, Unsupported
from engine.events import Embeddings
from engine.requests import EmbedRequest, Request
from engine.status import EmbedderInfo, ModelInfo, ModelProps, Status

T = TypeVar("T")
Body = TypeVar("Body", bound=BaseModel)

LARGE_BODY_BYTES = 65536
MAX_LARGE_BODIES = 2
"""Maximum number of large bodies that are parsed at the same time."""


def engine_of(app: FastAPI) -> ChatEngine:
    engine: ChatEngine = app.state.engine
    return engine


def activity_of(app: FastAPI) -> Activity:
    activity: Activity = app.state.activity
    return activity


async def get_status(http: HttpRequest) -> EngineStatus:
    return engine_of(http.app).status


def embedder_of(status: EngineStatus) -> EmbedderInfo | None:
    """Returns the embedding model beside a local chat model."""
    return status.embedder if isinstance(status, Status) else None


async def get_activity(http: HttpRequest) -> Activity:
    return activity_of(http.app)


async def get_holder(http: HttpRequest) -> KeyHolder:
    return holder_of(http.scope)


async def get_settings(http: HttpRequest) -> EndpointSettings:
    settings: EndpointSettings = http.app.state.settings
    return settings


async def get_keep_alive(http: HttpRequest) -> KeepAlive:
    keep_alive: KeepAlive = http.app.state.keep_alive
    return keep_alive


StatusDep = Annotated[EngineStatus, Depends(get_status)]
ActivityDep = Annotated[Activity, Depends(get_activity)]
KeyHolderDep = Annotated[KeyHolder, Depends(get_holder)]
SettingsDep = Annotated[EndpointSettings, Depends(get_settings)]
KeepAliveDep = Annotated[KeepAlive, Depends(get_keep_alive)]


async def use_keep_alive(http: HttpRequest, keep_alive: KeepAliveDep) -> AsyncGenerator[KeepAlive, None]:
    """Keeps the model in use until the answer has been sent or the client has disconnected. GET requests do not count
    as use."""
    if http.method == "GET":
        yield keep_alive
    else:
        with keep_alive.in_use():
            yield keep_alive


async def get_model(status: StatusDep, keep_alive: KeepAliveDep) -> ChatModel:
    """Returns the loaded model. If the model was unloaded because it was idle, returns that model, because the request
    will load it again.

    Raises NotLoaded, EngineDead, EngineClosed, RemoteError."""
    match status.state:
        case "ready" if status.model is not None:
            return status.model
        case "dead" if status.error is not None:
            raise status.error
        case "closed":
            raise EngineClosed
    if keep_alive.unloaded_model is not None:
        return keep_alive.unloaded_model
    raise status.error if isinstance(status.error, RemoteError) else NotLoaded(loading=status.state == "loading")


KeepAliveInUseDep = Annotated[KeepAlive, Depends(use_keep_alive)]
ModelDep = Annotated[ChatModel, Depends(get_model)]


async def read_body(http: HttpRequest, shape: type[Body], limit_bytes: int | None = None) -> Body:
    """Parses the request's JSON body. Raises the exceptions of `parse_body`, and BodyTooLarge for a body above
    `limit_bytes`.

    Large bodies are parsed on other threads, at most MAX_LARGE_BODIES at a time. So the event loop stays responsive and
    the memory is bounded."""
    content = await http.body()
    if limit_bytes is not None and len(content) > limit_bytes:
        raise BodyTooLarge(limit_bytes)
    if http.app.state.settings.keep_bodies:
        http.scope[BODY] = content
    if len(content) < LARGE_BODY_BYTES:
        return parse_body(content, shape)
    async with http.app.state.large_bodies:
        return await asyncio.to_thread(parse_body, content, shape)


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One HTTP request to the chat model, and the ways to answer it. Used on the endpoint's event loop only."""

    http: HttpRequest
    engine: ChatEngine
    model: ChatModel
    settings: EndpointSettings
    activity: Activity
    keep_alive: KeepAlive

    @property
    def request_id(self) -> str:
        """The request's id, which the response's headers and /v1/activity contain."""
        return _request_id(self.http)

    @property
    def now(self) -> int:
        """The current Unix time, in whole seconds."""
        return int(time.time())

    async def read(self, shape: type[Body]) -> Body:
        """Parses the JSON body. Raises the exceptions of `read_body`."""
        return await read_body(self.http, shape)

    async def read_query(self, shape: type[Body]) -> Body:
        """Parses the JSON body of a query about the model, for which a smaller size limit applies.

        Raises the exceptions of `read_body`."""
        return await read_body(self.http, shape, self.settings.max_query_bytes)

    def check_model(self, name: str | None) -> None:
        """Raises ModelNotFound if the settings refuse unknown models, and `name` is not the loaded model's name."""
        if self.settings.unknown_model == "404" and name not in (None, self.model.id):
            raise ModelNotFound(name or "")

    async def query(self, work: Callable[[Queries], Coroutine[None, None, T]], *, answer_follows: bool = False) -> T:
        """Runs a query about the model. It is cancelled when its client disconnects or someone stops it.

        `answer_follows`: the query prepares an answer, and /v1/activity lists only the answer. Raises EngineError,
        RequestStopped, QueueFull."""
        return await self.activity.query(
            self.request_id,
            lambda: work(self.engine.queries),
            self.http.scope,
            self.http.receive,
            answer_follows=answer_follows,
        )

    async def collect(self, requests: Sequence[Request]) -> list[Answer]:
        """Runs the requests, and returns their complete answers. Raises EngineError, RequestStopped, QueueFull,
        BadRequest."""
        self._check_supported(requests)
        async with self.activity.submit(self.engine, requests, self.http.scope, self.http.receive) as stream:
            answers = await stream.collect()
        pairs = zip(requests, answers, strict=True)
        return [replace(answer, not_met=violated_keywords(request, answer)) for request, answer in pairs]

    def _check_supported(self, requests: Sequence[Request]) -> None:
        """Raises Unsupported, and BadRequest for scales of adapters that the model does not have."""
        for request in requests:
            check_capabilities(request, self.engine.capabilities)
            if isinstance(self.model, ModelInfo):
                check_scales(request.adapter_scales, len(self.model.adapters))

    def reply(self, body: object, answers: Sequence[Answer]) -> Response:
        """Returns `body` as JSON, with headers that list the schema keywords that were not enforced or not met in
        `answers`."""
        return JSONResponse(
            body,
            headers=schema_headers(
                not_enforced=[each for answer in answers for each in answer.not_enforced],
                not_met=[each for answer in answers for each in answer.not_met],
            ),
        )

    def stream(
        self,
        requests: Sequence[Request],
        writer: EventWriter,
        framing: Framing = SSE,
        *,
        ends_on_thread: bool = False,
    ) -> Response:
        """Runs the requests, and streams their answers. For `ends_on_thread` see EventStreamResponse. Raises
        BadRequest."""
        self._check_supported(requests)
        return EventStreamResponse(
            partial(self.activity.submit, self.engine, requests),
            writer,
            self.settings.ping_interval_s,
            framing,
            ends_on_thread=ends_on_thread,
        )


async def known_props(queries: Queries) -> ModelProps:
    """Returns the model's properties. Those that the engine does not know are empty."""
    try:
        return await queries.props()
    except Unsupported:
        return ModelProps("", "", "", 1, False)


@dataclass(frozen=True, slots=True)
class EmbeddingContext:
    """One HTTP request for embeddings. `model`: id of the embedding model, or of the chat model if there is no
    embedding model."""

    http: HttpRequest
    engine: ChatEngine
    model: str
    settings: EndpointSettings
    activity: Activity
    keep_alive: KeepAlive

    @property
    def request_id(self) -> str:
        """The request's id, which the response's headers and /v1/activity contain."""
        return _request_id(self.http)

    def check_model(self, name: str | None) -> None:
        """Raises ModelNotFound if the settings refuse unknown models, and no loaded model has this name."""
        chat = self.engine.status.model or self.keep_alive.unloaded_model
        known = (None, self.model, chat.id if chat else None)
        if self.settings.unknown_model == "404" and name not in known:
            raise ModelNotFound(name or "")

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Computes embeddings. Raises EngineError, RequestStopped, QueueFull."""
        if not self.engine.capabilities.embeddings:
            raise Unsupported("embeddings")
        return await self.activity.embed(self.engine, request, self.http.scope, self.http.receive)


def _request_id(http: HttpRequest) -> str:
    request_id: str = http.scope[REQUEST_ID]
    return request_id


async def get_request_context(
    http: HttpRequest, model: ModelDep, settings: SettingsDep, activity: ActivityDep, keep_alive: KeepAliveInUseDep
) -> RequestContext:
    """Returns the context of a request to the chat model. Raises the exceptions of `get_model`."""
    return RequestContext(http, engine_of(http.app), model, settings, activity, keep_alive)


async def get_embedding_context(
    http: HttpRequest, status: StatusDep, settings: SettingsDep, activity: ActivityDep, keep_alive: KeepAliveInUseDep
) -> EmbeddingContext:
    """Returns the context of an embedding request. Raises the exceptions of `get_model` unless an embedding model is
    loaded."""
    embedder = embedder_of(status)
    name = embedder.id if embedder is not None else (await get_model(status, keep_alive)).id
    return EmbeddingContext(http, engine_of(http.app), name, settings, activity, keep_alive)


RequestContextDep = Annotated[RequestContext, Depends(get_request_context)]
EmbeddingContextDep = Annotated[EmbeddingContext, Depends(get_embedding_context)]
