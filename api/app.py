"""Puts the HTTP origin together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api import activity_routes, model_routes, openapi, public_routes
from api.activity import Activity
from api.anthropic import routes as anthropic_routes
from api.cors import ListedOriginsCors
from api.deps import MAX_PARSED_AT_ONCE
from api.error_bodies import error_response
from api.errors import ApiError, problem_of
from api.keep_alive import KeepAlive
from api.keyring import KeyRing
from api.llama_cpp import routes as llama_routes
from api.ollama import routes as ollama_routes
from api.openai.chat import routes as openai_routes
from api.openai.responses import routes as responses_routes
from api.openai.responses.store import ResponseStore
from api.origins import Origins
from api.request_record import REQUEST_ID
from api.security import SecurityMiddleware
from api.settings import EndpointSettings
from engine.engine import Engine
from engine.errors import EngineError

Lifespan = Callable[[FastAPI], AsyncGenerator[None, None]]


def create_app(engine: Engine, settings: EndpointSettings, *, lifespan: Lifespan | None = None) -> FastAPI:
    """The endpoint over `engine`, which the caller owns: it may be empty, and may change its model at any time.

    Without `lifespan` the app neither loads nor frees anything. The framework's own pages that describe the routes
    are off: they need no key, and fetch scripts from elsewhere."""
    keep_alive = KeepAlive(engine, settings.model_changes)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncGenerator[None, None]:
        app.state.parsing = asyncio.Semaphore(MAX_PARSED_AT_ONCE)  # of this loop
        async with AsyncExitStack() as stack:
            if lifespan is not None:
                await stack.enter_async_context(asynccontextmanager(lifespan)(app))
            stack.push_async_callback(keep_alive.aclose)  # before the engine is closed, from which it takes the model
            yield

    app = FastAPI(
        title="Inglenook",
        lifespan=life,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.engine = engine
    app.state.settings = settings
    app.state.activity = activity = Activity(settings.max_requests)
    app.state.keep_alive = keep_alive
    activity.before_submit = keep_alive.ensure_loaded
    app.state.responses = ResponseStore(settings.responses)
    app.state.origins = origins = Origins(settings.origins)
    app.add_middleware(
        SecurityMiddleware, settings=settings, keys=KeyRing(settings.key, settings.named_keys), origins=origins
    )
    app.add_middleware(ListedOriginsCors, origins=origins)  # outermost
    # An unforeseen error is answered by the guard, with its headers and those of ListedOriginsCors.
    for kind in (ApiError, EngineError, HTTPException, ClientDisconnect):
        app.add_exception_handler(kind, _answer_error)
    app.include_router(public_routes.router)
    app.include_router(activity_routes.router)
    app.include_router(openapi.router)
    if settings.model_changes is not None:
        app.include_router(model_routes.router)
    for dialect in (openai_routes, responses_routes, anthropic_routes, ollama_routes, llama_routes):
        app.include_router(dialect.router)
    return app


async def _answer_error(request: Request, error: Exception) -> Response:
    return error_response(request.url.path, problem_of(error), request.scope[REQUEST_ID])
