"""What routes ask for: the engine with a model in it, the settings, the body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, TypeVar

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel

from api.activity import Activity
from api.body import parse_body
from api.errors import BodyTooLarge
from api.keep_alive import KeepAlive
from api.keyring import KeyHolder
from api.request_record import BODY, holder_of
from api.settings import EndpointSettings
from engine.engine import Engine
from engine.errors import EngineClosed, EngineDead, NotLoaded
from engine.status import ModelInfo, Status

Body = TypeVar("Body", bound=BaseModel)

LARGE_BODY_BYTES = 65536
MAX_PARSED_AT_ONCE = 2
"""Large bodies."""


def engine_of(app: FastAPI) -> Engine:
    engine: Engine = app.state.engine
    return engine


def activity_of(app: FastAPI) -> Activity:
    activity: Activity = app.state.activity
    return activity


# All are coroutines: FastAPI would run plain functions on a pool of threads.


async def get_status(request: Request) -> Status:
    return engine_of(request.app).status


async def get_keep_alive(request: Request) -> KeepAlive:
    keep_alive: KeepAlive = request.app.state.keep_alive
    return keep_alive


async def use_keep_alive(
    request: Request, keep_alive: Annotated[KeepAlive, Depends(get_keep_alive)]
) -> AsyncGenerator[KeepAlive, None]:
    """In use until the answer has been sent or its client has left. Who asks by GET only looks."""
    if request.method == "GET":
        yield keep_alive
    else:
        with keep_alive.in_use():
            yield keep_alive


async def get_model(
    status: Annotated[Status, Depends(get_status)], keep_alive: Annotated[KeepAlive, Depends(get_keep_alive)]
) -> ModelInfo:
    """The loaded model, or the one that comes back when it is asked. Raises NotLoaded, EngineDead, EngineClosed: HTTP
    503 with Retry-After."""
    match status:
        case Status(state="ready", model=ModelInfo() as model):
            return model
        case Status(state="dead", error=EngineDead() as error):
            raise error
        case Status(state="closed"):
            raise EngineClosed
    if keep_alive.unloaded_model is not None:
        return keep_alive.unloaded_model
    raise NotLoaded(loading=status.state == "loading")


async def get_engine(request: Request, model: Annotated[ModelInfo, Depends(get_model)]) -> Engine:
    """The engine of that model; raises as `get_model` does."""
    return engine_of(request.app)


async def get_activity(request: Request) -> Activity:
    return activity_of(request.app)


async def get_holder(request: Request) -> KeyHolder:
    return holder_of(request.scope)


async def get_settings(request: Request) -> EndpointSettings:
    settings: EndpointSettings = request.app.state.settings
    return settings


async def read_body(request: Request, shape: type[Body], limit_bytes: int | None = None) -> Body:
    """The request's JSON body. Raises what `parse_body` does, and BodyTooLarge beyond `limit_bytes`.

    A large one is parsed on another thread, a few at a time: while it is, the loop answers others, and the memory of
    what was parsed stays bounded."""
    content = await request.body()
    if limit_bytes is not None and len(content) > limit_bytes:
        raise BodyTooLarge(limit_bytes)
    if request.app.state.settings.keep_bodies:
        request.scope[BODY] = content
    if len(content) < LARGE_BODY_BYTES:
        return parse_body(content, shape)
    async with request.app.state.parsing:
        return await asyncio.to_thread(parse_body, content, shape)


EngineDep = Annotated[Engine, Depends(get_engine)]
ModelDep = Annotated[ModelInfo, Depends(get_model)]
StatusDep = Annotated[Status, Depends(get_status)]
Holder = Annotated[KeyHolder, Depends(get_holder)]
Settings = Annotated[EndpointSettings, Depends(get_settings)]
Requests = Annotated[Activity, Depends(get_activity)]
KeepAliveDep = Annotated[KeepAlive, Depends(get_keep_alive)]
KeepAliveInUseDep = Annotated[KeepAlive, Depends(use_keep_alive)]
