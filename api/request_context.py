"""What a route has at hand for one call: the loaded model, the body, and the two ways to answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar

from fastapi import Depends
from fastapi import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from api.activity import Activity
from api.answer import Answer
from api.deps import (
    Body,
    EngineDep,
    KeepAliveInUseDep,
    ModelDep,
    Requests,
    Settings,
    StatusDep,
    engine_of,
    get_model,
    read_body,
)
from api.error_bodies import schema_headers
from api.errors import ModelNotFound
from api.keep_alive import KeepAlive
from api.request_record import REQUEST_ID
from api.settings import EndpointSettings
from api.streaming import SSE, EventStreamResponse, EventWriter, Framing
from api.unmet import unmet
from engine.engine import Engine
from engine.events import Embeddings
from engine.model_queries import ModelQueries
from engine.requests import EmbedRequest, Request
from engine.status import ModelInfo

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Belongs to the endpoint's loop."""

    http: HttpRequest
    engine: Engine
    model: ModelInfo
    settings: EndpointSettings
    activity: Activity
    keep_alive: KeepAlive

    @property
    def request_id(self) -> str:
        """By which the client and /v1/activity know the call."""
        return _request_id(self.http)

    @property
    def now(self) -> int:
        """Unix time, in whole seconds."""
        return int(time.time())

    async def read(self, shape: type[Body]) -> Body:
        """The call's JSON body. Raises BadRequest."""
        return await read_body(self.http, shape)

    def check_model(self, name: str | None) -> None:
        """Raises ModelNotFound where the settings refuse a name that is not the model's."""
        if self.settings.unknown_model == "404" and name not in (None, self.model.id):
            raise ModelNotFound(name or "")

    async def read_query(self, shape: type[Body]) -> Body:
        """As `read`, of what asks about the model without an answer: a text that no context holds is refused.

        Raises BadRequest, BodyTooLarge."""
        return await read_body(self.http, shape, self.settings.max_query_bytes)

    async def query(
        self, work: Callable[[ModelQueries], Coroutine[None, None, Result]], *, answer_follows: bool = False
    ) -> Result:
        """What `work` finds out about the model. Ends with its client, and can be stopped as answers can.

        `answer_follows`: an answer of the same request follows, which is what /v1/activity remembers.
        Raises EngineError, RequestStopped, QueueFull."""
        http, ask = self.http, self.engine.queries
        return await self.activity.query(
            self.request_id, lambda: work(ask), http.scope, http.receive, answer_follows=answer_follows
        )

    async def collect(self, requests: Sequence[Request]) -> list[Answer]:
        """The whole answers. Raises EngineError, RequestStopped."""
        async with self.activity.ask(self.engine, requests, self.http.scope, self.http.receive) as together:
            answers = await together.collect()
        pairs = zip(requests, answers, strict=True)
        return [replace(answer, not_met=unmet(request, answer)) for request, answer in pairs]

    def reply(self, body: object, answers: Sequence[Answer]) -> Response:
        """The whole answer as JSON, with headers for what of its schemas was not enforced, and what is not met."""
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
        report: Callable[[int], bytes] | None = None,
    ) -> Response:
        """`ends_on_thread`, `report`: see EventStreamResponse."""
        return EventStreamResponse(
            self.engine,
            self.activity,
            requests,
            writer,
            self.settings.ping_interval_s,
            framing,
            ends_on_thread=ends_on_thread,
            report=report,
        )


@dataclass(frozen=True, slots=True)
class EmbeddingContext:
    """What a route has at hand to embed. `model` names the embedding model, else the chat model."""

    http: HttpRequest
    engine: Engine
    model: str
    settings: EndpointSettings
    activity: Activity
    keep_alive: KeepAlive

    @property
    def request_id(self) -> str:
        """By which the client and /v1/activity know the call."""
        return _request_id(self.http)

    def check_model(self, name: str | None) -> None:
        """Raises ModelNotFound where the settings refuse a name that no loaded model has."""
        chat = self.engine.status.model or self.keep_alive.unloaded_model
        known = (None, self.model, chat.id if chat else None)
        if self.settings.unknown_model == "404" and name not in known:
            raise ModelNotFound(name or "")

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Raises EngineError, RequestStopped."""
        return await self.activity.embed(self.engine, request, self.http.scope, self.http.receive)


def _request_id(http: HttpRequest) -> str:
    request_id: str = http.scope[REQUEST_ID]
    return request_id


async def get_embedding_context(
    http: HttpRequest, status: StatusDep, settings: Settings, activity: Requests, keep_alive: KeepAliveInUseDep
) -> EmbeddingContext:
    """Raises as `get_model` does, unless an embedding model is loaded."""
    name = status.embedder.id if status.embedder is not None else (await get_model(status, keep_alive)).id
    return EmbeddingContext(http, engine_of(http.app), name, settings, activity, keep_alive)


EmbeddingContextDep = Annotated[EmbeddingContext, Depends(get_embedding_context)]


async def get_request_context(
    http: HttpRequest,
    engine: EngineDep,
    model: ModelDep,
    settings: Settings,
    activity: Requests,
    keep_alive: KeepAliveInUseDep,
) -> RequestContext:
    """Raises as `get_model` does."""
    return RequestContext(http, engine, model, settings, activity, keep_alive)


RequestContextDep = Annotated[RequestContext, Depends(get_request_context)]
