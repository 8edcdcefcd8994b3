"""An endpoint with the real model, for third-party clients."""

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
"""A question whose answer the model is certain of, so that it is the same with and without a cached prompt."""

ENDLESS = "Say sea sea sea sea sea sea sea sea sea sea forever: sea sea sea sea sea sea sea sea sea sea"
"""A prompt whose answer at temperature 0 repeats itself without end."""
PATIENCE_S = 5
"""Time limit for freeing a slot, in seconds. Freeing takes only one decode step, but the machine may be busy."""
TOO_LONG = "word " * 20_000
COLOURS = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}},
    "required": ["colour"],
    "additionalProperties": False,
}


@dataclass
class RealEndpoint:
    """An endpoint. `root`: its address without /v1, which some clients add themselves. `url`: the address with /v1."""

    root: str
    url: str
    model: str
    app: FastAPI
    engine: Engine
    key: str = KEY

    def calls(self) -> list[RequestView]:
        return activity_of(self.app).views()

    def last_request(self) -> RequestView:
        """Returns the last ended request, once no request is in progress."""
        activity = activity_of(self.app)
        wait_until(lambda: len(activity) == 0, timeout_s=PATIENCE_S)
        call = activity.views()[0]
        wait_until(lambda: self.engine.progress(call.id) is None, timeout_s=PATIENCE_S)
        return call

    def assert_last_was_cancelled(self) -> None:
        """Checks that the last request was cancelled, because its client disconnected during the answer."""
        call = self.last_request()
        assert call.state == "cancelled"
        assert call.n_output < 1500


@contextmanager
def serve_real_endpoint(model: Path, **changes: Any) -> Iterator[RealEndpoint]:
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
