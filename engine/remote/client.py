"""The HTTP client of one connection."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from engine.errors import AccessDenied, EngineError, Reason, ServerFailed, ServerUnreachable
from engine.remote.connection import Connection
from engine.remote.event_stream import EventDecoder, EventTooLarge
from engine.remote.remote_thread import RemoteThread
from engine.remote.server_errors import connection_error, response_error
from engine.remote.untrusted_json import InvalidJson, JsonObject, read_object

if TYPE_CHECKING:
    import httpx2

MAX_BODY_BYTES = 64 << 20
"""Limit of a response that is no stream. The largest are embeddings of many texts."""

MAX_STREAM_BYTES = 512 << 20
"""Limit of a streamed response."""

MAX_ERROR_BYTES = 64 << 10
"""As much is read of an error response. The rest is not."""

MAX_CONNECTIONS = 512
MAX_REDIRECTS = 3
DRAIN_S = 0.5
"""How long the end of a response is awaited after the last event, so that its connection can be used again."""

_REDIRECTS = frozenset((301, 302, 307, 308))


class _NoCookies(DefaultCookiePolicy):
    """Accepts no cookie."""

    def __init__(self) -> None:
        super().__init__(allowed_domains=[])


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. `idle_s` is the longest time without any data, also while the server reads a prompt."""

    connect_s: float = 5.0
    idle_s: float = 600.0
    silence_s: float = 3600.0
    """The longest time without an event in a stream, while the server only sends comments to keep it open."""
    query_s: float = 20.0
    """The longest time without data of requests that compute no answer."""


