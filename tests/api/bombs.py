"""Bodies of nearly 16 MB that are cheap to send and dear to read, for every route that takes a body."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from api.description import BODIES

SIZE = 15_000_000

Bomb = Callable[[bytes], bytes]
"""A body, of a field's name."""


def _repeated(head: bytes, part: bytes, end: bytes, size: int = SIZE) -> bytes:
    return head + b",".join([part] * (size // (len(part) + 1))) + end


def _numbered(head: bytes, part: bytes, end: bytes, n: int) -> bytes:
    return head + b",".join(part % number for number in range(n)) + end


def _array_of(part: bytes) -> Bomb:
    return lambda name: _repeated(b'{"%s":[' % name, part, b"]}")


def _text_of(part: bytes) -> Bomb:
    return lambda name: b'{"%s":"%s"}' % (name, part * (SIZE // len(part)))


BOMBS: Mapping[str, Bomb] = {
    "empty lists": _array_of(b"[]"),
    "empty objects": _array_of(b"{}"),
    "nulls": _array_of(b"null"),
    "digits": _array_of(b"1"),
    "short texts": _array_of(b'""'),
    "messages": _array_of(b'{"role":"user","content":"a"}'),
    "parts": lambda name: _repeated(
        b'{"%s":[{"role":"user","content":[' % name, b'{"type":"text","text":"a"}', b"]}]}"
    ),
    "keys": lambda name: _numbered(b'{"%s":{' % name, b'"%d":1', b"}}", 1_000_000),
    "keys beside it": lambda name: _numbered(b'{"%s":"a",' % name, b'"%d":1', b"}", 1_000_000),
    "the same key": lambda name: _repeated(b'{"%s":{' % name, b'"a":1', b"}}"),
    "deep": lambda name: b'{"%s":' % name + b"[" * 5000 + b"]" * 5000 + b"}",
    "deeper": lambda name: b'{"%s":' % name + b'{"a":' * 2_000_000 + b"1" + b"}" * 2_000_000 + b"}",
    "a long number": lambda name: b'{"%s":%s}' % (name, b"9" * SIZE),
    "a long fraction": lambda name: b'{"%s":0.%s}' % (name, b"9" * SIZE),
    "escapes": _text_of(b'\\"'),
    "backslashes": _text_of(b"\\\\"),
    "half pairs": _text_of(b"\\ud800"),
    "pairs": _text_of(b"\\ud83d\\ude00"),
    "blanks": lambda name: b'{"%s":%s1}' % (name, b" " * SIZE),
    "commas in a text": _text_of(b",[{:"),
    "an open text": lambda name: b'{"%s":"' % name + b"a" * SIZE,
    "an open list": lambda name: b'{"%s":[' % name + b"1," * (SIZE // 2),
}


def _logit_bias(n: int) -> dict[str, object]:
    return {"logit_bias": {str(number): 1 for number in range(n)}}


def fields_of(path: str) -> list[str]:
    """The body's fields, by the names that a client sends."""
    shape = BODIES.get(path) or BODIES[f"/v1{path}"]
    return [field.alias or name for name, field in shape.model_fields.items()]


CHAT = {"messages": [{"role": "user", "content": "a"}], "max_tokens": 1}
SOUND_BOMBS: Mapping[str, dict[str, object]] = {
    "logit_bias": {**CHAT, **_logit_bias(900_000)},
    "logit_bias within bounds": {**CHAT, **_logit_bias(65_536)},
    "calls": {
        "messages": [
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": "[" + "[]," * 4_000_000}}
                ],
            },
            {"role": "user", "content": "a"},
        ],
        "max_tokens": 1,
    },
}


def bodies(path: str, names: list[str] | None = None) -> Iterator[tuple[str, bytes]]:
    """Each with what it is called."""
    for field in names or fields_of(path):
        for title, bomb in BOMBS.items():
            yield f"{field}: {title}", bomb(field.encode())


def sound_bodies() -> Iterator[tuple[str, bytes]]:
    for title, body in SOUND_BOMBS.items():
        yield title, json.dumps(body, separators=(",", ":")).encode()
