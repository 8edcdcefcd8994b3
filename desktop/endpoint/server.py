"""The endpoint as the window knows it: its server, its keys, what tools do there. The only place that knows the api.

The server runs on a thread and a loop of its own; everything here is called on the window's, or on a pool thread
where it says so. The api is imported when it is first needed: the framework takes 0.4 s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop.endpoint.activity import MemoryHolder, MemoryShares, PageOrigins, ToolRequest
from desktop.endpoint.controller import Server
from desktop.endpoint.errors import InvalidKeyName, KeyNameTaken, PortTaken
from desktop.launch import Options

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.activity import Activity
    from api.keys import KeyFile
    from api.request_record import RequestView
    from api.server import EndpointServer
    from engine.engine import Engine
    from engine.library.memory_use import MemoryUse

OWN_KEY = "inglenook"
"""What the api calls the endpoint's own key."""


def read_key(options: Options) -> str:
    """The endpoint's own key, made where there is none yet. Pool thread."""
    from api.keys import find_key

    return find_key(options.profile).value


class ApiServer:
    """A `Feed` and `Keys` of the server that runs, or ran last."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._app: FastAPI | None = None
        self._activity: Activity | None = None
        self._past: dict[str, tuple[int, int]] = {}
        self._keeps_bodies = False
        self._origins: tuple[str, ...] = ()
        self._listener: Callable[[], None] = lambda: None
        self._told = False

    async def serve(self, engine: Engine, port: int) -> Server:
        """The endpoint's server, listening. Raises PortTaken."""
        loop = asyncio.get_running_loop()
        server, app, activity = await asyncio.to_thread(self._make, engine, port)
        from api.errors import PortBusy  # it is loaded by now

        activity.on_change = app.state.origins.on_refused = lambda: self._tell(loop)
        try:
            await server.start_async()
        except PortBusy as error:
            raise PortTaken(port) from error
        self._past = dict(self.uses())
        self._app, self._activity = app, activity
        return server

    # What tools do

    def calls(self) -> Sequence[ToolRequest]:
        return [_tool_call(call) for call in self._activity.views()] if self._activity is not None else ()

    def uses(self) -> Mapping[str, tuple[int, int]]:
        uses = dict(self._past)
        for name, use in self._activity.usage().items() if self._activity is not None else ():
            n_calls, n_tokens = uses.get(name, (0, 0))
            uses[name] = (n_calls + use.n_requests, n_tokens + use.n_tokens_in + use.n_tokens_out)
        return uses

    def said(self, call_id: str) -> str:
        return self._activity.answer_text(call_id) if self._activity is not None else ""

    def stop(self, call_id: str) -> None:
        if self._activity is not None:
            self._activity.stop(call_id)

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

    def allow_origins(self, origins: Sequence[str]) -> None:
        self._origins = tuple(dict.fromkeys(origins))
        if self._app is not None:
            self._app.state.origins.allow_only(self._origins)

    def watch(self, listener: Callable[[], None]) -> None:
        self._listener = listener

    # Keys, on a pool thread

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
        from api.keys import KeyFile

        return KeyFile(self._options.profile.named_keys)

    def _make(self, engine: Engine, port: int) -> tuple[EndpointServer, FastAPI, Activity]:
        """Pool thread."""
        from api.app import create_app
        from api.request_context import activity_of
        from api.server import EndpointServer
        from api.settings import ORIGIN, EndpointSettings

        profile = self._options.profile
        settings = EndpointSettings(
            key=read_key(self._options),
            port=port,
            responses=profile.responses,
            named_keys=profile.named_keys,
            keep_bodies=self._keeps_bodies,
            origins=tuple(filter(ORIGIN.fullmatch, self._origins)),
        )
        app = create_app(engine, settings)
        return EndpointServer(app, settings), app, activity_of(app)

    def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        """Endpoint's thread. A hundred calls that begin at once wake the window once."""
        if not self._told and not loop.is_closed():
            self._told = True
            loop.call_soon_threadsafe(self._heard)

    def _heard(self) -> None:
        self._told = False
        self._listener()


def memory_shares(use: MemoryUse, title_of: Callable[[str], str]) -> MemoryShares:
    """What was foreseen for the model, and the rest of what the process really takes. `title_of` a chat's id; what
    belongs to no chat that is known counts, and has no name."""
    weights = use.account.weights_bytes if use.account else 0
    kv = use.account.kv_bytes if use.account else 0
    window, tools = round(kv * use.kv_window), round(kv * use.kv_endpoint)
    others = max(0, use.resident - weights - kv)
    holders = [
        MemoryHolder(name, each.origin == "endpoint", round(kv * each.share))
        for each in sorted(use.kv_usage, key=lambda each: -each.share)
        if (name := each.owner if each.origin == "endpoint" else title_of(each.owner))
    ]
    free = kv - window - tools
    return MemoryShares(weights, window, tools, free, others, use.available, use.snapshots, tuple(holders))


def _tool_call(call: RequestView) -> ToolRequest:
    return ToolRequest(
        call.id,
        call.client,
        call.key,
        call.dialect,
        call.path,
        call.state,
        call.age_s,
        call.queue_place,
        call.n_prompt,
        call.n_cached,
        call.n_read,
        call.n_output,
        call.tokens_per_s,
        call.body,
    )
