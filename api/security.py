"""The guard in front of everything: who may ask, and how much and how slowly they may send.

It refuses by default, before routing, so that no route, method or unknown path can be forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.call import KEY_NAME, REQUEST_ID
from api.cors import answer_preflight, is_preflight, listed_origin
from api.errors import (
    ApiError,
    BodyTooLarge,
    BodyTooSlow,
    ForeignHost,
    ForeignOrigin,
    NotJson,
    problem_of,
)
from api.keyring import KeyRing
from api.settings import EndpointSettings
from api.shapes import OLLAMA_PATH, error_response, request_id_headers
from engine.requests import new_request_id

OPEN_PATHS = frozenset({"/", "/health", "/v1/health"})
"""What is answered without a key: a page that says what this is, and whether it is ready."""

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
SAFE_METHODS = frozenset({"GET", "HEAD"})

Headers = Iterable[tuple[bytes, bytes]]


class Guard:
    """ASGI middleware. A web page of another origin has no business here, unless a person has listed it."""

    def __init__(self, app: ASGIApp, settings: EndpointSettings, keys: KeyRing) -> None:
        self._app = app
        self._settings = settings
        self._origins = frozenset(origin.encode() for origin in settings.origins)
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        request_id = scope[REQUEST_ID] = new_request_id()
        named = request_id_headers(request_id)

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *named]
            await send(message)

        try:
            if listed_origin(scope, self._origins) is not None and is_preflight(scope):
                self._check_host(scope)
                await answer_preflight(scope, send)
                return
            self._check(scope)
        except ApiError as error:
            await error_response(scope["path"], problem_of(error), request_id)(scope, receive, send_named)
            return
        await self._app(scope, _BoundedBody(receive, self._settings), send_named)

    def _check(self, scope: Scope) -> None:
        headers, method = scope["headers"], scope["method"]
        host = self._check_host(scope)
        own = b"http://" + host
        foreign = [origin for origin in _values(headers, b"origin") if origin != own]
        if method not in SAFE_METHODS and foreign and listed_origin(scope, self._origins) is None:
            raise ForeignOrigin
        if not (scope["path"] in OPEN_PATHS and method in SAFE_METHODS):
            scope[KEY_NAME] = self._keys.name_of(_presented_keys(headers))
        if method == "POST":
            self._check_body_headers(scope)

    def _check_host(self, scope: Scope) -> bytes:
        host = _only(scope["headers"], b"host")
        if host is None or not _is_ours(host, scope.get("server")):
            raise ForeignHost
        return host

    def _check_body_headers(self, scope: Scope) -> None:
        headers = scope["headers"]
        if not _values(headers, b"transfer-encoding") and _only(headers, b"content-length") in (None, b"0"):
            return  # no body, so it has no type; more than one length is refused by the HTTP parser
        # A body of another type can be sent by any web page without asking first (a "simple" request), if without a
        # key. Ollama's clients name any type or none (litellm, and curl as its manual has it).
        if not scope["path"].startswith(OLLAMA_PATH) and not _is_json(_only(headers, b"content-type") or b""):
            raise NotJson
        length = _only(headers, b"content-length")
        if length is not None and int(length) > self._settings.max_body_bytes:
            raise BodyTooLarge(self._settings.max_body_bytes)


class _BoundedBody:
    """`receive` that raises BodyTooLarge or BodyTooSlow; once the body is there it waits without limit."""

    def __init__(self, receive: Receive, settings: EndpointSettings) -> None:
        self._receive = receive
        self._settings = settings
        self._size_bytes = 0
        self._deadline: float | None = None
        self._complete = False

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._settings.body_timeout_s
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise BodyTooSlow from None
        self._size_bytes += len(message.get("body", b""))
        if self._size_bytes > self._settings.max_body_bytes:
            raise BodyTooLarge(self._settings.max_body_bytes)
        self._complete = not message.get("more_body", False)
        return message


def _values(headers: Headers, name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]


def _only(headers: Headers, name: bytes) -> bytes | None:
    """The header's value where it is there exactly once."""
    values = _values(headers, name)
    return values[0] if len(values) == 1 else None


def _is_ours(host: bytes, server: tuple[str, int | None] | None) -> bool:
    """Whether a Host header names this machine by an address that no foreign name server can give out.

    That is a local name, or the very address that the connection came in on, with our port or none."""
    name, port = _split_host(host.decode("latin-1").lower())
    own_address, own_port = server or ("", None)
    own_address = own_address.removeprefix("::ffff:")  # IPv4 that came in on an IPv6 socket
    own_name = f"[{own_address}]" if ":" in own_address else own_address
    return name in LOCAL_NAMES | {own_name} and port in ("", str(own_port))


def _split_host(host: str) -> tuple[str, str]:
    if host.startswith("["):
        name, bracket, rest = host.partition("]")
        return name + bracket, rest.removeprefix(":") if rest[:1] in ("", ":") else "?"
    name, colon, port = host.partition(":")
    return name, port if port or not colon else "?"


def _presented_keys(headers: Headers) -> list[bytes]:
    """Every key that a request carries, whichever header brings it: both have the same rights."""
    keys = _values(headers, b"x-api-key")
    for value in _values(headers, b"authorization"):
        scheme, _, token = value.partition(b" ")
        if scheme.lower() == b"bearer":
            keys.append(token.strip())
    return keys


def _is_json(content_type: bytes) -> bool:
    media_type = content_type.split(b";")[0].strip().lower()
    return media_type == b"application/json" or (
        media_type.startswith(b"application/") and media_type.endswith(b"+json")
    )
