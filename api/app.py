"""Assembles the endpoint's ASGI app: state, middleware, error handlers and the routers of all dialects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api import activity_routes, model_routes, openapi, public_routes, rerank
from api.activity import Activity
from api.anthropic import routes as anthropic
from api.authentication import KeyRing
from api.cors import AllowedOriginsCors, Origins
from api.error_bodies import error_response, problem_of
from api.errors import ApiError
from api.keep_alive import KeepAlive
from api.llama_cpp import routes as llama_cpp
from api.model_router import ModelRouter
from api.ollama import routes as ollama
from api.openai import embeddings
from api.openai.chat import routes as chat
from api.openai.completions import routes as completions
from api.openai.responses import routes as responses
from api.openai.responses.store import ResponseStore
from api.request_context import MAX_LARGE_BODIES
from api.request_record import REQUEST_ID
from api.security import SecurityMiddleware, is_own_host
from api.settings import EndpointSettings
from engine.chat_engine import ChatEngine
from engine.engine import Engine
from engine.errors import EngineError

Lifespan = Callable[[FastAPI], AsyncGenerator[None, None]]

DIALECTS = (chat, completions, embeddings, responses, anthropic, ollama, llama_cpp)
"""The modules with the routes of each dialect. A new dialect also needs its error body in `api.error_bodies`, its name
in `api.request_record`, and its schemas in `api.openapi`."""


def create_app(
    engine: ChatEngine,
    settings: EndpointSettings,
    *,
    lifespan: Lifespan | None = None,
    router: ModelRouter | None = None,
) -> FastAPI:
    """Creates the endpoint's ASGI app. The engine belongs to the caller. It may have no model, and its model may change
    at any time. The model of a local engine is loaded and unloaded only by `lifespan` and, if the settings allow model
    changes, by `KeepAlive`. Only `lifespan` may close the engine. `router` has the models besides that of the engine.
    FastAPI's own documentation routes are off: they
    would need no key, and would load scripts from other servers."""
    local_engine = engine if isinstance(engine, Engine) else None
    keep_alive = KeepAlive(local_engine, settings.model_changes, settings.load_settings)

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncGenerator[None, None]:
        app.state.large_bodies = asyncio.Semaphore(MAX_LARGE_BODIES)  # a semaphore belongs to one event loop
        async with AsyncExitStack() as stack:
            if lifespan is not None:
                await stack.enter_async_context(asynccontextmanager(lifespan)(app))
            stack.push_async_callback(keep_alive.aclose)  # this callback runs before `lifespan` closes the engine
            yield

    app = FastAPI(
        title="Inglenook",
        lifespan=run,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.engine = engine
    app.state.settings = settings
    app.state.keep_alive = keep_alive
    app.state.router = router or ModelRouter()
    app.state.activity = Activity(settings.max_requests)
    app.state.responses = ResponseStore(settings.responses)
    app.state.origins = origins = Origins(settings.origins)
    keys = KeyRing(settings.key, settings.named_keys)
    app.add_middleware(SecurityMiddleware, settings=settings, keys=keys, origins=origins)
    # the middleware added last is outermost
    app.add_middleware(AllowedOriginsCors, origins=origins, is_own_host=is_own_host)
    # SecurityMiddleware answers all other exceptions. Starlette's own handler would omit the headers that both
    # middlewares add.
    for kind in (ApiError, EngineError, HTTPException, ClientDisconnect):
        app.add_exception_handler(kind, _answer_error)
    for module in (public_routes, activity_routes, model_routes, openapi, rerank, *DIALECTS):
        app.include_router(module.router)
    if settings.model_changes is not None:
        app.include_router(model_routes.changes_router)
    return app


async def _answer_error(request: Request, error: Exception) -> Response:
    return error_response(request.url.path, problem_of(error), request.scope[REQUEST_ID])
