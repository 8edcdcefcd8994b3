"""What routes ask for: the engine with a model in it, the settings, the body."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, TypeVar

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel, ValidationError

from api.activity import Activity
from api.call import BODY
from api.errors import BadRequest
from api.settings import EndpointSettings
from api.shelf import Shelf
from engine.engine import Engine
from engine.errors import EngineClosed, EngineDead, NotLoaded
from engine.events import ModelInfo, Status

Body = TypeVar("Body", bound=BaseModel)


def engine_of(app: FastAPI) -> Engine:
    engine: Engine = app.state.engine
    return engine


def activity_of(app: FastAPI) -> Activity:
    activity: Activity = app.state.activity
    return activity


# All are coroutines: FastAPI would run plain functions on a pool of threads.


async def get_status(request: Request) -> Status:
    return engine_of(request.app).status


async def get_shelf(request: Request) -> Shelf:
    shelf: Shelf = request.app.state.shelf
    return shelf


async def use_shelf(request: Request, shelf: Annotated[Shelf, Depends(get_shelf)]) -> AsyncGenerator[Shelf, None]:
    """In use until the answer has been sent or its client has left. Who asks by GET only looks."""
    if request.method == "GET":
        yield shelf
    else:
        with shelf.in_use():
            yield shelf


async def get_model(
    status: Annotated[Status, Depends(get_status)], shelf: Annotated[Shelf, Depends(get_shelf)]
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
    if shelf.resting is not None:
        return shelf.resting
    raise NotLoaded(loading=status.state == "loading")


async def get_engine(request: Request, model: Annotated[ModelInfo, Depends(get_model)]) -> Engine:
    """The engine of that model; raises as `get_model` does."""
    return engine_of(request.app)


async def get_activity(request: Request) -> Activity:
    return activity_of(request.app)


async def get_settings(request: Request) -> EndpointSettings:
    settings: EndpointSettings = request.app.state.settings
    return settings


async def read_body(request: Request, shape: type[Body]) -> Body:
    """The request's JSON body. Raises BadRequest that names the first wrong field.

    Parsed by pydantic, whose depth is bounded: the standard library's parser recurses as deep as the body says."""
    content = await request.body()
    if request.app.state.settings.keep_bodies:
        request.scope[BODY] = content
    try:
        return shape.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise BadRequest(f"The body is not valid JSON: {first['msg']}.") from None
        param = field_path(first["loc"])
        raise BadRequest(f"'{param or 'body'}': {first['msg']}.", param or None) from None


def field_path(location: tuple[int | str, ...]) -> str:
    """`("messages", 0, "role")` as `messages[0].role`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


LoadedEngine = Annotated[Engine, Depends(get_engine)]
LoadedModel = Annotated[ModelInfo, Depends(get_model)]
EngineStatus = Annotated[Status, Depends(get_status)]
Settings = Annotated[EndpointSettings, Depends(get_settings)]
Requests = Annotated[Activity, Depends(get_activity)]
ModelShelf = Annotated[Shelf, Depends(get_shelf)]
UsedShelf = Annotated[Shelf, Depends(use_shelf)]
