"""JSON of servers is read without errors other than InvalidJson, and gives texts that can be encoded."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.remote.untrusted_json import InvalidJson, SurrogateJoiner, count_in, number_in, read_object, text_in


@pytest.mark.parametrize("data", [b"", b"[]", b"nul", b"{", b"[" * 200_000, b"<html>", b'{"a":' * 100_000, b"1" * 5000])
def test_text_that_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidJson):
        read_object(data)


def test_invalid_utf8_and_lone_surrogates_become_replacement_characters() -> None:
    found = read_object(b'{"a": "x\xff\\ud800y", "b": "\\ud83d\\ude00"}')
    assert text_in(found, "a") == "x\ufffd\ufffdy"
    assert text_in(found, "b") == "😀"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", '"7"', "true", "null", "-3", "[]"])
def test_numbers_that_are_no_counts_are_zero(value: str) -> None:
    assert count_in(read_object(f'{{"a": {value}}}'.encode()), "a") == 0


def test_large_numbers_are_limited() -> None:
    assert count_in({"a": 10**400}, "a") == 0
    assert number_in({"a": 10**400}, "a") is None
    assert count_in({"a": 1e300}, "a") == 2**53


@given(st.text(alphabet=st.sampled_from("a😀é\ud83d\ude00\ud800"), max_size=12), st.integers(0, 12))
def test_divided_text_equals_the_whole(text: str, cut: int) -> None:
    joiner = SurrogateJoiner()
    found = joiner.add(text[:cut]) + joiner.add(text[cut:]) + joiner.close()
    found.encode()
    assert found == text_in(json.loads(json.dumps({"a": text})), "a")
