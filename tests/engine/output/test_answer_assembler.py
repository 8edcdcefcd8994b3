"""AnswerAssembler without a parser: the text does not depend on how its bytes are split, whatever the stop strings."""

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
    """The expected text: it ends before the stop string that is completed first."""
    return text[: stopped_at(text, stops)[0]]


def stopped_at(text: str, stops: list[str]) -> tuple[int, str | None]:
    for end in range(1, len(text) + 1):
        complete = [stop for stop in stops if text[:end].endswith(stop)]
        if complete:
            found = max(complete, key=len)
            return end - len(found), found
    return len(text), None


@given(TEXT, STOPS, st.lists(st.integers(0, 100)))
def test_text_streamed_in_random_pieces_equals_whole_text(text: str, stops: list[str], cuts: list[int]) -> None:
    assert "".join(streamed(cut(text.encode(), cuts), stops)) == whole(text, stops)


@given(TEXT, STOPS)
def test_text_streamed_byte_by_byte_equals_whole_text(text: str, stops: list[str]) -> None:
    assert "".join(streamed([bytes([byte]) for byte in text.encode()], stops)) == whole(text, stops)


@given(TEXT, STOPS)
def test_stop_string_that_ended_the_text_is_reported(text: str, stops: list[str]) -> None:
    assembler = AnswerAssembler(stops)
    for byte in text.encode():
        if assembler.feed(bytes([byte]))[1]:
            break
    assert assembler.stop_string == stopped_at(text, stops)[1]


@given(st.binary(max_size=12), st.lists(st.integers(0, 100)))
def test_random_bytes_decode_to_whole_characters(data: bytes, cuts: list[int]) -> None:
    for shown in streamed(cut(data, cuts), []):
        shown.encode()


def test_incomplete_character_is_held_back() -> None:
    smile = "🙂".encode()
    assert streamed([b"a" + smile[:2], smile[2:3], smile[3:], b"b"], []) == ["a", "", "🙂", "b", ""]


def test_incomplete_character_at_the_end_is_dropped() -> None:
    assert "".join(streamed([b"a" + "🙂".encode()[:3]], [])) == "a"


def test_invalid_bytes_become_replacement_characters() -> None:
    assert "".join(streamed([b"a\xffb"], [])) == "a�b"


@pytest.mark.parametrize("stops", [["B2", "A1"], ["A1", "B2"]])
def test_order_of_stop_strings_does_not_change_the_text(stops: list[str]) -> None:
    assert "".join(streamed([b"xA1B2"], stops)) == "x"


def test_partial_stop_string_at_the_end_is_emitted() -> None:
    assert streamed([b"done <|im"], ["<|im_end|>"]) == ["done ", "<|im"]
