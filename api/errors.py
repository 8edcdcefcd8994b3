"""What can go wrong at the HTTP origin, and the one table that gives each error its status.

ApiError
├── BadRequest           what was asked is malformed or out of range
│   └── UnsupportedParameter          a field promises what this server does not do
├── InvalidKey           no key, or a wrong one
├── HostNotAllowed          the Host header names another machine
├── OriginNotAllowed        a web page of elsewhere asks
├── ModelNotFound         another model is asked for, and the settings say to refuse
├── ResponseNotFound      a response to go on from is not kept here
├── BodyTooSlow, BodyTooLarge, TooManyValues, NotJson
├── AmbiguousLength      the body's length is said in two ways
├── UnsupportedEncoding        the body is compressed in a way that is not decoded here
├── RequestStopped          the request was ended on this machine, not by its client
├── TooManyConnections
├── QueueFull            as many requests wait as may
├── RequestNotFound          nothing of this id is under way
├── NoSlotFree           all places are taken, and the client will not wait
└── CannotListen         the server's address cannot be taken; never seen by a client
    └── PortBusy
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from engine.errors import (
    ConstraintError,
    ContextOverflow,
    EngineClosed,
    EngineDead,
    EngineError,
    NotLoaded,
    RequestError,
    TemplateError,
)

LOADING_RETRY_S = 2
EMPTY_RETRY_S = 15
QUEUE_RETRY_S = 2


class ApiError(Exception):
    """Base of what the origin itself raises."""


class BadRequest(ApiError):
    """`message` is for the tool's author; `param` is the field's path, as in `messages[0].content`."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


class UnsupportedParameter(BadRequest):
    """Refused rather than ignored: an answer that breaks a field's promise is worse than none."""

    def __init__(self, param: str, message: str | None = None) -> None:
        super().__init__(message or f"'{param}' is not supported with this value.", param)


class InvalidKey(ApiError):
    pass


class HostNotAllowed(ApiError):
    pass


class OriginNotAllowed(ApiError):
    """`origin`: "" where it cannot be allowed."""

    def __init__(self, origin: str = "") -> None:
        super().__init__(origin)
        self.origin = origin


class ModelNotFound(ApiError):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class ResponseNotFound(ApiError):
    def __init__(self, response_id: str) -> None:
        super().__init__(response_id)
        self.response_id = response_id


class BodyTooSlow(ApiError):
    pass


class BodyTooLarge(ApiError):
    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes)
        self.limit_bytes = limit_bytes


class TooManyValues(ApiError):
    """More values than are turned into objects."""

    def __init__(self, max_elements: int) -> None:
        super().__init__(max_elements)
        self.max_elements = max_elements


class AmbiguousLength(ApiError):
    pass


class UnsupportedEncoding(ApiError):
    def __init__(self, coding: str) -> None:
        super().__init__(coding)
        self.coding = coding


class NotJson(ApiError):
    pass


class RequestStopped(ApiError):
    pass


class TooManyConnections(ApiError):
    pass


class QueueFull(ApiError):
    pass


class RequestNotFound(ApiError):
    pass


class NoSlotFree(ApiError):
    pass


class CannotListen(ApiError):
    """`reason` is the operating system's own short sentence."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {host}, port {port}: {reason}")
        self.host = host
        self.port = port
        self.reason = reason


class PortBusy(CannotListen):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port, "another program listens there")


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a client sees it, before a dialect gives it its shape. Never holds a path, a trace or a key."""

    status: int
    type: str
    message: str
    code: str | None = None
    param: str | None = None
    retry_after_s: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, int] = field(default_factory=dict)


def problem_of(error: BaseException) -> Problem:
    """The nearest entry of the table along the error's ancestry; what nobody foresaw is a plain 500."""
    for kind in type(error).__mro__:
        if kind in _TABLE:
            return _TABLE[kind](error)
    return Problem(500, "server_error", "Something went wrong inside this server.", "internal_error")


def openai_body(problem: Problem) -> dict[str, object]:
    """OpenAI's shape; all four members are required there. Counts stand beside them, as llama.cpp has them."""
    return {
        "error": {
            "message": problem.message,
            "type": problem.type,
            "param": problem.param,
            "code": problem.code,
            **problem.details,
        }
    }


def _invalid(message: str, code: str | None = None, param: str | None = None, status: int = 400) -> Problem:
    return Problem(status, "invalid_request_error", message, code, param)


def _overflow(error: ContextOverflow) -> Problem:
    # Tools recognise an overflow by the first sentence (litellm, and so aider) or by the code, which some of them look
    # for in the message (LangChain).
    message = (
        f"This model's maximum context length is {error.n_ctx} tokens. "
        f"However, your messages resulted in {error.n_prompt} tokens. Please shorten them (context_length_exceeded)."
    )
    counts = {"n_prompt_tokens": error.n_prompt, "n_ctx": error.n_ctx}
    return Problem(400, "invalid_request_error", message, "context_length_exceeded", "messages", details=counts)


