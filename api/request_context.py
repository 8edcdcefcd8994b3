"""What routes get by FastAPI's dependency injection: the loaded model, the settings, the body, and the ways to answer.

All dependencies are coroutines, because FastAPI runs plain functions on a thread pool.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
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
from api.errors import BodyTooLarge, ModelNotAllowed, ModelNotFound
from api.fields.adapters import check_scales
from api.keep_alive import KeepAlive
from api.model_router import ListedModel, ModelRouter, ModelSource, ModelState, Retention, renamed
from api.request_record import BODY, REQUEST_ID, ModelNames, holder_of
from api.settings import EndpointSettings
from api.streaming import SSE, EventStreamResponse, EventWriter, Framing
from engine.capability_check import check_capabilities
from engine.chat_engine import Capabilities, ChatEngine, ChatModel, EngineStatus, Queries
from engine.errors import EngineClosed, EngineError, NotLoaded, RemoteError, Unsupported
from engine.events import Embeddings
from engine.requests import EmbedRequest, Request
from engine.status import EmbedderInfo, ModelInfo, ModelProps, Status

T = TypeVar("T")
Body = TypeVar("Body", bound=BaseModel)

LARGE_BODY_BYTES = 65536
NO_PROPS = ModelProps("", "", "", 1, False)
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


def reranker_of(status: EngineStatus) -> EmbedderInfo | None:
    """Returns the reranking model beside a local chat model."""
    return status.reranker if isinstance(status, Status) else None


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


async def use_models(http: HttpRequest, keep_alive: KeepAliveDep) -> AsyncGenerator[AsyncExitStack, None]:
    """Keeps the models of a request in use until the answer has been sent or the client has disconnected: that of the
    endpoint, except during GET requests, and those whose leases are entered into the stack."""
    async with AsyncExitStack() as uses:
        if http.method != "GET":
            uses.enter_context(keep_alive.in_use())
        yield uses


async def get_router(http: HttpRequest) -> ModelRouter:
    router: ModelRouter = http.app.state.router
    return router


async def get_model(status: StatusDep, keep_alive: KeepAliveDep) -> ChatModel:
    """Returns the loaded model. If the model was unloaded because it was idle, returns that model, because the request
    will load it again.

    Raises NotLoaded, EngineDead, EngineClosed, RemoteError."""
    match status.state:
        case "ready" if status.model is not None:
            return status.model
        case "dead" if status.model is not None and isinstance(status.error, RemoteError):
            return status.model  # the next request may reach its server again
        case "dead" if status.error is not None:
            raise status.error
        case "closed":
            raise EngineClosed
    if keep_alive.unloaded_model is not None:
        return keep_alive.unloaded_model
    raise status.error if isinstance(status.error, RemoteError) else NotLoaded(loading=status.state == "loading")


UsesDep = Annotated[AsyncExitStack, Depends(use_models)]
RouterDep = Annotated[ModelRouter, Depends(get_router)]


async def get_default(status: StatusDep, keep_alive: KeepAliveDep, router: RouterDep) -> ChatModel | Exception:
    """Returns the endpoint's model. If it is not ready, returns the reason if other models may be, else raises it."""
    try:
        return await get_model(status, keep_alive)
    except EngineError as error:
        if not router.sources:
            raise
        return error


