"""Tests of `row_diff`, which computes the changes that turn one list of rows into another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop.widgets.row_diff import changes

KEYS = st.lists(st.integers(0, 30).map(str), unique=True, max_size=20)


@given(KEYS, KEYS)
def test_changes_turn_the_old_list_into_the_new_list(old: list[str], new: list[str]) -> None:
    rows = list(old)
    for at, n_removed, inserted in changes(old, new):
        rows[at : at + n_removed] = new[inserted.start : inserted.stop]
    assert rows == new


@given(KEYS, st.data())
def test_moving_one_row_removes_only_one_row(old: list[str], data: st.DataObject) -> None:
    new = list(old)
    if new:
        row = new.pop(data.draw(st.integers(0, len(new) - 1)))
        new.insert(data.draw(st.integers(0, len(new))), row)
    steps = list(changes(old, new))
    assert sum(step.n_removed for step in steps) == (0 if old == new else 1)