def _not_loaded(error: NotLoaded) -> Problem:
    message = "The model is still loading." if error.loading else "No model is loaded."
    retry_after_s = LOADING_RETRY_S if error.loading else EMPTY_RETRY_S
    return Problem(503, "unavailable_error", message, "model_not_loaded", retry_after_s=retry_after_s)


def _origin_message(origin: str) -> str:
    if not origin:
        return "This Origin may not ask here, and cannot be allowed."
    return (
        f"The Origin {origin} may not ask here. It can be allowed on the endpoint page of Inglenook, or with "
        f"'inglenook-serve --origin {origin}'. It needs a key as well."
    )


def _http(error: HTTPException) -> Problem:
    headers = error.headers or {}
    match error.status_code:
        case 404:
            return _invalid("There is nothing at this address; /v1 holds the routes.", "unknown_url", status=404)
        case 405:
            problem = _invalid("This address does not take this method.", "method_not_allowed", status=405)
        case status:
            problem = _invalid("The request was refused.", status=status)
    return Problem(problem.status, problem.type, problem.message, problem.code, headers=headers)


_UNAVAILABLE = "unavailable_error"

_TABLE: Mapping[type, Callable[[Any], Problem]] = {
    BadRequest: lambda e: _invalid(e.message, "invalid_value", e.param),
    UnsupportedParameter: lambda e: _invalid(e.message, "unsupported_parameter", e.param),
    InvalidKey: lambda e: Problem(
        401,
        "authentication_error",
        "This server needs its key, as 'Authorization: Bearer KEY' or 'x-api-key: KEY'.",
        "invalid_api_key",
        headers={"www-authenticate": "Bearer"},
    ),
    HostNotAllowed: lambda e: Problem(403, "permission_error", "This Host is not served here.", "host_refused"),
    OriginNotAllowed: lambda e: Problem(403, "permission_error", _origin_message(e.origin), "origin_refused"),
    ModelNotFound: lambda e: _invalid(
        f"The model '{e.name[:200]}' was not found: it is not loaded.", "model_not_found", "model", 404
    ),
    ResponseNotFound: lambda e: _invalid(
        f"The response '{e.response_id[:100]}' is not kept here.",
        "previous_response_not_found",
        "previous_response_id",
        404,
    ),
    BodyTooSlow: lambda e: _invalid("The body did not arrive in time.", "request_timeout", status=408),
    BodyTooLarge: lambda e: _invalid(f"The body exceeds {e.limit_bytes} bytes.", "request_too_large", status=413),
    TooManyValues: lambda e: _invalid(
        f"The body holds more than {e.max_elements} values.", "request_too_large", status=413
    ),
    AmbiguousLength: lambda e: _invalid("Send Content-Length or Transfer-Encoding, not both."),
    UnsupportedEncoding: lambda e: _invalid(
        f"Content-Encoding '{e.coding[:40]}' is not supported; send the body with gzip, deflate, or uncompressed.",
        "unsupported_content_encoding",
        status=415,
    ),
    NotJson: lambda e: _invalid("Send the body as application/json.", "unsupported_media_type", status=415),
    # The header asks OpenAI's own clients not to try again what a person has just stopped.
    RequestStopped: lambda e: Problem(
        503,
        _UNAVAILABLE,
        "The request was stopped on the serving machine.",
        "request_stopped",
        headers={"x-should-retry": "false"},
    ),
    TooManyConnections: lambda e: Problem(
        503, _UNAVAILABLE, "Too many connections.", "too_many_connections", retry_after_s=1
    ),
    QueueFull: lambda e: Problem(
        429,
        "rate_limit_error",
        "Too many requests wait here; try again soon.",
        "queue_full",
        retry_after_s=QUEUE_RETRY_S,
    ),
    RequestNotFound: lambda e: _invalid("No request of this id is under way.", "request_not_found", status=404),
    NoSlotFree: lambda e: Problem(503, _UNAVAILABLE, "No slot is free.", "no_slot_free", retry_after_s=1),
    ClientDisconnect: lambda e: _invalid("The client left."),
    HTTPException: _http,
    ContextOverflow: _overflow,
    TemplateError: lambda e: _invalid(
        f"The model's chat template refused the messages: {e.reason[:500]}", "template_refused", "messages"
    ),
    ConstraintError: lambda e: _invalid(
        f"The answer cannot be held to this constraint: {e.reason[:500]}", "constraint_refused"
    ),
    RequestError: lambda e: _invalid(f"The model cannot serve this: {e}."),
    NotLoaded: _not_loaded,
    EngineDead: lambda e: Problem(
        503, _UNAVAILABLE, "The engine has stopped; the model must be loaded again.", "engine_dead", retry_after_s=30
    ),
    EngineClosed: lambda e: Problem(503, _UNAVAILABLE, "The server is closing.", "closing", retry_after_s=30),
    EngineError: lambda e: Problem(500, "server_error", "The engine could not do this.", "engine_error"),
}