DefaultDep = Annotated[ChatModel | Exception, Depends(get_default)]


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
    found: ChatModel | Exception
    """The model, or why there is none."""
    settings: EndpointSettings
    activity: Activity
    keep_alive: Retention
    router: ModelRouter
    uses: AsyncExitStack

    @property
    def model(self) -> ChatModel:
        """The model that answers. Raises the exceptions of `get_model`."""
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

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

    async def choose(self, name: str | None) -> RequestContext:
        """Returns the context for the model with this name, which stays loaded until the answer has been sent. Without
        a name, and for unknown names unless the settings refuse them, that is the endpoint's model.

        Raises ModelNotFound, NotLoaded if loading takes too long, and the exceptions of `Engine.load`."""
        source = _find_source(self.router, name, self.found, self.settings)
        if source is None:
            if self.holder.limits.models is not None:
                self._check_allowed(self.model.id)
            return self
        id = self.router.id_of(source, _id_of(self.found, self.router))
        self._check_allowed(id)
        engine = await self.uses.enter_async_context(source.lease())
        model = renamed(source.model, id)
        return replace(self, engine=engine, found=model, keep_alive=source)

    async def describe(self, name: str | None, *, reloads: bool = False) -> Description:
        """Describes the model with this name. `reloads`: loads the endpoint's model again if it was unloaded because it
        was idle. Raises ModelNotFound, and the exceptions of `query`."""
        source = _find_source(self.router, name, self.found, self.settings)
        if source is not None and source.state != "loaded":
            model = renamed(source.model, self.router.id_of(source, _id_of(self.found, self.router)))
            self._check_allowed(model.id)
            return Description(model, NO_PROPS, Status("empty"), source.capabilities, source.state)
        chosen = await self.choose(name)
        props = await (chosen.query(known_props) if reloads else known_props(chosen.engine.queries))
        return Description(chosen.model, props, chosen.engine.status, chosen.engine.capabilities, "loaded")

    @property
    def holder(self) -> KeyHolder:
        return holder_of(self.http.scope)

    def _check_allowed(self, model: str) -> None:
        """Raises ModelNotAllowed if the request's key may not use the model with this id."""
        if not self.holder.may_use(model):
            raise ModelNotAllowed(model)

    def listed(self) -> list[ListedModel]:
        """The models that the request's key may use, first that of the endpoint. It is left out if it is neither ready
        nor known."""
        return [each for each in self._all_listed() if self.holder.may_use(each.model.id)]

    def _all_listed(self) -> list[ListedModel]:
        others = self.router.listed(_id_of(self.found, self.router))
        status, default = self.engine.status, self.router.default_model
        if isinstance(self.found, Exception):
            state: ModelState = "loading" if status.state == "loading" else "failed"
            own = [ListedModel(default, state, self.engine.capabilities)] if default is not None else []
            return [*own, *others]
        state = "loaded" if status.state == "ready" else "unloaded"
        return [ListedModel(self.found, state, self.engine.capabilities, self.keep_alive.expires_at), *others]

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
            prepare=self.keep_alive.ensure_loaded,
            names=ModelNames.of(self.model),
        )

    async def collect(self, requests: Sequence[Request]) -> list[Answer]:
        """Runs the requests, and returns their complete answers. Raises EngineError, RequestStopped, QueueFull,
        BadRequest."""
        self._check_supported(requests)
        submitted = self.activity.submit(
            self.engine, requests, self.http.scope, self.http.receive, self.keep_alive.ensure_loaded
        )
        async with submitted as stream:
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
            partial(self.activity.submit, self.engine, requests, prepare=self.keep_alive.ensure_loaded),
            writer,
            self.settings.ping_interval_s,
            framing,
            ends_on_thread=ends_on_thread,
        )


@dataclass(frozen=True, slots=True)
class Description:
    """What is known about a model without loading it."""

    model: ChatModel
    props: ModelProps
    status: EngineStatus
    capabilities: Capabilities
    state: ModelState


async def known_props(queries: Queries) -> ModelProps:
    """Returns the model's properties. Those that the engine does not know are empty."""
    try:
        return await queries.props()
    except Unsupported:
        return NO_PROPS


