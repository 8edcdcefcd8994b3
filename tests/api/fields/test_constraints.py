"""Constraints on answers, over HTTP in every dialect. The tests cover each field name, requests with and without tools,
and schemas with and without `strict`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from tests.api.live_endpoint import Live, live
from tests.engine.output.chat_templates import TEMPLATES
from tests.fakes import FakeOpener, Script

SCHEMA = {
    "type": "object",
    "properties": {"zq": {"type": "boolean"}},
    "required": ["zq"],
    "additionalProperties": False,
}
ODD = {"type": "array", "items": {"enum": [1]}, "uniqueItems": True, "maxItems": 2}
HEADER = "x-schema-not-enforced"
PARAMETERS = {"type": "object", "properties": {"tags": {**ODD}}, "required": ["tags"]}
USER = {"messages": [{"role": "user", "content": "Is it late?"}], "max_tokens": 200}
CALL = '<tool_call>\n{"name": "clock", "arguments": {"tags": [1]}}\n</tool_call>'


@pytest.fixture(scope="module")
def _served() -> Iterator[Live]:
    with live(FakeOpener(Script(b"It rains.", template=TEMPLATES["hermes"]))) as endpoint:
        yield endpoint


@pytest.fixture
def served(_served: Live) -> Iterator[Live]:
    _served.script.answer = b"It rains."
    yield _served
    _served.script.answer = b"It rains."


def openai_tools() -> list[dict[str, object]]:
    return [{"type": "function", "function": {"name": "clock", "parameters": PARAMETERS}}]


TOOLS: Mapping[str, list[dict[str, object]]] = {
    "/v1/chat/completions": openai_tools(),
    "/v1/responses": [{"type": "function", "name": "clock", "parameters": PARAMETERS}],
    "/v1/messages": [{"name": "clock", "input_schema": PARAMETERS}],
    "/api/chat": openai_tools(),
}


def with_schema(path: str, schema: object, **more: object) -> dict[str, Any]:
    """Returns a body that asks for an answer that matches this schema."""
    format: dict[str, object]
    match path:
        case "/v1/chat/completions":
            format = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
            return {**USER, "response_format": format, **more}
        case "/v1/completions":
            format = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
            return {"prompt": "late?", "max_tokens": 200, "response_format": format, **more}
        case "/v1/responses":
            format = {"type": "json_schema", "name": "a", "schema": schema}
            return {"input": "Is it late?", "max_output_tokens": 200, "text": {"format": format}, **more}
        case "/v1/messages":
            return {**USER, "output_format": {"type": "json_schema", "schema": schema}, **more}
        case "/api/chat":
            return {"messages": USER["messages"], "format": schema, **{"stream": False, **more}}
        case "/api/generate":
            return {"prompt": "late?", "format": schema, **{"stream": False, **more}}
    return {"prompt": "late?", "n_predict": 200, "json_schema": schema, **more}


def answer_of(answer: httpx.Response) -> tuple[str, list[str]]:
    """Returns the answer's text, and the names of the tools that it calls."""
    assert answer.status_code == 200, answer.text
    match answer.json():
        case {"choices": [{"message": message}]}:
            return message["content"] or "", [call["function"]["name"] for call in message.get("tool_calls", [])]
        case {"choices": [{"text": text}]}:
            return text, []
        case {"object": "response", "output": output}:
            texts = [item["content"][0]["text"] for item in output if item["type"] == "message"]
            return "".join(texts), [item["name"] for item in output if item["type"] == "function_call"]
        case {"type": "message", "content": blocks}:
            texts = [block["text"] for block in blocks if block["type"] == "text"]
            return "".join(texts), [block["name"] for block in blocks if block["type"] == "tool_use"]
        case {"message": message}:
            return message["content"], [call["function"]["name"] for call in message.get("tool_calls", [])]
        case {"response": text} | {"content": text}:
            return text, []
    raise AssertionError(answer.text)


ROUTES = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/api/chat", "/api/generate"]
ROUTES += ["/completion"]


@pytest.mark.parametrize("path", ROUTES)
def test_answer_matches_schema_on_every_route(served: Live, path: str) -> None:
    text, _ = answer_of(served.post(with_schema(path, SCHEMA), path))
    assert json.loads(text)["zq"] in (True, False)


@pytest.mark.parametrize("path", TOOLS)
def test_answer_with_tools_matches_schema_or_calls_tool(served: Live, path: str) -> None:
    for wish in (b"It rains.", b'{"zq": true}', CALL.encode(), b'<tool_call>\n{"name": "nothing"'):
        served.script.answer = wish
        text, calls = answer_of(served.post(with_schema(path, SCHEMA, tools=TOOLS[path]), path))
        if calls:
            assert (text, set(calls)) == ("", {"clock"})
        else:
            assert json.loads(text)["zq"] in (True, False)
    served.script.answer = CALL.encode()
    assert answer_of(served.post(with_schema(path, SCHEMA, tools=TOOLS[path]), path)) == ("", ["clock"])


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages"])
def test_answer_matches_schema_if_tool_choice_is_none(served: Live, path: str) -> None:
    served.script.answer = CALL.encode()
    none: object = {"type": "none"} if path == "/v1/messages" else "none"
    text, calls = answer_of(served.post(with_schema(path, SCHEMA, tools=TOOLS[path], tool_choice=none), path))
    assert calls == []
    assert json.loads(text)["zq"] in (True, False)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", [path for path in ROUTES if path != "/v1/messages"])
