"""Cross-origin access (CORS) for web pages of the origins that the user has allowed, and never with credentials."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.settings import ORIGIN

MAX_REFUSED = 5
"""Maximum number of refused origins that are remembered. There is a limit because any web page can add its own
origin."""
MAX_ORIGIN_CHARS = 200

_HEADER_NAMES = re.compile(r"[A-Za-z0-9-]+(, ?[A-Za-z0-9-]+)*")
_EXPOSED = ("retry-after", "x-request-id", "request-id", "x-schema-not-enforced", "x-schema-not-met")


class Origins:
    """The allowed origins, which may change at any time, and the most recently refused ones.

    `allowed`, `allow_only` and `refused` may be used on any thread, `refuse` only on the endpoint's event loop."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = frozenset(allowed)
        self.refused: tuple[str, ...] = ()
        """The most recently refused origins, the newest first. Does not contain origins that were allowed later."""
        self.on_refused: Callable[[], None] = lambda: None
        """Called on the endpoint's event loop when an origin is added to `refused`. Must return quickly."""

    def allow_only(self, allowed: Iterable[str]) -> None:
        """Replaces the allowed origins. Takes effect with the next request."""
        self.allowed = frozenset(allowed)
        self.refused = tuple(origin for origin in self.refused if origin not in self.allowed)

    def refuse(self, origin: bytes) -> str:
        """Adds an origin to `refused`, and returns it as text. For an origin that cannot be allowed, such as "null",
        adds nothing and returns an empty text."""
        name = origin.decode("latin-1")
        if len(name) > MAX_ORIGIN_CHARS or not ORIGIN.fullmatch(name):
            return ""
        if self.refused[:1] != (name,):
            is_new = name not in self.refused
            self.refused = (name, *(each for each in self.refused if each != name))[:MAX_REFUSED]
            if is_new:
                self.on_refused()
        return name

    def allow(self, scope: Scope) -> bool:
        """Whether the request has exactly one Origin header, and it is an allowed origin."""
        found = [value for name, value in scope["headers"] if name == b"origin"]
        return len(found) == 1 and found[0].decode("latin-1") in self.allowed


class AllowedOriginsCors(CORSMiddleware):
    """Starlette's CORS middleware, applied to allowed origins only. It is the outermost middleware, so that an allowed
    page can also read errors.

    Requests of other origins are passed unchanged to SecurityMiddleware, which refuses them unless the method is GET or
    HEAD. A page of another origin cannot read the answers to GET and HEAD. Preflights that fail `is_own_host` are also
    passed to SecurityMiddleware, and are refused there."""

    def __init__(self, app: ASGIApp, origins: Origins, is_own_host: Callable[[Scope], bool]) -> None:
        super().__init__(
            app,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("*",),
            allow_private_network=True,
            expose_headers=_EXPOSED,
            max_age=600,
        )
        self._origins = origins
        self._is_own_host = is_own_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        allowed = scope["type"] == "http" and self._origins.allow(scope)
        if allowed and (scope["method"] != "OPTIONS" or self._is_own_host(scope)):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def is_allowed_origin(self, origin: str) -> bool:
        return origin in self._origins.allowed

    def preflight_response(self, request_headers: Headers) -> Response:
        """Allows all headers that the preflight names, because clients send many headers of their own. Allows none if
        the preflight's value is not a list of header names."""
        response = super().preflight_response(request_headers)
        if not _HEADER_NAMES.fullmatch(request_headers.get("access-control-request-headers", "")):
            del response.headers["access-control-allow-headers"]
        return response
