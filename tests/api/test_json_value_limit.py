"""Counting of the values in a JSON text before objects are built."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import body
from api.body import has_more_values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='a"\\,[{]}:é'),
    lambda children: st.lists(children) | st.dictionaries(st.text(alphabet='a"\\,[{'), children),
    max_leaves=40,
)


def n_values(value: Any) -> int:
    """The expected count: all values but the first, and each non-empty container once more."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return 0
    return 1 + max(len(value) - 1, 0) + sum(map(n_values, value))


@given(JSON, st.integers(1, 7))
def test_count_is_exact_for_every_chunk_size(value: Any, piece_bytes: int) -> None:
    content, expected = json.dumps(value, ensure_ascii=False).encode(), n_values(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body, "_CHUNK_BYTES", piece_bytes)
        assert not has_more_values(content, expected)
        assert expected == 0 or has_more_values(content, expected - 1)


def test_text_full_of_structure_counts_as_one_value() -> None:
    content = json.dumps({"a": '[,{"\\' * 100_000}).encode()
    assert not has_more_values(content, 1)
