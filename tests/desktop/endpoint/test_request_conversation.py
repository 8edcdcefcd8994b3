"""Tests of reading the conversation out of the request bodies of every API dialect."""

from __future__ import annotations

import json

import pytest

from desktop.endpoint.errors import BodyUnreadable
from desktop.endpoint.request_conversation import RequestConversation, conversation_in


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"messages": [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hi"}]},
            ("Be kind", "Hi"),
        ),
        (
            {"system": [{"type": "text", "text": "S"}], "messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
            ("S", "Hi"),
        ),
        ({"instructions": "S", "input": "Hi"}, ("S", "Hi")),
        ({"input": [{"type": "function_call_output", "output": "7"}]}, ("", "7")),
        ({"prompt": "Hi", "system": "S"}, ("S", "Hi")),
    ],
)
def test_conversation_is_read_from_the_body_of_each_dialect(body: dict[str, object], expected: tuple[str, str]) -> None:
    assert conversation_in(json.dumps(body)) == RequestConversation(expected[0], (("user", expected[1]),))


@pytest.mark.parametrize(
    "body", ["", "[]", "[" * 100_000, '{"input": ["a"]}', '{"messages": [{"role": "us', '{"messages": 3}']
)
def test_body_without_conversation_raises_body_unreadable(body: str) -> None:
    with pytest.raises(BodyUnreadable):
        conversation_in(body)
