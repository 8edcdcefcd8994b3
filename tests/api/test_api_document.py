"""docs/api.md names every route, body field, unsupported parameter, limit and error code."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from api import error_bodies
from api.body import MAX_MESSAGES, MAX_VALUES
from api.fields.prompts import MAX_ANSWERS
from api.fields.tools import MAX_TOOLS
from api.fields.unsupported_params import UNSUPPORTED_PARAMS
from api.ollama.schemas import Options
from api.openai.responses.store import MAX_RESPONSE_BYTES, MAX_RESPONSES, MAX_STORE_BYTES
from api.openapi import BODIES
from tests.api.live_endpoint import Live, live, routes_of, settings

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
CODE = set(re.findall(r"`([^`\n]+)`", TEXT))


def documented_routes() -> set[tuple[str, str]]:
    rows = re.findall(r"^\| (`/[^|]*) \| ([A-Z, ]+) \|", TEXT, re.MULTILINE)
    return {
        (path, method)
        for paths, methods in rows
        for path in re.findall(r"`([^`]+)`", paths)
        for method in methods.split(", ")
    }


def test_api_document_lists_exactly_the_routes_of_the_app(tmp_path: Path) -> None:
    with live(model_changes=tmp_path / "model.gguf") as endpoint:
        routes = {(path.replace(":path", ""), method) for path, method in routes_of(endpoint.app)}
    # The document states once that OpenAI's routes also exist without /v1.
    without_aliases = {(path, method) for path, method in routes if (f"/v1{path}", method) not in routes}
    assert documented_routes() - {("/health", "GET")} == without_aliases


def test_every_route_of_openai_also_exists_without_v1(endpoint: Live) -> None:
    routes = routes_of(endpoint.app)
    for path, method in routes:
        if path.startswith(("/v1/chat", "/v1/completions", "/v1/embeddings", "/v1/responses")) or path == "/v1/models":
            assert (path.removeprefix("/v1"), method) in routes


@pytest.mark.parametrize("body", [*dict.fromkeys(BODIES.values()), Options])
def test_every_field_of_a_body_is_documented(body: type[BaseModel]) -> None:
    fields = {field.alias or name for name, field in body.model_fields.items()}
    assert fields <= CODE


def test_every_unsupported_parameter_is_documented() -> None:
    section = TEXT.split("## Unsupported parameters")[1].split("\n## ")[0]
    constraints = TEXT.split("## Constraints")[1].split("\n## ")[0]
    named = set(re.findall(r"`([^`\n]+)`", section + constraints))
    assert set(UNSUPPORTED_PARAMS) <= named


def test_every_error_code_is_documented() -> None:
    codes = set(re.findall(r'"([a-z]+(?:_[a-z]+)+|closing)"', inspect.getsource(error_bodies)))
    documented = set(re.findall(r"`([a-z_]+)`", TEXT.split("## Errors")[1]))
    known = {code for code in codes if not code.endswith("_error")} - {"request_id", "input_tokens"}
    missing = known - documented - {"retry_after_s", "n_prompt_tokens", "n_ctx", "previous_response_id"}
    assert not missing


def test_documented_limits_are_those_of_the_code() -> None:
    chosen = settings()
    for value, text in (
        (chosen.max_requests, "128"),
        (chosen.max_connections, "256"),
        (chosen.max_body_bytes, "16 MB"),
        (chosen.max_query_bytes, "4 MB"),
        (MAX_VALUES, "131,072"),
        (chosen.header_timeout_s, "10 seconds"),
        (chosen.body_timeout_s, "30 seconds"),
        (chosen.write_timeout_s, "30 seconds"),
        (chosen.idle_timeout_s, "60 seconds"),
        (chosen.ping_interval_s, "15 seconds"),
        (MAX_MESSAGES, "16,384"),
        (MAX_TOOLS, "1,024"),
        (MAX_ANSWERS, "512"),
        (MAX_RESPONSES, "1,000 responses"),
        (MAX_STORE_BYTES, "256 MB"),
        (MAX_RESPONSE_BYTES, "8 MB"),
    ):
        assert text in TEXT
        factor = 1024 * 1024 if text.endswith("MB") else 1
        assert value == int(re.sub(r"\D", "", text)) * factor, text
