"""What a route has at hand for one call: the loaded model, the body, and the two ways to answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from fastapi import Request as HttpRequest
from starlette.responses import Response

from api.activity import Activity
from api.answer import Answer
from api.deps import Body, LoadedEngine, LoadedModel, Requests, Settings, read_body
from api.errors import ModelUnknown
from api.settings import EndpointSettings
from api.sse import SSE, EventStream, EventWriter, Framing
from engine.engine import Engine
from engine.events import ModelInfo
from engine.requests import Request


@dataclass(frozen=True, slots=True)
class Desk:
    """Belongs to the endpoint's loop."""

    http: HttpRequest
    engine: Engine
    model: ModelInfo
    settings: EndpointSettings
    activity: Activity

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

    async def collect(self, requests: Sequence[Request]) -> list[Answer]:
        """The whole answers. Raises EngineError, StoppedHere."""
        async with self.activity.ask(self.engine, requests, self.http.receive) as together:
            return await together.collect()

    def stream(self, requests: Sequence[Request], writer: EventWriter, framing: Framing = SSE) -> Response:
        return EventStream(self.engine, self.activity, requests, writer, self.settings.ping_interval_s, framing)


async def get_desk(
    http: HttpRequest, engine: LoadedEngine, model: LoadedModel, settings: Settings, activity: Requests
) -> Desk:
    """Raises as `get_model` does."""
    return Desk(http, engine, model, settings, activity)


AtDesk = Annotated[Desk, Depends(get_desk)]
