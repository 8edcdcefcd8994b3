"""The HTTP answer to each error. One table determines status and code; the request's path determines the dialect of the
body."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from api.errors import (
    AmbiguousLength,
    BadRequest,
    BodyTooLarge,
    BodyTooSlow,
    HostNotAllowed,
    InvalidKey,
    KeyLimitReached,
    ModelNotAllowed,
    ModelNotFound,
    NoSlotFree,
    NotJson,
    OriginNotAllowed,
    OwnKeyNeeded,
    QueueFull,
    RequestNotFound,
    RequestStopped,
    ResponseNotFound,
    TooManyConnections,
    TooManyValues,
    UnsupportedEncoding,
    UnsupportedParameter,
)
from engine.errors import (
    AccessDenied,
    AllocationFailed,
    CardLost,
    ConstraintError,
    ContextOverflow,
    EngineClosed,
    EngineDead,
    EngineError,
    ModelFileError,
    NotEnoughMemory,
    NotLoaded,
    RemoteError,
    RequestError,
    ServerBusy,
    ServerFailed,
    ServerUnreachable,
    TemplateError,
    Unsupported,
)

LOADING_RETRY_S = 2
NO_MODEL_RETRY_S = 15
QUEUE_RETRY_S = 2
BUSY_RETRY_S = 5
"""`retry-after` if a busy server names no delay, in seconds."""
MAX_RETRY_S = 3600
OWN_ACCESS = frozenset((401, 402, 403, 407, 429))
"""Statuses of another server that concern this server's access to it, not the client's access to this server."""

ANTHROPIC_PATH, OLLAMA_PATH = "/v1/messages", "/api/"


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a client sees it, before it is formatted in a dialect. Never contains a path, a traceback or a
    key."""

    status: int
    type: str
    message: str
    code: str | None = None
    param: str | None = None
    retry_after_s: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, int] = field(default_factory=dict)


def problem_of(error: BaseException) -> Problem:
    """Looks up the error's class, or its nearest base class, in the table. Returns status 500 if neither is in the
    table."""
    for kind in type(error).__mro__:
        if kind in _TABLE:
            return _TABLE[kind](error)
    return Problem(500, "server_error", "Something went wrong inside this server.", "internal_error")


def error_response(path: str, problem: Problem, request_id: str) -> JSONResponse:
    headers = dict(problem.headers)
    if problem.retry_after_s is not None:
        headers["retry-after"] = str(problem.retry_after_s)
    return JSONResponse(error_body(path, problem, request_id), problem.status, headers)


def error_body(path: str, problem: Problem, request_id: str) -> dict[str, object]:
    """Returns the error in the format of the dialect that `path` belongs to. `path` need not be the path of a route."""
    if path.startswith(ANTHROPIC_PATH):
        return anthropic_body(problem, public_request_id(request_id))
    if path.startswith(OLLAMA_PATH):
        return ollama_body(problem)
    return openai_body(problem)


def openai_body(problem: Problem) -> dict[str, object]:
    """Returns the error in OpenAI's format, in which all four members are required. Adds the problem's details, such as
    the token counts that llama.cpp's server also returns."""
    return {
        "error": {
            "message": problem.message,
            "type": problem.type,
            "param": problem.param,
            "code": problem.code,
            **problem.details,
        }
    }


_ANTHROPIC_TYPES: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}


def anthropic_body(problem: Problem, request_id: str) -> dict[str, object]:
    default_type = "invalid_request_error" if problem.status < 500 else "api_error"
    message = problem.message
    if problem.code == "context_length_exceeded":
        # Anthropic's clients recognise the error for an overlong prompt by this text
        counts = problem.details
        message = f"prompt is too long: {counts['n_prompt_tokens']} tokens > {counts['n_ctx']} maximum. {message}"
    error = {"type": _ANTHROPIC_TYPES.get(problem.status, default_type), "message": message}
    return {"type": "error", "error": error, "request_id": request_id}


def ollama_body(problem: Problem) -> dict[str, object]:
    return {"error": problem.message}


