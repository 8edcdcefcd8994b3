"""JSON bodies: equivalent forms (integers written as floats, a byte order mark), and the limit on the number of
values."""

from __future__ import annotations

import codecs
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import body
from api.body import has_more_values, parse_body
from api.errors import BadRequest
from api.fields.prompts import parse_prompts
from api.fields.sampling import logit_bias
from api.llama_cpp.schemas import DetokenizeBody
from api.ollama.schemas import GenerateBody
from api.openai.chat.schemas import ChatCompletionBody
from api.openai.completions.schemas import CompletionBody
from tests.api.live_endpoint import Live

HELLO = [{"role": "user", "content": "hello"}]


def chat_body(**fields: object) -> bytes:
    return json.dumps({"messages": HELLO, **fields}).encode()


def test_integral_floats_are_accepted_as_integers() -> None:
    found = parse_body(chat_body(max_tokens=40.0, seed=7.0, top_k=20.0, n=2.0, logprobs=True), ChatCompletionBody)
    assert (found.max_tokens, found.seed, found.top_k, found.n) == (40, 7, 20, 2)
    assert all(type(each) is int for each in (found.max_tokens, found.seed, found.top_k, found.n))


@pytest.mark.parametrize("value", [40.5, True, "40", -3.0, 1e300, 0.0])
def test_max_tokens_with_fraction_or_wrong_type_is_refused(value: object) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_body(chat_body(max_tokens=value), ChatCompletionBody)
    assert refused.value.param == "max_tokens"


def test_token_limit_minus_one_as_float_means_no_limit() -> None:
    assert parse_body(chat_body(max_tokens=-1.0), ChatCompletionBody).max_tokens is None
    completion = parse_body(b'{"prompt": "a", "max_tokens": -1.0}', CompletionBody)
    assert completion.max_tokens == 2**31 - 1
    generate = parse_body(b'{"prompt": "a", "options": {"num_predict": -1.0, "top_k": 40.0}}', GenerateBody)
    assert (generate.sent_options.num_predict, generate.sent_options.top_k) == (None, 40)


def test_integral_floats_are_accepted_as_token_ids() -> None:
    assert parse_body(b'{"tokens": [1.0, 2]}', DetokenizeBody).tokens == [1, 2]
    assert parse_prompts([1.0, 2], "prompt") == [(1, 2)]
    assert parse_prompts([[1.0], [2]], "prompt") == [(1,), (2,)]
    assert logit_bias([[5.0, 1.0]]) == ((5, 1.0),)
    for wrong in ([1.5], [1, 2.5], [True]):
        with pytest.raises(BadRequest):
            parse_prompts(wrong, "prompt")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/chat/completions", {"messages": HELLO, "max_tokens": 4.0}),
        ("/v1/completions", {"prompt": "hello", "max_tokens": 4.0}),
        ("/v1/responses", {"input": "hello", "max_output_tokens": 16.0}),
        ("/v1/messages", {"messages": HELLO, "max_tokens": 4.0}),
        ("/api/chat", {"messages": HELLO, "stream": False, "options": {"num_predict": 4.0}}),
        ("/completion", {"prompt": "hello", "n_predict": 4.0}),
    ],
)
def test_every_dialect_accepts_token_limit_as_float_and_byte_order_mark(
    endpoint: Live, path: str, fields: dict[str, object]
) -> None:
    content = codecs.BOM_UTF8 + json.dumps(fields).encode()
    with endpoint.http(**{"content-type": "application/json"}) as client:
        answer = client.post(path, content=content)
    assert answer.status_code == 200, answer.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='a"\\,[{]}:é'),
    lambda children: st.lists(children) | st.dictionaries(st.text(alphabet='a"\\,[{'), children),
    max_leaves=40,
)


def n_values(value: Any) -> int:
    """Returns the number of commas and opening brackets outside of strings in the JSON text of `value`."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return 0
    return 1 + max(len(value) - 1, 0) + sum(map(n_values, value))


@given(JSON, st.integers(1, 7))
def test_values_of_body_are_counted_exactly_for_every_chunk_size(value: Any, chunk_bytes: int) -> None:
    content, expected = json.dumps(value, ensure_ascii=False).encode(), n_values(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body, "_CHUNK_BYTES", chunk_bytes)
        assert not has_more_values(content, expected)
        assert expected == 0 or has_more_values(content, expected - 1)


def test_brackets_and_commas_in_a_string_do_not_count_as_values() -> None:
    content = json.dumps({"a": '[,{"\\' * 100_000}).encode()
    assert not has_more_values(content, 1)
