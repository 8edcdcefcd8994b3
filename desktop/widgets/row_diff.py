"""Computes the insertions and removals that turn one list of keys into another. There are few changes, and they are
found quickly even for 10,000 rows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Change(NamedTuple):
    """One change of a list: remove `n_removed` rows at the index `at`, then insert rows there. `inserted` are the
    indices of these rows in the new list.

    `at` is an index in the list to which the earlier changes were already applied."""

    at: int
    n_removed: int
    inserted: range


def changes(old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    """The changes that turn `old` into `new`, two lists of unique keys. As many rows as possible remain in the list."""
    n_old, n_new = 0, 0
    for run in [*_kept(old, new), Run(len(old), len(new), 0)]:
        n_removed, inserted = run.old - n_old, range(n_new, run.new)
        if n_removed or inserted:
            yield Change(n_new, n_removed, inserted)
        n_old, n_new = run.old + run.n, run.new + run.n


class Run(NamedTuple):
    """A run of `n` consecutive rows that both lists contain, with the index of its first row in each."""

    old: int
    new: int
    n: int


def _kept(old: Sequence[str], new: Sequence[str]) -> list[Run]:
    """The rows that remain in the list: the common prefix and suffix, and between them as many as possible that are in
    the same order in both lists."""
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
    """The rows between prefix and suffix that remain in the list: the longest increasing subsequence of old indices,
    found by patience sorting in O(n log n)."""
    if len(old) == len(new) > 1:  # the most frequent case: one row was moved to the start or the end
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