def public_request_id(request_id: str) -> str:
    return f"req_{request_id}"


def request_id_headers(request_id: str) -> list[tuple[bytes, bytes]]:
    """Returns `x-request-id` for OpenAI's clients and `request-id` for Anthropic's. The value of both is "req_",
    followed by the id that /v1/activity lists."""
    value = public_request_id(request_id).encode()
    return [(b"x-request-id", value), (b"request-id", value)]


def _invalid(message: str, code: str | None = None, param: str | None = None, status: int = 400) -> Problem:
    return Problem(status, "invalid_request_error", message, code, param)


def _unavailable(message: str, code: str, retry_after_s: int | None, **headers: str) -> Problem:
    return Problem(503, "unavailable_error", message, code, retry_after_s=retry_after_s, headers=headers)


def _overflow(error: ContextOverflow) -> Problem:
    # Clients recognise the error for an overlong prompt by different parts of it. litellm (and so aider) reads the
    # first sentence of the message, LangChain the code within the message, and others the field `code`.
    message = (
        f"This model's maximum context length is {error.n_ctx} tokens. "
        f"However, your messages resulted in {error.n_prompt} tokens. Please shorten them (context_length_exceeded)."
    )
    counts = {"n_prompt_tokens": error.n_prompt, "n_ctx": error.n_ctx}
    return Problem(400, "invalid_request_error", message, "context_length_exceeded", "messages", details=counts)


def _not_loaded(error: NotLoaded) -> Problem:
    if error.loading:
        return _unavailable("The model is still loading.", "model_not_loaded", LOADING_RETRY_S)
    return _unavailable("No model is loaded.", "model_not_loaded", NO_MODEL_RETRY_S)


def _no_memory() -> Problem:
    message = "There is not enough free memory for this model beside those that are in use."
    return _unavailable(message, "not_enough_memory", NO_MODEL_RETRY_S)


def _upstream(message: str, code: str) -> Problem:
    """A failure of the server on which the model runs."""
    return Problem(502, "server_error", message, code)


def _server_busy(error: ServerBusy) -> Problem:
    delay_s = BUSY_RETRY_S if error.retry_after_s is None else min(max(1, math.ceil(error.retry_after_s)), MAX_RETRY_S)
    return _unavailable(f"{error.host} is busy: {error.reason[:500]}", "server_busy", delay_s)


def _server_failed(error: ServerFailed) -> Problem:
    message = f"{error.host} answered with an error: {error.reason[:500]}"
    if 400 <= error.status < 500 and error.status not in OWN_ACCESS:
        return _invalid(message, "server_refused", status=error.status)
    return _upstream(message, "server_failed")


def _origin_not_allowed(error: OriginNotAllowed) -> Problem:
    message = "Requests from this Origin are not allowed."
    if error.origin:
        message = (
            f"Requests from the Origin {error.origin} are not allowed. Allow it on the endpoint page of Inglenook, or "
            f"with 'inglenook-serve --origin {error.origin}'. A key is needed as well."
        )
    return Problem(403, "permission_error", message, "origin_refused")


