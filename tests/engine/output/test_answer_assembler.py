"""Text out of bytes: for every cut of the tokens and every stop string, streamed equals whole."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events import Event, TextDelta
from engine.output.answer_assembler import AnswerAssembler

TEXT = st.text(alphabet="ab🙂é\n", max_size=24)
STOPS = st.lists(st.text(alphabet="ab🙂é\n", min_size=1, max_size=4), max_size=4)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(each % (len(data) + 1) for each in cuts)})
    return [data[start:end] for start, end in pairwise(edges)]


def streamed(pieces: list[bytes], stops: list[str]) -> list[str]:
    assembler = AnswerAssembler(stops)
    shown = []
    for piece in pieces:
        events, stopped = assembler.feed(piece)
        shown.append(text_of(events))
        if stopped:
            return shown
    return [*shown, text_of(assembler.flush())]


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def whole(text: str, stops: list[str]) -> str:
    """What the rule says, the slow way: the first stop string to be complete, of those the longest."""
    return text[: stopped_at(text, stops)[0]]


def stopped_at(text: str, stops: list[str]) -> tuple[int, str | None]:
    for end in range(1, len(text) + 1):
        complete = [stop for stop in stops if text[:end].endswith(stop)]
        if complete:
            found = max(complete, key=len)
            return end - len(found), found
    return len(text), None


@given(TEXT, STOPS, st.lists(st.integers(0, 100)))
def test_streamed_equals_whole(text: str, stops: list[str], cuts: list[int]) -> None:
    assert "".join(streamed(cut(text.encode(), cuts), stops)) == whole(text, stops)


@given(TEXT, STOPS)
def test_byte_by_byte_equals_whole(text: str, stops: list[str]) -> None:
    assert "".join(streamed([bytes([byte]) for byte in text.encode()], stops)) == whole(text, stops)


@given(TEXT, STOPS)
def test_the_stop_string_that_ended_the_text_is_known(text: str, stops: list[str]) -> None:
    assembler = AnswerAssembler(stops)
    for byte in text.encode():
        if assembler.feed(bytes([byte]))[1]:
            break
    assert assembler.stop_string == stopped_at(text, stops)[1]


@given(st.binary(max_size=12), st.lists(st.integers(0, 100)))
def test_any_bytes_become_text_without_half_a_character(data: bytes, cuts: list[int]) -> None:
    for shown in streamed(cut(data, cuts), []):
        shown.encode()


def test_half_a_character_waits_for_its_rest() -> None:
    smile = "🙂".encode()
    assert streamed([b"a" + smile[:2], smile[2:3], smile[3:], b"b"], []) == ["a", "", "🙂", "b", ""]


def test_half_a_character_at_the_end_is_left_unsaid() -> None:
    assert "".join(streamed([b"a" + "🙂".encode()[:3]], [])) == "a"


def test_bytes_that_are_no_character_are_marked() -> None:
    assert "".join(streamed([b"a\xffb"], [])) == "a�b"


@pytest.mark.parametrize("stops", [["B2", "A1"], ["A1", "B2"]])
def test_the_order_of_the_stop_strings_does_not_matter(stops: list[str]) -> None:
    assert "".join(streamed([b"xA1B2"], stops)) == "x"


def test_text_that_only_began_like_a_stop_string_is_shown_at_the_end() -> None:
    assert streamed([b"done <|im"], ["<|im_end|>"]) == ["done ", "<|im"]
