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
from api.call import REQUEST_ID
from api.deps import (
    Body,
    EngineStatus,
    LoadedEngine,
    LoadedModel,
    Requests,
    Settings,
    UsedShelf,
    engine_of,
    get_model,
    read_body,
)
from api.errors import ModelUnknown
from api.settings import EndpointSettings
from api.shapes import schema_headers
from api.shelf import Shelf
from api.sse import SSE, EventStream, EventWriter, Framing
from api.unmet import unmet
from engine.engine import Engine
from engine.events import Embeddings, ModelInfo
from engine.questions import Questions
from engine.requests import EmbedRequest, Request

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Desk:
    """Belongs to the endpoint's loop."""

    http: HttpRequest
    engine: Engine
    model: ModelInfo
    settings: EndpointSettings
    activity: Activity
    shelf: Shelf

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
        """Raises ModelUnknown where the settings refuse a name that is not the model's."""
        if self.settings.unknown_model == "404" and name not in (None, self.model.id):
            raise ModelUnknown(name or "")

    async def read_query(self, shape: type[Body]) -> Body:
        """As `read`, of what asks about the model without an answer: a text that no context holds is refused.

        Raises BadRequest, BodyTooLarge."""
        return await read_body(self.http, shape, self.settings.max_query_bytes)

    async def query(
        self, work: Callable[[Questions], Coroutine[None, None, Result]], *, is_first_step: bool = False
    ) -> Result:
        """What `work` finds out about the model. Ends with its client, and can be stopped as answers can.

        `is_first_step`: an answer of the same request follows, which is what /v1/activity remembers.
        Raises EngineError, StoppedHere, QueueFull."""
        http, ask = self.http, self.engine.ask
        return await self.activity.query(
            self.request_id, lambda: work(ask), http.scope, http.receive, is_first_step=is_first_step
        )

    async def collect(self, requests: Sequence[Request]) -> list[Answer]:
        """The whole answers. Raises EngineError, StoppedHere."""
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
        """`ends_on_thread`, `report`: see EventStream."""
        return EventStream(
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
class EmbeddingDesk:
    """What a route has at hand to embed. `model` names the embedding model, else the chat model."""

    http: HttpRequest
    engine: Engine
    model: str
    settings: EndpointSettings
    activity: Activity
    shelf: Shelf

    @property
    def request_id(self) -> str:
        """By which the client and /v1/activity know the call."""
        return _request_id(self.http)

    def check_model(self, name: str | None) -> None:
        """Raises ModelUnknown where the settings refuse a name that no loaded model has."""
        chat = self.engine.status.model or self.shelf.resting
        known = (None, self.model, chat.id if chat else None)
        if self.settings.unknown_model == "404" and name not in known:
            raise ModelUnknown(name or "")

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Raises EngineError, StoppedHere."""
        return await self.activity.embed(self.engine, request, self.http.scope, self.http.receive)


def _request_id(http: HttpRequest) -> str:
    request_id: str = http.scope[REQUEST_ID]
    return request_id


async def get_embedding_desk(
    http: HttpRequest, status: EngineStatus, settings: Settings, activity: Requests, shelf: UsedShelf
) -> EmbeddingDesk:
    """Raises as `get_model` does, unless an embedding model is loaded."""
    name = status.embedder.id if status.embedder is not None else (await get_model(status, shelf)).id
    return EmbeddingDesk(http, engine_of(http.app), name, settings, activity, shelf)


AtEmbeddingDesk = Annotated[EmbeddingDesk, Depends(get_embedding_desk)]


async def get_desk(
    http: HttpRequest,
    engine: LoadedEngine,
    model: LoadedModel,
    settings: Settings,
    activity: Requests,
    shelf: UsedShelf,
) -> Desk:
    """Raises as `get_model` does."""
    return Desk(http, engine, model, settings, activity, shelf)


AtDesk = Annotated[Desk, Depends(get_desk)]
