"""Runs the API server for the window. The only module of `desktop` that imports `api`.

The server has its own thread and event loop. Methods are called on the window's thread, unless their docstring names
another one. `api` is imported on first use because FastAPI takes 0.4 s to import.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop.endpoint.activity import PageOrigins, ToolRequest
from desktop.endpoint.controller import RunningServer
from desktop.endpoint.errors import InvalidKeyName, KeyNameTaken, PortTaken
from engine.files.profile import Profile

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.activity import Activity
    from api.authentication import KeyFile
    from api.request_record import RequestView
    from api.server import EndpointServer
    from engine.engine import Engine

OWN_KEY = "inglenook"
"""Name of the endpoint's own key in `api`."""


def read_key(profile: Profile) -> str:
    """Reads the endpoint's own key from its file, or creates it. Blocks; call on a pool thread."""
    from api.authentication import find_key

    return find_key(profile).value


class ApiServer:
    """Starts the API server, and implements `ActivityFeed` and `KeyStore` for the server that was started last."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._app: FastAPI | None = None
        self._activity: Activity | None = None
        self._earlier_usage: dict[str, tuple[int, int]] = {}
        """Usage of each API key that earlier servers counted, before the current server was started."""
        self._keeps_bodies = False
        self._origins: tuple[str, ...] = ()
        self._listener: Callable[[], None] = lambda: None
        self._call_pending = False

    async def serve(self, engine: Engine, port: int) -> RunningServer:
        """Start a server and return it once it listens. Raises PortTaken if another program uses the port."""
        loop = asyncio.get_running_loop()
        server, app, activity = await asyncio.to_thread(self._create, engine, port)
        from api.errors import PortBusy  # this import is fast, because `_create` has imported the package already

        activity.on_change = app.state.origins.on_refused = lambda: self._activity_changed(loop)
        try:
            await server.start_async()
        except PortBusy as error:
            raise PortTaken(port) from error
        self._earlier_usage = dict(self.usage())
        self._app, self._activity = app, activity
        return server

    # The methods below implement `ActivityFeed`.

    def requests(self) -> Sequence[ToolRequest]:
        return [_tool_request(view) for view in self._activity.views()] if self._activity is not None else ()

    def usage(self) -> Mapping[str, tuple[int, int]]:
        usage = dict(self._earlier_usage)
        for name, use in self._activity.usage().items() if self._activity is not None else ():
            n_requests, n_tokens = usage.get(name, (0, 0))
            usage[name] = (n_requests + use.n_requests, n_tokens + use.n_tokens_in + use.n_tokens_out)
        return usage

    def answer_text(self, request_id: str) -> str:
        return self._activity.answer_text(request_id) if self._activity is not None else ""

    def stop(self, request_id: str) -> None:
        if self._activity is not None:
            self._activity.stop(request_id)

    def stop_all(self) -> None:
        if self._activity is not None:
            self._activity.cancel_all()

    def keep_bodies(self, keep: bool) -> None:
        self._keeps_bodies = keep
        if self._app is not None and self._activity is not None:
            self._app.state.settings = replace(self._app.state.settings, keep_bodies=keep)
            if not keep:
                self._activity.forget_bodies()

    def origins(self) -> PageOrigins:
        refused = self._app.state.origins.refused if self._app is not None else ()
        return PageOrigins(self._origins, refused)

    def set_allowed_origins(self, origins: Sequence[str]) -> None:
        self._origins = tuple(dict.fromkeys(origins))
        if self._app is not None:
            self._app.state.origins.allow_only(self._origins)

    def set_listener(self, listener: Callable[[], None]) -> None:
        self._listener = listener

    # The methods below implement `KeyStore`. They are called on a pool thread.

    def names(self) -> Sequence[str]:
        return [key.name for key in self._key_file().read()]

    def add(self, name: str) -> str:
        name = name.strip()
        if name == OWN_KEY or name in self.names():
            raise KeyNameTaken(name)
        try:
            return self._key_file().add(name)
        except ValueError as error:
            raise InvalidKeyName from error

    def revoke(self, name: str) -> None:
        self._key_file().revoke(name)

    def _key_file(self) -> KeyFile:
        from api.authentication import KeyFile

        return KeyFile(self._profile.named_keys)

    def _create(self, engine: Engine, port: int) -> tuple[EndpointServer, FastAPI, Activity]:
        """Create the FastAPI app and its server without starting them. Blocks; called on a pool thread."""
        from api.app import create_app
        from api.request_context import activity_of
        from api.server import EndpointServer
        from api.settings import ORIGIN, EndpointSettings

        settings = EndpointSettings(
            key=read_key(self._profile),
            port=port,
            responses=self._profile.responses,
            named_keys=self._profile.named_keys,
            keep_bodies=self._keeps_bodies,
            origins=tuple(filter(ORIGIN.fullmatch, self._origins)),
        )
        app = create_app(engine, settings)
        return EndpointServer(app, settings), app, activity_of(app)

    def _activity_changed(self, loop: asyncio.AbstractEventLoop) -> None:
        """Schedule a call of the listener on the window's event loop. Further changes before this call cause no second
        call. Called on the endpoint's thread."""
        if not self._call_pending and not loop.is_closed():
            self._call_pending = True
            loop.call_soon_threadsafe(self._call_listener)

    def _call_listener(self) -> None:
        self._call_pending = False
        self._listener()


def _tool_request(view: RequestView) -> ToolRequest:
    return ToolRequest(
        view.id,
        view.client,
        view.key,
        view.dialect,
        view.path,
        view.state,
        view.age_s,
        view.queue_place,
        view.n_prompt,
        view.n_cached,
        view.n_read,
        view.n_output,
        view.tokens_per_s,
        view.body,
    )
