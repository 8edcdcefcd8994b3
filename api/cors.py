"""Leave for the web pages that a person has listed, and for no other: an exact origin, never with credentials."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.origins import Origins

_FIELD_NAMES = re.compile(rb"[A-Za-z0-9-]+(, ?[A-Za-z0-9-]+)*")
_MAX_AGE_S = b"600"
_EXPOSED = b"retry-after, x-request-id, request-id, x-schema-not-enforced, x-schema-not-met"


class ListedOriginsCors:
    """ASGI middleware, outermost: a listed page may read what it gets, errors too. Who is served at all, the guard
    decides."""

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = listed_origin(scope, self._origins)
        if origin is None:
            await self._app(scope, receive, send)
            return
        leave = [
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _EXPOSED),
            (b"vary", b"origin"),
        ]

        async def send_with_leave(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *leave]
            await send(message)

        await self._app(scope, receive, send_with_leave)


def listed_origin(scope: Scope, origins: Origins) -> bytes | None:
    """The request's origin, where it has exactly one and that is listed."""
    if scope["type"] != "http":
        return None
    found = [value for name, value in scope["headers"] if name == b"origin"]
    return found[0] if len(found) == 1 and found[0] in origins else None


def is_preflight(scope: Scope) -> bool:
    names = {name for name, _ in scope["headers"]}
    return scope["method"] == "OPTIONS" and b"access-control-request-method" in names


async def answer_preflight(scope: Scope, send: Send) -> None:
    """Leave for the methods there are, and for the headers asked for: clients send many of their own."""
    asked = b"".join(value for name, value in scope["headers"] if name == b"access-control-request-headers")
    leave = [(b"access-control-allow-methods", b"GET, POST, DELETE"), (b"access-control-max-age", _MAX_AGE_S)]
    if _FIELD_NAMES.fullmatch(asked):
        leave.append((b"access-control-allow-headers", asked))
    await send({"type": "http.response.start", "status": 204, "headers": leave})
    await send({"type": "http.response.body"})
