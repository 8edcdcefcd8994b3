"""The guard in front of everything: who may ask, and how much and how slowly they may send.

It refuses by default, before routing, so that no route, method or unknown path can be forgotten.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.body_limits import Decoder
from api.cors import answer_preflight, is_preflight, listed_origin
from api.error_bodies import OLLAMA_PATH, error_response, request_id_headers
from api.errors import (
    AmbiguousLength,
    ApiError,
    BodyTooLarge,
    BodyTooSlow,
    HostNotAllowed,
    NotJson,
    OriginNotAllowed,
    problem_of,
)
from api.keyring import KeyRing
from api.origins import Origins
from api.request_record import HOLDER, KEYS, REQUEST_ID
from api.settings import EndpointSettings
from api.target import normalized
from engine.redacted_traceback import redacted_traceback
from engine.requests import new_request_id

log = logging.getLogger(__name__)

OPEN_PATHS = frozenset({"/", "/health", "/v1/health"})
"""What is answered without a key: a page that says what this is, and whether it is ready."""

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
SAFE_METHODS = frozenset({"GET", "HEAD"})

Headers = Iterable[tuple[bytes, bytes]]


class SecurityMiddleware:
    """ASGI middleware. A web page of another origin has no business here, unless a person has listed it."""

    def __init__(self, app: ASGIApp, settings: EndpointSettings, keys: KeyRing, origins: Origins) -> None:
        self._app = app
        self._settings = settings
        self._origins = origins
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        scope = normalized(scope)
        request_id = scope[REQUEST_ID] = new_request_id()
        named = request_id_headers(request_id)
        has_begun = False

        async def send_named(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                message["headers"] = [*message.get("headers", ()), *named]
            await send(message)

        try:
            if await self._answers_preflight(scope, send):
                return
            self._check(scope)
            body = _BoundedBody(receive, self._settings, _decoder(scope["headers"]))
            await self._app(scope, body, send_named)
        except Exception as error:
            if has_begun:
                raise
            if not isinstance(error, ApiError):  # a bug of ours
                log.error("a request failed\n%s", redacted_traceback(error))
            response = error_response(scope["path"], problem_of(error), request_id)
            if isinstance(error, AmbiguousLength):
                response.headers["connection"] = "close"
            await response(scope, receive, send_named)

    async def _answers_preflight(self, scope: Scope, send: Send) -> bool:
        if listed_origin(scope, self._origins) is None or not is_preflight(scope):
            return False
        try:
            self._check_host(scope)
        except HostNotAllowed:
            return False
        await answer_preflight(scope, send)
        return True

    def _check(self, scope: Scope) -> None:
        headers, method = scope["headers"], scope["method"]
        # Two programs may take a body of both for bodies of different ends.
        if _values(headers, b"content-length") and _values(headers, b"transfer-encoding"):
            raise AmbiguousLength
        own = b"http://" + self._check_host(scope)
        self._check_origin(scope, own)
        if not (scope["path"] in OPEN_PATHS and method in SAFE_METHODS):
            scope[HOLDER], scope[KEYS] = self._keys.holder_of(_presented_keys(headers)), self._keys
        if method == "POST":
            self._check_body_headers(scope)

    def _check_origin(self, scope: Scope, own: bytes) -> None:
        foreign = [origin for origin in _values(scope["headers"], b"origin") if origin != own]
        if not foreign or listed_origin(scope, self._origins) is not None:
            return
        refused = self._origins.refuse(foreign[0])
        if scope["method"] not in SAFE_METHODS:
            raise OriginNotAllowed(refused)

    def _check_host(self, scope: Scope) -> bytes:
        host = _only(scope["headers"], b"host")
        if host is None or not _is_ours(host, scope.get("server")):
            raise HostNotAllowed
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
    """`receive` that raises BodyTooLarge or BodyTooSlow, and decodes; once the body is there it waits without limit.

    Its size counts as it is sent, and as it is when decoded."""

    def __init__(self, receive: Receive, settings: EndpointSettings, decoder: Decoder | None) -> None:
        self._receive = receive
        self._settings = settings
        self._decoder = decoder
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
        if message["type"] != "http.request":
            return message
        self._complete = not message.get("more_body", False)
        if self._decoder is not None:
            return {**message, "body": await self._decoded(self._decoder, message.get("body", b""))}
        self._count(message.get("body", b""))
        return message

    async def _decoded(self, decoder: Decoder, data: bytes) -> bytes:
        pieces = []
        for piece in decoder.decode(data):
            self._count(piece)
            pieces.append(piece)
            await asyncio.sleep(0)
        if self._complete:
            decoder.check_end()
        return b"".join(pieces)

    def _count(self, piece: bytes) -> None:
        self._size_bytes += len(piece)
        if self._size_bytes > self._settings.max_body_bytes:
            raise BodyTooLarge(self._settings.max_body_bytes)


def _decoder(headers: Headers) -> Decoder | None:
    """Raises UnsupportedEncoding."""
    codings = b",".join(_values(headers, b"content-encoding")).decode("latin-1").strip().lower()
    return None if codings in ("", "identity") else Decoder(codings)


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
