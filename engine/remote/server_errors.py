"""Translates error responses of servers, and failed connections, to the engine's errors."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from engine.errors import (
    AccessDenied,
    ContextOverflow,
    EngineError,
    Reason,
    ServerBusy,
    ServerFailed,
    ServerUnreachable,
)
from engine.remote.untrusted_json import InvalidJson, JsonObject, count_in, object_in, read_object, text_in

MAX_REASON = 300
MAX_RETRY_AFTER_S = 24 * 3600.0

_BUSY = frozenset((408, 425, 429, 503, 529))
_OVERFLOW_TYPES = frozenset(("exceed_context_size_error", "context_length_exceeded"))
_NUMBERS = re.compile(r"\b(\d{1,9}) tokens")


def response_error(host: str, status: int, headers: Mapping[str, str], body: bytes, now: float) -> EngineError:
    """The error of a response whose status is not 2xx. `body` is the beginning of the response. `now` is Unix time."""
    try:
        content: JsonObject = read_object(body)
    except InvalidJson:
        content = {}
    reason = reason_in(content) or _status_reason(status, body)
    if status in (401, 403):
        return AccessDenied(host, reason)
    if status in _BUSY:
        return ServerBusy(host, reason, _retry_after(headers.get("retry-after", ""), now))
    return stream_error(host, content, status) if content else ServerFailed(host, reason, status)


def stream_error(host: str, content: JsonObject, status: int = 200) -> EngineError:
    """The error in a JSON object, which a server sent as a response or in a stream."""
    error = object_in(content, "error") or content
    reason = reason_in(content) or _status_reason(status, b"")
    if {text_in(error, "type"), text_in(error, "code")} & _OVERFLOW_TYPES:
        return _overflow(error, reason)
    code = count_in(error, "code") or count_in(error, "status")
    if status == 200 and code in _BUSY:
        return ServerBusy(host, reason)
    return ServerFailed(host, reason, status)


def _overflow(error: JsonObject, reason: str) -> ContextOverflow:
    """llama.cpp has the numbers in fields. Other servers have only a text: "This model's maximum context length is N
    tokens. However, you requested M tokens"."""
    numbers = [int(found) for found in _NUMBERS.findall(reason)]
    limit, wanted = [*numbers, 0, 0][:2]
    return ContextOverflow(count_in(error, "n_prompt_tokens") or wanted, count_in(error, "n_ctx") or limit)


def reason_in(content: JsonObject) -> str:
    """The message in an error object: OpenAI's form, or those of Ollama, FastAPI and vLLM. Empty if there is none."""
    for source, name in (
        (object_in(content, "error"), "message"),
        (content, "error"),
        (content, "message"),
        (content, "detail"),
    ):
        if found := shortened(text_in(source, name)):
            return found
    return ""


def shortened(text: str) -> str:
    """A text of a server as one line of limited length, without control characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * MAX_REASON]).split())
    return line if len(line) <= MAX_REASON else f"{line[:MAX_REASON]}…"


def _status_reason(status: int, body: bytes) -> str:
    """A reason for a response without a message that can be shown, such as the error page of a proxy."""
    if status == 200:
        return "it reported an error without a description"
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    text = body[:1000].lstrip()
    if text and not text.startswith((b"<", b"{", b"[")) and (line := shortened(text.decode("utf-8", "replace"))):
        return Reason("it answered {status}: {text}", status=phrase, text=line)
    return Reason("it answered {status}", status=phrase)


def _retry_after(value: str, now: float) -> float | None:
    """Seconds from a Retry-After header: a number or a date."""
    value = value.strip()
    try:
        seconds = float(value) if value[:1].isdigit() else parsedate_to_datetime(value).timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def connection_error(host: str, error: Exception) -> EngineError:
    """The error of a request without a complete response."""
    import httpx2

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = Reason("its certificate is not trusted ({why})", why=cause.verify_message)
            return ServerUnreachable(host, why, is_transient=False)
        if isinstance(cause, ssl.SSLError):
            return ServerUnreachable(host, Reason("no secure connection ({why})", why=cause.reason or "TLS"))
        cause = cause.__cause__ or cause.__context__
    match error:
        case httpx2.ConnectTimeout():
            return ServerUnreachable(host, "it did not accept a connection in time")
        case httpx2.PoolTimeout():
            return ServerBusy(host, "too many requests are open")
        case httpx2.ReadTimeout():
            return ServerUnreachable(host, "it sent nothing for too long")
        case httpx2.WriteTimeout():
            return ServerUnreachable(host, "it did not read the request in time")
        case httpx2.ProxyError():
            return ServerUnreachable(host, "the proxy refused the connection")
        case httpx2.ConnectError():
            return ServerUnreachable(host, Reason("no connection ({why})", why=_system_reason(error)))
    return ServerUnreachable(host, "the connection was lost")


def _system_reason(error: BaseException) -> str:
    """The operating system's description of a failed connection."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, BaseExceptionGroup):  # one error for each address of the server
            cause = cause.exceptions[0]
        if isinstance(cause, socket.gaierror):
            return "no computer has this name"
        if isinstance(cause, OSError) and cause.errno is not None and cause.errno > 0:
            return os.strerror(cause.errno)
        cause = cause.__cause__ or cause.__context__
    return shortened(str(error)) or type(error).__name__
