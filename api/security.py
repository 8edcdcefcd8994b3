"""Access control in front of all routes: checks Host, Origin, key, and the headers that describe a body.

It runs before routing and refuses by default, so that no route, method or unknown path is left open by mistake. The
keys themselves are checked in `api.authentication`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.authentication import KeyRing
from api.body_limits import BoundedReceive
from api.cors import Origins
from api.error_bodies import OLLAMA_PATH, error_response, problem_of, request_id_headers
from api.errors import AmbiguousLength, ApiError, BodyTooLarge, HostNotAllowed, NotJson, OriginNotAllowed
from api.request_record import HOLDER, KEYS, REQUEST_ID
from api.settings import EndpointSettings
from engine.redacted_traceback import redacted_traceback
from engine.requests import new_request_id

log = logging.getLogger(__name__)

OPEN_PATHS = frozenset({"/", "/health", "/v1/health"})
"""Paths that are answered without a key."""

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
SAFE_METHODS = frozenset({"GET", "HEAD"})

_ABSOLUTE_TARGET = re.compile(r"(?i)http://([^/?#]*)(.*)", re.DOTALL)
_SLASHES = re.compile(r"/{2,}")

Headers = Iterable[tuple[bytes, bytes]]


class SecurityMiddleware:
    """ASGI middleware that checks each request. It refuses web pages, except those of origins that the user has
    allowed.

    It also gives each request its id, and answers exceptions that no handler of the app has caught."""

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
        id_headers = request_id_headers(request_id)
        headers_sent = False

        async def send_with_id(message: Message) -> None:
            nonlocal headers_sent
            if message["type"] == "http.response.start":
                headers_sent = True
                message["headers"] = [*message.get("headers", ()), *id_headers]
            await send(message)

        try:
            self._check(scope)
            await self._app(scope, BoundedReceive(receive, self._settings, _encoding(scope)), send_with_id)
        except Exception as error:
            if headers_sent:
                raise
            if not isinstance(error, ApiError):  # any other exception is a bug in this server
                log.error("a request failed\n%s", redacted_traceback(error))
            response = error_response(scope["path"], problem_of(error), request_id)
            if isinstance(error, AmbiguousLength):
                response.headers["connection"] = "close"
            await response(scope, receive, send_with_id)

    def _check(self, scope: Scope) -> None:
        headers, method = scope["headers"], scope["method"]
        # Both headers together allow request smuggling: a proxy may use one of them, and this server the other.
        if _values(headers, b"content-length") and _values(headers, b"transfer-encoding"):
            raise AmbiguousLength
        if not is_own_host(scope):
            raise HostNotAllowed
        self._check_origin(scope)
        if not (scope["path"] in OPEN_PATHS and method in SAFE_METHODS):
            scope[HOLDER], scope[KEYS] = self._keys.holder_of(_presented_keys(headers)), self._keys
        if method == "POST":
            self._check_body_headers(scope)

    def _check_origin(self, scope: Scope) -> None:
        own = scope["scheme"].encode() + b"://" + (_single_value(scope["headers"], b"host") or b"")
        foreign = [origin for origin in _values(scope["headers"], b"origin") if origin != own]
        if not foreign or self._origins.allow(scope):
            return
        refused = self._origins.refuse(foreign[0])
        if scope["method"] not in SAFE_METHODS:
            raise OriginNotAllowed(refused)

    def _check_body_headers(self, scope: Scope) -> None:
        headers = scope["headers"]
        length = _single_value(headers, b"content-length")  # h11 refuses repeated Content-Length headers
        if not _values(headers, b"transfer-encoding") and length in (None, b"0"):
            return  # without a body, no content type is needed
        # With a content type other than JSON, a web page can send a body without a preflight (a "simple" request).
        # Ollama's clients send any content type or none (litellm, and the curl examples in Ollama's manual), so
        # Ollama's routes rely on the key alone.
        if not scope["path"].startswith(OLLAMA_PATH) and not _is_json(_single_value(headers, b"content-type") or b""):
            raise NotJson
        if length is not None and int(length) > self._settings.max_body_bytes:
            raise BodyTooLarge(self._settings.max_body_bytes)


def normalized(scope: Scope) -> Scope:
    """Returns a copy of `scope` in the form that is checked and routed.

    For an absolute request target, only the path is kept, and its host replaces the Host header (RFC 9112, section
    3.2.2). Repeated slashes become one, and trailing ones are removed. HEAD becomes GET; the server then omits the
    body."""
    path, headers = scope["path"], scope["headers"]
    if found := _ABSOLUTE_TARGET.fullmatch(path):
        authority, path = found[1], found[2] or "/"
        headers = [(name, value) for name, value in headers if name != b"host"]
        headers.append((b"host", authority.encode("latin-1", "replace")))
    path = _SLASHES.sub("/", path).rstrip("/") or "/"
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    return {**scope, "path": path, "raw_path": path.encode(), "headers": headers, "method": method}


def is_own_host(scope: Scope) -> bool:
    """Whether the request has exactly one Host header, and it names this machine.

    The header may contain a local name, or the address at which the connection arrived, with this server's port or
    without a port. Any other name could be an attack by DNS rebinding. With TLS, any name is accepted: a browser
    connects only if the certificate has that name."""
    host = _single_value(scope["headers"], b"host")
    if host is None:
        return False
    if scope["scheme"] == "https":
        return True
    name, port = _split_host(host.decode("latin-1").lower())
    own_address, own_port = scope.get("server") or ("", None)
    own_address = own_address.removeprefix("::ffff:")  # an IPv6 socket puts this prefix before an IPv4 address
    own_name = f"[{own_address}]" if ":" in own_address else own_address
    return name in LOCAL_NAMES | {own_name} and port in ("", str(own_port))


def _split_host(host: str) -> tuple[str, str]:
    """Splits a Host header into name and port; the port is "?" if it is malformed."""
    if host.startswith("["):
        name, bracket, rest = host.partition("]")
        return name + bracket, rest.removeprefix(":") if rest[:1] in ("", ":") else "?"
    name, colon, port = host.partition(":")
    return name, port if port or not colon else "?"


def _encoding(scope: Scope) -> str:
    return b",".join(_values(scope["headers"], b"content-encoding")).decode("latin-1").strip().lower()


def _values(headers: Headers, name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]


def _single_value(headers: Headers, name: bytes) -> bytes | None:
    """Returns the value of a header that occurs exactly once, else None."""
    values = _values(headers, name)
    return values[0] if len(values) == 1 else None


def _presented_keys(headers: Headers) -> list[bytes]:
    """Returns every key that the request contains in the headers `x-api-key` and `Authorization`."""
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
