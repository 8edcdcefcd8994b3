"""The table of errors is complete, and no error message contains a path."""

from __future__ import annotations

from pathlib import Path

import pytest

from api import error_bodies, errors
from api.error_bodies import anthropic_body, error_body, error_response, openai_body, problem_of
from api.errors import ApiError
from engine.errors import (
    AccessDenied,
    ConstraintError,
    ContextOverflow,
    EngineClosed,
    EngineDead,
    EngineError,
    ModelFileError,
    NotLoaded,
    RemoteError,
    RequestError,
    ServerBusy,
    ServerFailed,
    ServerUnreachable,
    TemplateError,
    Unsupported,
)

HIDDEN = Path("/home/me/secret.gguf")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.BadRequest("no"), 400, "invalid_value"),
        (errors.UnsupportedParameter("n"), 400, "unsupported_parameter"),
        (errors.InvalidKey(), 401, "invalid_api_key"),
        (errors.HostNotAllowed(), 403, "host_refused"),
        (errors.OriginNotAllowed(), 403, "origin_refused"),
        (errors.ModelNotFound("x"), 404, "model_not_found"),
        (errors.ResponseNotFound("x"), 404, "previous_response_not_found"),
        (errors.BodyTooSlow(), 408, "request_timeout"),
        (errors.BodyTooLarge(1), 413, "request_too_large"),
        (errors.NotJson(), 415, "unsupported_media_type"),
        (errors.RequestStopped(), 503, "request_stopped"),
        (errors.TooManyConnections(), 503, "too_many_connections"),
        (errors.NoSlotFree(), 503, "no_slot_free"),
        (errors.QueueFull(), 429, "queue_full"),
        (errors.RequestNotFound(), 404, "request_not_found"),
        (ContextOverflow(5000, 4096), 400, "context_length_exceeded"),
        (TemplateError("roles must alternate"), 400, "template_refused"),
        (ConstraintError("unknown keyword"), 400, "constraint_refused"),
        (RequestError("the prompt is empty"), 400, None),
        (NotLoaded(), 503, "model_not_loaded"),
        (NotLoaded(loading=True), 503, "model_not_loaded"),
        (EngineDead(f"llama.cpp broke on {HIDDEN}"), 503, "engine_dead"),
        (EngineClosed(), 503, "closing"),
        (EngineError(f"{HIDDEN}"), 500, "engine_error"),
        (ModelFileError(HIDDEN, "cut short"), 500, "model_unusable"),
        (ZeroDivisionError(f"{HIDDEN}"), 500, "internal_error"),
        (Unsupported("log probabilities"), 400, "unsupported_parameter"),
        (ServerUnreachable("gpu-box.lan", "connection refused"), 502, "server_unreachable"),
        (AccessDenied("gpu-box.lan", "wrong key"), 502, "server_refused_key"),
        (ServerBusy("gpu-box.lan", "too many requests"), 503, "server_busy"),
        (ServerFailed("gpu-box.lan", "out of memory", 500), 502, "server_failed"),
        (ServerFailed("gpu-box.lan", "part of a stream", 200), 502, "server_failed"),
        (ServerFailed("gpu-box.lan", "'n' is too large", 422), 422, "server_refused"),
        (ServerFailed("gpu-box.lan", "pay first", 402), 502, "server_failed"),
        (RemoteError("gpu-box.lan", "no JSON"), 502, "server_failed"),
    ],
)
def test_body_of_error_has_openai_format_with_its_status_and_code(
    error: Exception, status: int, code: str | None
) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)
    shown = openai_body(problem)["error"]
    assert isinstance(shown, dict)
    assert {"message", "type", "param", "code"} <= set(shown)
    assert "secret" not in str(shown)
    assert ("retry-after" in error_response("/v1/x", problem, "1").headers) == (
        status in (429, 503) and code != "request_stopped"
    )


def test_every_api_error_is_in_table() -> None:
    unseen = {errors.CannotListen, errors.PortBusy}
    for kind in _below(ApiError) - unseen:
        assert kind in error_bodies._TABLE, kind


def _below(kind: type[ApiError]) -> set[type[ApiError]]:
    children = set(kind.__subclasses__())
    return children.union(*(_below(child) for child in children))


def test_error_for_stopped_request_tells_client_not_to_retry() -> None:
    assert error_response("/v1/x", problem_of(errors.RequestStopped()), "1").headers["x-should-retry"] == "false"


def test_path_of_a_request_determines_the_format_of_its_error() -> None:
    problem = problem_of(errors.ModelNotFound("x"))
    assert "error" in error_body("/v1/chat/completions", problem, "1")
    assert error_body("/api/chat", problem, "1") == {"error": "The model 'x' was not found: it is not loaded."}
    shown = error_body("/v1/messages/count_tokens", problem, "1")
    assert (shown["type"], set(shown)) == ("error", {"type", "error", "request_id"})
    assert shown["request_id"] == "req_1"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.BadRequest("no"), "invalid_request_error"),
        (errors.InvalidKey(), "authentication_error"),
        (errors.HostNotAllowed(), "permission_error"),
        (errors.ModelNotFound("x"), "not_found_error"),
        (errors.BodyTooLarge(1), "request_too_large"),
        (errors.NotJson(), "invalid_request_error"),
        (NotLoaded(), "overloaded_error"),
        (ZeroDivisionError(), "api_error"),
    ],
)
def test_anthropic_error_has_the_type_that_belongs_to_its_status(error: Exception, kind: str) -> None:
    problem = problem_of(error)
    assert anthropic_body(problem, "req_1") == {
        "type": "error",
        "error": {"type": kind, "message": problem.message},
        "request_id": "req_1",
    }


def test_context_overflow_error_has_the_message_that_anthropic_clients_expect() -> None:
    shown = str(anthropic_body(problem_of(ContextOverflow(5000, 4096)), "req_1"))
    assert "prompt is too long: 5000 tokens > 4096 maximum. This model's maximum context length is 4096" in shown


def test_answer_to_refused_key_does_not_quote_the_other_server() -> None:
    problem = problem_of(AccessDenied("gpu-box.lan", "Incorrect API key provided: sk-secret"))
    assert "sk-secret" not in problem.message
    assert "gpu-box.lan" in problem.message


@pytest.mark.parametrize(("asked_s", "header"), [(None, "5"), (0.2, "1"), (12.5, "13"), (1e9, "3600")])
def test_delay_of_busy_server_is_passed_on_within_limits(asked_s: float | None, header: str) -> None:
    problem = problem_of(ServerBusy("gpu-box.lan", "loading", asked_s))
    assert error_response("/v1/messages", problem, "x").headers["retry-after"] == header
