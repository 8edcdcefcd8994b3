"""Each dialect's shape of an error. Which dialect is asked in, the path says: also where nothing is routed yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.responses import JSONResponse

from api.errors import Problem, openai_body

MAX_HEADER = 1000

ANTHROPIC_PATH, OLLAMA_PATH = "/v1/messages", "/api/"

_ANTHROPIC_TYPES: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}


def request_id_headers(request_id: str) -> list[tuple[bytes, bytes]]:
    """By which clients name a request, OpenAI's by the one and Anthropic's by the other: the id in /v1/activity."""
    named = _named(request_id).encode()
    return [(b"x-request-id", named), (b"request-id", named)]


def schema_headers(*, not_enforced: Sequence[str], not_met: Sequence[str] = ()) -> dict[str, str]:
    """Headers that name keywords of the request's schemas: those that the answer may break, and those that it breaks.
    None for an empty list."""
    named = {"x-schema-not-enforced": not_enforced, "x-schema-not-met": not_met}
    return {name: _header_value(keywords) for name, keywords in named.items() if keywords}


def _header_value(parts: Sequence[str]) -> str:
    text = "; ".join(dict.fromkeys(parts)).encode("ascii", "backslashreplace").decode()
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= MAX_HEADER else f"{line[: MAX_HEADER - 3]}..."


def _named(request_id: str) -> str:
    return f"req_{request_id}"


def error_body(path: str, problem: Problem, request_id: str) -> dict[str, object]:
    if path.startswith(ANTHROPIC_PATH):
        return anthropic_body(problem, _named(request_id))
    if path.startswith(OLLAMA_PATH):
        return ollama_body(problem)
    return openai_body(problem)


def error_response(path: str, problem: Problem, request_id: str) -> JSONResponse:
    headers = dict(problem.headers)
    if problem.retry_after_s is not None:
        headers["retry-after"] = str(problem.retry_after_s)
    return JSONResponse(error_body(path, problem, request_id), problem.status, headers)


def anthropic_body(problem: Problem, request_id: str) -> dict[str, object]:
    known = "invalid_request_error" if problem.status < 500 else "api_error"
    kind = _ANTHROPIC_TYPES.get(problem.status, known)
    message = problem.message
    if problem.code == "context_length_exceeded":  # how Anthropic's own tools recognise it
        counts = problem.details
        message = f"prompt is too long: {counts['n_prompt_tokens']} tokens > {counts['n_ctx']} maximum. {message}"
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id}


def ollama_body(problem: Problem) -> dict[str, object]:
    return {"error": problem.message}