class ConnectionClient:
    """The HTTP client of one connection. The methods that send requests run on the remote thread only.

    Errors are those of the engine: ServerUnreachable, AccessDenied, ServerBusy, ServerFailed, ContextOverflow."""

    def __init__(
        self, connection: Connection, key: str = "", *, thread: RemoteThread, timeouts: Timeouts = Timeouts()
    ) -> None:
        self.connection = connection
        self.thread = thread
        self._key = key
        self._timeouts = timeouts
        self._opening: asyncio.Task[httpx2.AsyncClient] | None = None

    def __repr__(self) -> str:
        return f"ConnectionClient({self.connection.address!r})"

    @property
    def host(self) -> str:
        return self.connection.host

    def at(self, api_path: str) -> ConnectionClient:
        """A client for the same server, whose API is at another path."""
        connection = replace(self.connection, api_path=api_path)
        return ConnectionClient(connection, self._key, thread=self.thread, timeouts=self._timeouts)

    async def open(self) -> None:
        """Reads the certificates and creates the HTTP client, which the first request does otherwise."""
        await self._client()

    async def get(self, path: str, *, timeout_s: float | None = None) -> JsonObject:
        """The JSON object at a path below the server's root."""
        return await self._fetch("GET", path, None, timeout_s)

    async def post(
        self, path: str, body: Mapping[str, object], *, timeout_s: float | None = None, request_id: str = ""
    ) -> JsonObject:
        return await self._fetch("POST", path, body, timeout_s, request_id)

    def api(self, path: str) -> str:
        """The path of an operation of OpenAI's API below the server's root."""
        return self.connection.api_path + path

    @asynccontextmanager
    async def stream(
        self, path: str, body: Mapping[str, object], request_id: str
    ) -> AsyncIterator[AsyncGenerator[list[bytes], None]]:
        """Sends a request, and yields an iterator over its events: the data of all that arrived together.

        Leaving the block before the end closes the connection to the server."""
        headers = {"X-Request-Id": request_id, "Accept": "text/event-stream"}
        async with self._respond("POST", path, body, self._timeouts.idle_s, headers) as response:
            content_type = response.headers.get("content-type", "").lower()
            if content_type.startswith("text/html"):
                raise ServerFailed(self.host, "it sent a web page instead of an answer", response.status_code)
            if "json" in content_type:
                async with aclosing(_whole(self.host, response)) as events:
                    yield events
            else:
                async with aclosing(_events(self.host, response, self._timeouts.silence_s)) as events:
                    yield events

    async def aclose(self) -> None:
        """Closes idle connections. May be called on any thread with a running event loop. Idempotent."""
        if self._opening is not None:
            await self.thread.call(self._close())

    async def _close(self) -> None:
        opening, self._opening = self._opening, None
        if opening is not None:
            await asyncio.wait([opening])
            if not opening.cancelled() and opening.exception() is None:
                await opening.result().aclose()

    async def _fetch(
        self, method: str, path: str, body: Mapping[str, object] | None, timeout_s: float | None, request_id: str = ""
    ) -> JsonObject:
        headers = {"Accept": "application/json", **({"X-Request-Id": request_id} if request_id else {})}
        timeout_s = self._timeouts.query_s if timeout_s is None else timeout_s
        async with self._respond(method, path, body, timeout_s, headers) as response:
            content = await _read(response, MAX_BODY_BYTES)
        if content is None:
            raise ServerFailed(self.host, "its answer is too large", response.status_code)
        try:
            return read_object(content)
        except InvalidJson:
            raise ServerFailed(self.host, "its answer is not JSON", response.status_code) from None

    @asynccontextmanager
    async def _respond(
        self, method: str, path: str, body: Mapping[str, object] | None, timeout_s: float, headers: dict[str, str]
    ) -> AsyncIterator[httpx2.Response]:
        """Sends a request, and yields its response, whose status is 2xx. Follows redirects to the same host."""
        import httpx2

        content = (
            None if body is None else json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
        )
        if content is not None:
            headers["Content-Type"] = "application/json"
        client, url, status = await self._client(), self.connection.address + path, 0
        connect_s = self._timeouts.connect_s
        timeout = httpx2.Timeout(timeout_s, connect=connect_s, pool=connect_s)
        try:
            for _ in range(MAX_REDIRECTS + 1):
                request = partial(client.build_request, method, url, content=content, headers=headers, timeout=timeout)
                async with aclosing(await _sent(client, request)) as response:
                    status = response.status_code
                    if status in _REDIRECTS:
                        url = self._redirected(url, response)
                        continue
                    await self._check(response)
                    yield response
                    return
            raise ServerFailed(self.host, "it redirects too often", status)
        except httpx2.InvalidURL:  # the target of a redirect
            raise ServerFailed(self.host, "it redirects to an invalid address", status) from None
        except (httpx2.HTTPError, OSError) as error:  # httpx2 passes on some errors of TLS, which are OSErrors
            raise connection_error(self.host, error) from error

    async def _check(self, response: httpx2.Response) -> None:
        """Raises the error of a response without success, or of one that cannot be read."""
        status = response.status_code
        if not 200 <= status < 300:
            body = await _read(response, MAX_ERROR_BYTES, partial_ok=True) or b""
            if self._key:  # some servers repeat it in the error
                body = body.replace(self._key.encode(), b"***")
            raise response_error(self.host, status, response.headers, body, time.time())
        if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            raise ServerFailed(self.host, "its answer is compressed", status)

    def _redirected(self, url: str, response: httpx2.Response) -> str:
        """The target of a redirect. Raises ServerFailed if it is on another server, or less secure."""
        try:
            target = urljoin(url, response.headers.get("location", ""))
            before, after = urlsplit(url), urlsplit(target)
            is_upgrade = (before.scheme, before.port, after.scheme, after.port) == ("http", None, "https", None)
            is_same = (before.scheme, before.port) == (after.scheme, after.port) or is_upgrade
        except ValueError:
            raise ServerFailed(self.host, "it redirects to an invalid address", response.status_code) from None
        if before.hostname != after.hostname or not is_same:
            reason = Reason("it redirects to another address ({host})", host=(after.hostname or "")[:200])
            raise ServerFailed(self.host, reason, response.status_code)
        return target

    async def _client(self) -> httpx2.AsyncClient:
        if self._opening is None:
            self._opening = asyncio.get_running_loop().create_task(self._open())
        opening = self._opening
        try:
            return opening.result() if opening.done() else await asyncio.shield(opening)
        except EngineError:
            if self._opening is opening:
                self._opening = None  # a file that could not be read is tried again
            raise

    async def _open(self) -> httpx2.AsyncClient:
        import httpx2

        if not all(" " < c <= "~" for c in self._key):
            raise AccessDenied(self.host, "the key contains characters that cannot be sent")
        verify: ssl.SSLContext | bool = True
        if self.connection.address.startswith("https:"):
            verify = await asyncio.to_thread(tls_context, self.connection)
        headers = {"User-Agent": f"Inglenook/{_version()}", "Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        options: dict[str, Any] = {
            "headers": headers,
            "verify": verify,
            "limits": httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=32),
            "follow_redirects": False,
            # Words for a server on this computer are not sent through a proxy.
            "trust_env": not self.connection.is_this_computer,
        }
        try:
            client = httpx2.AsyncClient(**options)
        except (ImportError, ValueError, TypeError, httpx2.InvalidURL):
            reason = "the proxy in the system's settings is not supported"
            raise ServerUnreachable(self.host, reason, is_transient=False) from None
        except OSError as error:  # the file that SSL_CERT_FILE names
            raise _unusable_certificates(self.host, error) from None
        client.cookies.jar.set_policy(_NoCookies())
        return client


