"""Computes few insertions and removals that turn one list of keys into another, fast for 10,000 rows. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Change(NamedTuple):
    """Remove `n_removed` rows at `at`, then insert the rows `inserted` (indices into the new list) there.

    `at` is an index into the list after the earlier changes."""

    at: int
    n_removed: int
    inserted: range


def changes(old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    """Changes from `old` to `new`, lists of unique keys. As many rows as possible are kept."""
    n_old, n_new = 0, 0
    for run in [*_kept(old, new), Run(len(old), len(new), 0)]:
        n_removed, inserted = run.old - n_old, range(n_new, run.new)
        if n_removed or inserted:
            yield Change(n_new, n_removed, inserted)
        n_old, n_new = run.old + run.n, run.new + run.n


class Run(NamedTuple):
    """`n` consecutive rows that are kept, with their first index in both lists."""

    old: int
    new: int
    n: int


def _kept(old: Sequence[str], new: Sequence[str]) -> list[Run]:
    """The kept rows: common prefix and suffix, and in between as many as have the same order."""
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
    middle = _kept_between(old[head : len(old) - tail], new[head : len(new) - tail])
    return [
        Run(0, 0, head),
        *(Run(head + run.old, head + run.new, run.n) for run in middle),
        Run(len(old) - tail, len(new) - tail, tail),
    ]


def _kept_between(old: Sequence[str], new: Sequence[str]) -> list[Run]:
    """The longest increasing subsequence of old indices, by patience sorting: O(n log n)."""
    if len(old) == len(new) > 1:  # most often one row moved to the start or end
        if old[1:] == new[:-1]:
            return [Run(1, 0, len(old) - 1)]
        if old[:-1] == new[1:]:
            return [Run(0, 1, len(old) - 1)]
    index_of = {key: index for index, key in enumerate(old)}
    tails: list[int] = []
    tail_rows: list[int] = []
    previous = [-1] * len(new)
    for index, key in enumerate(new):
        if (old_index := index_of.get(key)) is None:
            continue
        length = bisect_left(tails, old_index)
        previous[index] = tail_rows[length - 1] if length else -1
        tails[length : length + 1] = [old_index]
        tail_rows[length : length + 1] = [index]
    runs = []
    index = tail_rows[-1] if tail_rows else -1
    while index >= 0:
        runs.append(Run(index_of[new[index]], index, 1))
        index = previous[index]
    return runs[::-1]
