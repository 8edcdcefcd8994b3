"""Server-sent events are decoded from any division of the bytes, within limits."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.remote.event_stream import EventDecoder, EventTooLarge

STREAM = b": comment\n\ndata: {1}\r\n\r\nevent: x\ndata:{2}\ndata: {3}\n\n\n\ndata: last"


def decoded(blocks: list[bytes]) -> list[bytes]:
    decoder = EventDecoder()
    return [data for block in blocks for data in decoder.add(block)] + list(decoder.close())


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_division_of_the_bytes_does_not_matter(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    blocks = [STREAM[start:end] for start, end in pairwise(places)]
    assert decoded(blocks) == [b"{1}", b"{2}\n{3}", b"last"]


@pytest.mark.parametrize("block", [b"x" * 100, b"data: x\n", b"data:\n", b"data: "])
def test_event_without_end_is_refused(block: bytes) -> None:
    decoder = EventDecoder(max_bytes=10_000)
    with pytest.raises(EventTooLarge):
        _add_often(decoder, block)


def _add_often(decoder: EventDecoder, block: bytes) -> None:
    for _ in range(20_000):
        list(decoder.add(block))