def _http(error: HTTPException) -> Problem:
    headers = error.headers or {}
    match error.status_code:
        case 404:
            return _invalid("Unknown URL; most routes begin with /v1.", "unknown_url", status=404)
        case 405:
            message, code = "This URL does not support this method.", "method_not_allowed"
            return Problem(405, "invalid_request_error", message, code, headers=headers)
        case status:
            return Problem(status, "invalid_request_error", "The request was refused.", headers=headers)


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
    HostNotAllowed: lambda e: Problem(
        403, "permission_error", "The Host header does not name this server.", "host_refused"
    ),
    OriginNotAllowed: _origin_not_allowed,
    ModelNotFound: lambda e: _invalid(
        f"The model '{e.name[:200]}' was not found: it is not loaded.", "model_not_found", "model", 404
    ),
    ResponseNotFound: lambda e: _invalid(
        f"The response '{e.response_id[:100]}' is not stored here.",
        "previous_response_not_found",
        "previous_response_id",
        404,
    ),
    RequestNotFound: lambda e: _invalid("No request with this id is in progress.", "request_not_found", status=404),
    BodyTooSlow: lambda e: _invalid("The body did not arrive in time.", "request_timeout", status=408),
    BodyTooLarge: lambda e: _invalid(f"The body exceeds {e.limit_bytes} bytes.", "request_too_large", status=413),
    TooManyValues: lambda e: _invalid(
        f"The body holds more than {e.max_values} values.", "request_too_large", status=413
    ),
    AmbiguousLength: lambda e: _invalid("Send Content-Length or Transfer-Encoding, not both."),
    UnsupportedEncoding: lambda e: _invalid(
        f"Content-Encoding '{e.encoding[:40]}' is not supported; send the body with gzip, deflate, or uncompressed.",
        "unsupported_content_encoding",
        status=415,
    ),
    NotJson: lambda e: _invalid("Send the body as application/json.", "unsupported_media_type", status=415),
    # The header asks OpenAI's clients not to retry a request that a person has just stopped.
    RequestStopped: lambda e: _unavailable(
        "The request was stopped on the serving machine.", "request_stopped", None, **{"x-should-retry": "false"}
    ),
    TooManyConnections: lambda e: _unavailable("Too many connections.", "too_many_connections", 1),
    QueueFull: lambda e: Problem(
        429,
        "rate_limit_error",
        "Too many requests are in progress; try again soon.",
        "queue_full",
        retry_after_s=QUEUE_RETRY_S,
    ),
    KeyLimitReached: lambda e: Problem(
        429,
        "rate_limit_error",
        f"The limit of this key is reached: {e.what}.",
        "key_limit_reached",
        retry_after_s=e.retry_after_s,
    ),
    ModelNotAllowed: lambda e: Problem(
        403, "permission_error", f"This key may not use the model '{e.name[:200]}'.", "model_not_allowed", "model"
    ),
    OwnKeyNeeded: lambda e: Problem(
        403,
        "permission_error",
        "Only the endpoint's own key may do this; send 'lora' with each request.",
        "own_key_needed",
    ),
    NoSlotFree: lambda e: _unavailable("No slot is free.", "no_slot_free", 1),
    ClientDisconnect: lambda e: _invalid("The client left."),
    HTTPException: _http,
    ContextOverflow: _overflow,
    TemplateError: lambda e: _invalid(
        f"The model's chat template refused the messages: {e.reason[:500]}", "template_refused", "messages"
    ),
    ConstraintError: lambda e: _invalid(f"This constraint cannot be applied: {e.reason[:500]}", "constraint_refused"),
    Unsupported: lambda e: _invalid(f"The model's server does not support {e.feature}.", "unsupported_parameter"),
    RequestError: lambda e: _invalid(f"The model cannot process this request: {e}."),
    NotLoaded: _not_loaded,
    CardLost: lambda e: _unavailable(
        "The graphics card stopped responding; the model must be loaded again.", "engine_dead", 30
    ),
    EngineDead: lambda e: _unavailable("The engine has stopped; the model must be loaded again.", "engine_dead", 30),
    EngineClosed: lambda e: _unavailable("The server is closing.", "closing", 30),
    ServerUnreachable: lambda e: _upstream(f"{e.host} cannot be reached: {e.reason[:500]}", "server_unreachable"),
    # The server's own words may quote the key.
    AccessDenied: lambda e: _upstream(
        f"{e.host} refused the key that is set for it in Inglenook, or requires one.", "server_refused_key"
    ),
    ServerBusy: _server_busy,
    ServerFailed: _server_failed,
    RemoteError: lambda e: _upstream(f"{e.host} did not answer as it should.", "server_failed"),
    NotEnoughMemory: lambda e: _no_memory(),
    AllocationFailed: lambda e: _no_memory(),
    ModelFileError: lambda e: Problem(
        500, "server_error", f"The model cannot be loaded: {e.reason[:500]}.", "model_unusable"
    ),
    EngineError: lambda e: Problem(500, "server_error", "The engine failed to process this request.", "engine_error"),
}
