"""Puts the HTTP door together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api import changing, description, front, watching
from api.activity import Activity
from api.anthropic import routes as anthropic_routes
from api.call import REQUEST_ID
from api.cors import Cors
from api.deps import MAX_PARSED_AT_ONCE
from api.errors import ApiError, problem_of
from api.keyring import KeyRing
from api.llama import routes as llama_routes
from api.ollama import routes as ollama_routes
from api.openai import routes as openai_routes
from api.openai.responses import routes as responses_routes
from api.openai.responses.store import ResponseStore
from api.origins import Origins
from api.security import Guard
from api.settings import EndpointSettings
from api.shapes import error_response
from api.shelf import Shelf
from engine.engine import Engine
from engine.errors import EngineError

Lifespan = Callable[[FastAPI], AsyncGenerator[None, None]]


def create_app(engine: Engine, settings: EndpointSettings, *, lifespan: Lifespan | None = None) -> FastAPI:
    """The endpoint over `engine`, which the caller owns: it may be empty, and may change its model at any time.

    Without `lifespan` the app neither loads nor frees anything. The framework's own pages that describe the routes
    are off: they need no key, and fetch scripts from elsewhere."""
    shelf = Shelf(engine, settings.model_changes)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncGenerator[None, None]:
        app.state.parsing = asyncio.Semaphore(MAX_PARSED_AT_ONCE)  # of this loop
        async with AsyncExitStack() as stack:
            if lifespan is not None:
                await stack.enter_async_context(asynccontextmanager(lifespan)(app))
            stack.push_async_callback(shelf.aclose)  # before the engine is closed, from which it takes the model
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
    app.state.shelf = shelf
    activity.make_ready = shelf.take_back
    app.state.responses = ResponseStore(settings.responses)
    app.state.origins = origins = Origins(settings.origins)
    app.add_middleware(Guard, settings=settings, keys=KeyRing(settings.key, settings.named_keys), origins=origins)
    app.add_middleware(Cors, origins=origins)  # outermost
    # An unforeseen error is answered by the guard, with its headers and those of Cors.
    for kind in (ApiError, EngineError, HTTPException, ClientDisconnect):
        app.add_exception_handler(kind, _answer_error)
    app.include_router(front.router)
    app.include_router(watching.router)
    app.include_router(description.router)
    if settings.model_changes is not None:
        app.include_router(changing.router)
    for dialect in (openai_routes, responses_routes, anthropic_routes, ollama_routes, llama_routes):
        app.include_router(dialect.router)
    return app


async def _answer_error(request: Request, error: Exception) -> Response:
    return error_response(request.url.path, problem_of(error), request.scope[REQUEST_ID])