@dataclass(frozen=True, slots=True)
class EmbeddingContext:
    """One HTTP request for embeddings. `found`: id of the embedding model, or of the chat model if there is no
    embedding model, or why there is neither."""

    http: HttpRequest
    engine: ChatEngine
    found: str | Exception
    settings: EndpointSettings
    activity: Activity
    keep_alive: Retention
    router: ModelRouter
    uses: AsyncExitStack
    host: str = ""

    @property
    def model(self) -> str:
        """Raises the exceptions of `get_model`."""
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    @property
    def request_id(self) -> str:
        """The request's id, which the response's headers and /v1/activity contain."""
        return _request_id(self.http)

    async def choose(self, name: str | None) -> EmbeddingContext:
        """As `RequestContext.choose`. The endpoint's chat model also stands for its embedding model."""
        chat = self.http.app.state.keep_alive.unloaded_model or self.engine.status.model
        found = chat if chat is not None and self.router.real_name(name) == chat.id else self.found
        source = _find_source(self.router, name, found, self.settings)
        holder = holder_of(self.http.scope)
        if source is None:
            if holder.limits.models is not None and not holder.may_use(self.model):
                raise ModelNotAllowed(self.model)
            return self
        id = self.router.id_of(source, _id_of(found, self.router))
        if not holder.may_use(id):
            raise ModelNotAllowed(id)
        engine = await self.uses.enter_async_context(source.lease())
        return replace(self, engine=engine, found=id, keep_alive=source, host=source.model.host)

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Computes embeddings. Raises EngineError, RequestStopped, QueueFull."""
        if not self.engine.capabilities.embeddings:
            raise Unsupported("embeddings")
        names, prepare = ModelNames(self.model, self.host), self.keep_alive.ensure_loaded
        return await self.activity.embed(self.engine, request, self.http.scope, self.http.receive, names, prepare)


def _id_of(found: ChatModel | str | Exception, router: ModelRouter) -> str:
    """The id of the endpoint's model."""
    if isinstance(found, Exception):
        return router.default_id
    return found if isinstance(found, str) else found.id


def _find_source(
    router: ModelRouter, name: str | None, found: ChatModel | str | Exception, settings: EndpointSettings
) -> ModelSource | None:
    """Returns the source of the model with this name; None for the endpoint's model, `found`. If the endpoint has no
    model, the first of the others replaces it. Raises ModelNotFound."""
    name = router.real_name(name)
    if name is None or name == _id_of(found, router):
        is_missing = isinstance(found, NotLoaded) and not found.loading
        return router.first() if name is None and is_missing else None
    source = router.find(name)
    if source is None:
        if settings.unknown_model == "404":
            if isinstance(found, NotLoaded) and found.loading and not router.default_id:
                raise found
            raise ModelNotFound(name)
        return _find_source(router, None, found, settings)
    return source


def _request_id(http: HttpRequest) -> str:
    request_id: str = http.scope[REQUEST_ID]
    return request_id


async def get_request_context(
    http: HttpRequest,
    found: DefaultDep,
    settings: SettingsDep,
    activity: ActivityDep,
    keep_alive: KeepAliveDep,
    router: RouterDep,
    uses: UsesDep,
) -> RequestContext:
    """Returns the context of a request to the chat model. Raises the exceptions of `get_default`."""
    return RequestContext(http, engine_of(http.app), found, settings, activity, keep_alive, router, uses)


async def get_listing_context(
    http: HttpRequest,
    status: StatusDep,
    settings: SettingsDep,
    activity: ActivityDep,
    keep_alive: KeepAliveDep,
    router: RouterDep,
) -> RequestContext:
    """Returns a context that lists models, whether or not that of the endpoint is ready."""
    found: ChatModel | Exception
    try:
        found = await get_model(status, keep_alive)
    except EngineError as error:
        found = error
    return RequestContext(http, engine_of(http.app), found, settings, activity, keep_alive, router, AsyncExitStack())


async def get_embedding_context(
    http: HttpRequest,
    status: StatusDep,
    settings: SettingsDep,
    activity: ActivityDep,
    keep_alive: KeepAliveDep,
    router: RouterDep,
    uses: UsesDep,
) -> EmbeddingContext:
    """Returns the context of an embedding request. Raises the exceptions of `get_default` unless an embedding model is
    loaded."""
    found: str | Exception
    if (embedder := embedder_of(status)) is not None:
        found = embedder.id
    else:
        default = await get_default(status, keep_alive, router)
        found = default if isinstance(default, Exception) else default.id
    return EmbeddingContext(http, engine_of(http.app), found, settings, activity, keep_alive, router, uses)


RequestContextDep = Annotated[RequestContext, Depends(get_request_context)]
ListingContextDep = Annotated[RequestContext, Depends(get_listing_context)]
EmbeddingContextDep = Annotated[EmbeddingContext, Depends(get_embedding_context)]