async def _sent(client: httpx2.AsyncClient, request: Callable[[], httpx2.Request]) -> httpx2.Response:
    """Sends a request and returns its response, whose body is not read. If the connection is lost before, it is sent
    once more, because a server may close an idle connection at the moment at which it is used again."""
    import httpx2

    try:
        return await client.send(request(), stream=True)
    except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
        return await client.send(request(), stream=True)


def tls_context(connection: Connection) -> ssl.SSLContext:
    """The certificates that a connection trusts, and its own. Reads files. Raises ServerUnreachable."""
    import httpx2

    try:
        context = httpx2.create_ssl_context()  # reads the file that SSL_CERT_FILE names, if it is set
        if connection.ca_file is not None:
            context.load_verify_locations(connection.ca_file)
        if connection.client_certificate is not None:
            context.load_cert_chain(connection.client_certificate, connection.client_key, password=_no_password)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        raise _unusable_certificates(connection.host, error) from None
    return context


def _unusable_certificates(host: str, error: OSError | ValueError) -> ServerUnreachable:
    why = "not a valid PEM file"
    if not isinstance(error, ssl.SSLError):
        why = error.strerror or why if isinstance(error, OSError) else str(error)
    reason = Reason("a certificate file cannot be used ({why})", why=why)
    return ServerUnreachable(host, reason, is_transient=False)


def _no_password() -> str:
    """Without this, OpenSSL would ask for the password of an encrypted key on the terminal."""
    raise ValueError("the private key is encrypted")


async def _events(host: str, response: httpx2.Response, silence_s: float) -> AsyncGenerator[list[bytes], None]:
    decoder, last_at, n_bytes = EventDecoder(), time.monotonic(), 0
    try:
        async with aclosing(response.aiter_raw()) as blocks:
            async for block in blocks:
                n_bytes += len(block)
                if n_bytes > MAX_STREAM_BYTES:
                    raise ServerFailed(host, "its answer is too large", response.status_code)
                if events := list(decoder.add(block)):
                    yield events
                    last_at = time.monotonic()
                elif time.monotonic() - last_at > silence_s:
                    raise ServerUnreachable(host, "it sent nothing for too long")
        if events := list(decoder.close()):
            yield events
    except EventTooLarge:
        raise ServerFailed(host, "it sent an event that is too large", response.status_code) from None


async def _whole(host: str, response: httpx2.Response) -> AsyncGenerator[list[bytes], None]:
    """A response that is not streamed, although a stream was requested, as one event."""
    content = await _read(response, MAX_BODY_BYTES)
    if content is None:
        raise ServerFailed(host, "its answer is too large", response.status_code)
    yield [content]


async def _read(response: httpx2.Response, max_bytes: int, *, partial_ok: bool = False) -> bytes | None:
    """The body of a response; None if it is larger than `max_bytes`. With `partial_ok`, its beginning then."""
    parts, n_bytes = [], 0
    async with aclosing(response.aiter_raw()) as blocks:
        async for block in blocks:
            parts.append(block)
            n_bytes += len(block)
            if n_bytes > max_bytes:
                return b"".join(parts)[:max_bytes] if partial_ok else None
    return b"".join(parts)


async def drain(events: AsyncGenerator[list[bytes], None]) -> None:
    """Reads the end of a stream after its last event, so that its connection can be used again."""
    import httpx2

    try:
        async with asyncio.timeout(DRAIN_S):
            async for _ in events:
                pass
    except (EngineError, httpx2.HTTPError, OSError):  # a TimeoutError is an OSError
        return


def _version() -> str:
    try:
        return version("inglenook")
    except PackageNotFoundError:
        return "0"
