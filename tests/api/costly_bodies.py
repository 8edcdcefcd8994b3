"""JSON values that are expensive to parse for their size, and random request bodies that contain such a value at any
place."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from api.body import MAX_VALUES
from api.openapi import BODIES

SIZE_BYTES = 15_000_000
MOST_ALLOWED = MAX_VALUES - 1000

CostlyValue = Callable[[int], bytes]
"""A function that takes a maximum number of JSON values, and returns a JSON text of at most about `SIZE_BYTES`
bytes."""

PLACEHOLDER = "@place@"


def _list(part: bytes, n_values: int = 1) -> CostlyValue:
    def make(most: int) -> bytes:
        n_parts = min(most // n_values, SIZE_BYTES // (len(part) + 1))
        return b"[" + b",".join([part] * n_parts) + b"]"

    return make


def _object(value: bytes) -> CostlyValue:
    def make(most: int) -> bytes:
        n_keys = min(most, SIZE_BYTES // (len(value) + 11))
        return b"{" + b",".join(b'"%d":%s' % (number, value) for number in range(n_keys)) + b"}"

    return make


def _text(part: bytes) -> CostlyValue:
    return lambda _: b'"' + part * (SIZE_BYTES // len(part)) + b'"'


def _nested(opening: bytes, closing: bytes, n_levels: int) -> CostlyValue:
    return lambda most: opening * min(most, n_levels) + b"1" + closing * min(most, n_levels)


def _as_text(costly: CostlyValue) -> CostlyValue:
    """Wraps the expensive value in a JSON string, as in the arguments of tool calls."""
    return lambda most: json.dumps(costly(most).decode()).encode()


_STRUCTURES: Mapping[str, CostlyValue] = {
    "empty lists": _list(b"[]", 2),
    "empty objects": _list(b"{}", 2),
    "nulls": _list(b"null"),
    "digits": _list(b"1"),
    "short texts": _list(b'""'),
    "pairs of numbers": _list(b"[1,1]", 3),
    "messages": _list(b'{"role":"user","content":"a"}', 3),
    "parts": _list(b'{"type":"text","text":"a"}', 3),
    "tools": _list(b'{"type":"function","function":{"name":"f"}}', 4),
    "keys with numbers": _object(b"1"),
    "keys with texts": _object(b'"a"'),
    "keys with lists": _object(b"[]"),
    "nested lists": _nested(b"[", b"]", 150),
    "nested objects": _nested(b'{"a":', b"}", 150),
    "5,000 nested lists": _nested(b"[", b"]", 5000),
    "a million nested lists": _nested(b"[", b"]", 1_000_000),
}

COSTLY_VALUES: Mapping[str, CostlyValue] = {
    **_STRUCTURES,
    **{f"{title}, as a text": _as_text(costly) for title, costly in _STRUCTURES.items()},
    "an object of schemas": _object(b'{"type":"object","properties":{}}'),
    "a long number": lambda _: b"9" * SIZE_BYTES,
    "a long fraction": lambda _: b"0." + b"9" * SIZE_BYTES,
    "a large exponent": lambda _: b"1e" + b"9" * SIZE_BYTES,
    "escaped quotes": _text(b'\\"'),
    "backslashes": _text(b"\\\\"),
    "half surrogates": _text(b"\\ud800"),
    "surrogate pairs": _text(b"\\ud83d\\ude00"),
    "one letter": _text(b"a"),
    "one digit": _text(b"7"),
    "blanks": _text(b" "),
    "line ends": _text(b"\\n"),
    "special tokens": _text(b"<|im_start|>"),
    "structure": _text(b",[{:"),
    "white space": lambda _: b" " * SIZE_BYTES + b"1",
    "an open text": lambda _: b'"' + b"a" * SIZE_BYTES,
    "an open list": lambda most: b"[" + b"1," * min(most, SIZE_BYTES // 2),
}

_FUNCTION = {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}
_SCHEMA = {"type": "object", "properties": {"a": {"enum": ["b"]}}, "required": ["a"]}
_CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
_CHAT = {
    "messages": [
        {"role": "system", "content": "a"},
        {"role": "user", "content": [{"type": "text", "text": "a"}], "name": "n"},
        {"role": "assistant", "content": None, "tool_calls": [_CALL], "reasoning_content": "a"},
        {"role": "tool", "tool_call_id": "c", "content": "a"},
    ],
    "tools": [{"type": "function", "function": _FUNCTION}],
    "stop": ["x"],
    "logit_bias": {"1": 1},
    "max_tokens": 1,
}
_OLLAMA = {"options": {"num_predict": 1, "stop": ["x"], "logit_bias": {"1": 1}}, "stream": False}
_RESPONSE = {
    "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "a"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "a"},
    ],
    "tools": [{"type": "function", **_FUNCTION}],
    "metadata": {"a": "b"},
    "include": ["message.output_text.logprobs"],
    "max_output_tokens": 1,
}
_ANTHROPIC = {
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "a"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "a"}]},
    ],
    "system": [{"type": "text", "text": "a"}],
    "tools": [{"name": "f", "description": "d", "input_schema": _FUNCTION["parameters"]}],
    "max_tokens": 1,
}
TEMPLATES: Mapping[str, dict[str, Any]] = {
    "/v1/chat/completions": _CHAT,
    "/v1/completions": {"prompt": ["a", [1, 2]], "logit_bias": {"1": 1}, "stop": ["x"], "max_tokens": 1},
    "/v1/embeddings": {"input": ["a"]},
    "/v1/rerank": {"query": "a", "documents": ["a", {"text": "a"}]},
    "/v1/responses": _RESPONSE,
    "/v1/responses/input_tokens": _RESPONSE,
    "/v1/messages": _ANTHROPIC,
    "/v1/messages/count_tokens": _ANTHROPIC,
    "/api/chat": {
        **_OLLAMA,
        "messages": [{"role": "user", "content": "a"}],
        "tools": _CHAT["tools"],
        "format": _SCHEMA,
    },
    "/api/generate": {**_OLLAMA, "prompt": "a", "context": [1], "system": "a"},
    "/api/embed": {"input": ["a"]},
    "/api/embeddings": {"prompt": "a"},
    "/tokenize": {"content": "a"},
    "/detokenize": {"tokens": [1]},
    "/apply-template": _CHAT,
    "/infill": {"input_prefix": "a", "input_suffix": "b", "input_extra": [{"text": "a"}], "n_predict": 1},
    "/completion": {"prompt": "a", "grammar": 'root ::= "a"', "n_predict": 1},
}
"""A valid body for each route. Any of its values may be replaced by an expensive one."""

SCHEMA_FIELDS: Mapping[str, dict[str, Any]] = {
    "/v1/chat/completions": {
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": _SCHEMA}}
    },
    "/v1/responses": {"text": {"format": {"type": "json_schema", "name": "s", "schema": _SCHEMA}}},
    "/completion": {"json_schema": _SCHEMA},
}
"""For each route, fields that replace the tools and the grammar of the template, because a body must not contain
both."""


@dataclass(frozen=True, slots=True)
class Attack:
    path: str
    title: str
    content: bytes


def routes() -> list[str]:
    """Returns the path of every route that takes a body."""
    return list(BODIES)


def templates(path: str) -> list[dict[str, Any]]:
    template = TEMPLATES.get(path, _CHAT)
    fields = SCHEMA_FIELDS.get(path)
    if fields is None:
        return [template]
    plain = {name: value for name, value in template.items() if name not in ("tools", "grammar")}
    return [template, {**plain, **fields}]


def places(body: Any) -> Iterator[tuple[str | int, ...]]:
    """Yields the path to each value in `body`."""
    entries = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in entries:
        yield (key,)
        yield from ((key, *rest) for rest in places(value))


def with_costly_value(body: Any, place: tuple[str | int, ...], costly: bytes) -> bytes:
    content = json.dumps(_replaced(body, place), separators=(",", ":")).encode()
    return content.replace(json.dumps(PLACEHOLDER).encode(), costly, 1)


def _replaced(body: Any, place: tuple[str | int, ...]) -> Any:
    if not place:
        return PLACEHOLDER
    copy: Any = dict(body) if isinstance(body, dict) else list(body)
    copy[place[0]] = _replaced(body[place[0]] if place[1:] else None, place[1:])
    return copy


def attack(path: str, chance: random.Random, title: str | None = None) -> Attack:
    """Returns a random body for `path` that contains an expensive value.

    Its number of JSON values is above the limit or just below it."""
    body = chance.choice(templates(path))
    fields = [(name,) for name in (*_names(path), "unknown")]
    place = chance.choice([*places(body), *fields])
    title = title or chance.choice(list(COSTLY_VALUES))
    most = chance.choice((MOST_ALLOWED, SIZE_BYTES))
    where = ".".join(map(str, place))
    return Attack(path, f"{title} ({most}) at {where}", with_costly_value(body, place, COSTLY_VALUES[title](most)))


def _names(path: str) -> list[str]:
    return [field.alias or name for name, field in BODIES[path].model_fields.items()]
