"""The endpoint with the real model, as the tools of others find it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from api.__main__ import loading
from api.app import create_app
from api.request_context import activity_of
from api.request_record import RequestView
from api.server import EndpointServer
from engine.engine import Engine
from tests.api.live_endpoint import KEY, settings, wait_until

QUESTION = "What is the capital of France?"
"""With an answer of which the model is sure: it is the same whether it is asked first, or found in the cache."""

ENDLESS = "Say sea sea sea sea sea sea sea sea sea sea forever: sea sea sea sea sea sea sea sea sea sea"
"""At temperature 0 the model does not end: it goes in a ring."""
PATIENCE_S = 5
"""A slot is free within a step; the rest is for a machine that is busy with other tests."""
TOO_LONG = "word " * 20_000
COLOURS = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}},
    "required": ["colour"],
    "additionalProperties": False,
}


@dataclass
class RealEndpoint:
    """`root` is the address without /v1, which some clients add themselves; `url` is with it."""

    root: str
    url: str
    model: str
    app: FastAPI
    engine: Engine
    key: str = KEY

    def calls(self) -> list[RequestView]:
        return activity_of(self.app).views()

    def last_call(self) -> RequestView:
        """The request that has ended last, once nothing is under way any more."""
        activity = activity_of(self.app)
        wait_until(lambda: len(activity) == 0, timeout_s=PATIENCE_S)
        call = activity.views()[0]
        wait_until(lambda: self.engine.progress(call.id) is None, timeout_s=PATIENCE_S)
        return call

    def was_freed(self) -> None:
        """The client that has just left in the middle of an answer holds nothing any more."""
        call = self.last_call()
        assert call.state == "cancelled"
        assert call.n_output < 1500


@contextmanager
def house(model: Path, **changes: Any) -> Iterator[RealEndpoint]:
    engine, failures, chosen = Engine(), list[Exception](), settings(**changes)
    app = create_app(engine, chosen, lifespan=loading(model, failures.append))
    server = EndpointServer(app, chosen)
    server.start()
    try:
        wait_until(lambda: engine.status.state == "ready" or bool(failures), timeout_s=60)
        assert engine.status.model is not None, failures
        yield RealEndpoint(f"http://127.0.0.1:{server.port}", server.url, engine.status.model.id, app, engine)
    finally:
        server.stop()