def test_unenforced_keyword_is_listed_in_header(served: Live, path: str, stream: bool) -> None:
    answer = served.post(with_schema(path, ODD, stream=stream), path)
    assert answer.status_code == 200, answer.text
    assert answer.headers[HEADER] == "uniqueItems at /"
    assert HEADER not in served.post(with_schema(path, SCHEMA, stream=stream), path).headers


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", TOOLS)
def test_unenforced_keyword_of_called_tool_is_listed_in_header(served: Live, path: str, stream: bool) -> None:
    body: dict[str, Any] = {**with_schema(path, SCHEMA), "tools": TOOLS[path], "stream": stream}
    for name in ("response_format", "text", "output_format", "format"):
        body.pop(name, None)
    if path != "/api/chat":
        body["tool_choice"] = {"type": "any"} if path == "/v1/messages" else "required"
    else:
        body["format"] = SCHEMA
    served.script.answer = CALL.encode()
    answer = served.post(body, path)
    assert answer.status_code == 200, answer.text
    assert "clock" in answer.text
    assert answer.headers[HEADER] == "clock: uniqueItems at /properties/tags"


def test_strict_schema_with_unenforceable_keyword_is_refused(served: Live) -> None:
    chat = with_schema("/v1/chat/completions", ODD)
    chat["response_format"]["json_schema"]["strict"] = True
    responses = with_schema("/v1/responses", ODD)
    responses["text"]["format"]["strict"] = True
    messages = with_schema("/v1/messages", ODD)
    guided = {**USER, "guided_json": ODD}
    for path, body in (
        ("/v1/chat/completions", chat),
        ("/v1/responses", responses),
        ("/v1/messages", messages),
        ("/v1/chat/completions", guided),
    ):
        refused = served.post(body, path)
        assert refused.status_code == 400
        assert "uniqueItems" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"guided_choice": ["zq"]},
        {"guided_regex": "zq"},
        {"guided_grammar": 'root ::= "zq"'},
        {"guided_grammar": 'start: "zq"'},
        {"structured_outputs": {"choice": ["zq"]}},
        {"structured_outputs": {"regex": "zq"}},
        {"structured_outputs": {"grammar": 'start: "zq"'}},
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/completion"])
def test_vllm_fields_constrain_answer(served: Live, path: str, fields: dict[str, object]) -> None:
    body = {**USER, **fields} if path == "/v1/chat/completions" else {"prompt": "x", **fields}
    assert answer_of(served.post(body, path))[0] == "zq"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/completion"])
def test_vllm_schema_fields_constrain_answer(served: Live, path: str) -> None:
    body: dict[str, Any] = USER if path == "/v1/chat/completions" else {"prompt": "x", "max_tokens": 200}
    for fields in (
        {"guided_json": SCHEMA},
        {"guided_json": json.dumps(SCHEMA)},
        {"structured_outputs": {"json": SCHEMA}},
    ):
        assert json.loads(answer_of(served.post({**body, **fields}, path))[0])["zq"] in (True, False)


@pytest.mark.parametrize(
    "field", ["guided_json", "guided_regex", "guided_choice", "guided_grammar", "structured_outputs"]
)
@pytest.mark.parametrize("path", ["/v1/responses", "/v1/messages", "/api/chat", "/api/generate"])
def test_constraint_field_of_other_api_is_refused(served: Live, path: str, field: str) -> None:
    body = {**with_schema(path, SCHEMA), field: {"a": 1}}
    refused = served.post(body, path)
    assert refused.status_code == 400
    assert f"'{field}'" in refused.text


def test_two_constraint_fields_are_refused(served: Live) -> None:
    body = with_schema("/v1/messages", SCHEMA)
    refused = served.post({**body, "output_config": {"format": body["output_format"]}}, "/v1/messages")
    assert refused.status_code == 400
    assert "output_format" in refused.text
    alone = {**USER, "output_config": {"format": body["output_format"]}}
    assert json.loads(answer_of(served.post(alone, "/v1/messages"))[0])["zq"] in (True, False)


@pytest.mark.parametrize("temperature", [0, 1])
def test_multiple_of_is_enforced_beside_pattern_properties(served: Live, temperature: int) -> None:
    schema = {
        "type": "object",
        "properties": {"score": {"type": "integer", "multipleOf": 5, "maximum": 1000}},
        "required": ["score"],
        "additionalProperties": False,
        "patternProperties": {"^score$": {"type": "integer"}},
    }
    for path in ROUTES:
        text, _ = answer_of(served.post(with_schema(path, schema), path))
        assert json.loads(text)["score"] % 5 == 0


@pytest.mark.parametrize("path", TOOLS)
def test_violated_keywords_are_listed_in_header(served: Live, path: str) -> None:
    served.script.answer = CALL.replace("[1]", "[1, 1]").encode()
    body = with_schema(path, SCHEMA, tools=TOOLS[path])
    assert served.post(body, path).headers["x-schema-not-met"] == "clock: uniqueItems at /tags"
    served.script.answer = CALL.encode()
    assert "x-schema-not-met" not in served.post(body, path).headers
    if path != "/v1/messages":
        served.script.answer = b"[1,1]"
        assert served.post(with_schema(path, ODD), path).headers["x-schema-not-met"] == "uniqueItems at /"
        served.script.answer = b"[1]"
        assert "x-schema-not-met" not in served.post(with_schema(path, ODD), path).headers
