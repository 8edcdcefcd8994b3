"""From one order of rows to another in few steps, also where there are ten thousand of them. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Change(NamedTuple):
    """The next `n_removed` rows at `at` go, then `inserted`, which are places in the new order, come there.

    `at` counts as the rows stand after the changes before, which is as in the new order."""

    at: int
    n_removed: int
    inserted: range


def changes(old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    """The rows by their keys, each of which stands in a list once. As many rows as possible stay where they are."""
    gone, come = 0, 0
    for run in [*_kept(old, new), Run(len(old), len(new), 0)]:
        n_removed, inserted = run.old - gone, range(come, run.new)
        if n_removed or inserted:
            yield Change(come, n_removed, inserted)
        gone, come = run.old + run.n, run.new + run.n


class Run(NamedTuple):
    """`n` rows that stay, from these places on in both orders."""

    old: int
    new: int
    n: int


def _kept(old: Sequence[str], new: Sequence[str]) -> list[Run]:
    """The rows that stay: both ends, and in between as many as keep their order."""
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
    middle = _in_order(old[head : len(old) - tail], new[head : len(new) - tail])
    return [
        Run(0, 0, head),
        *(Run(head + run.old, head + run.new, run.n) for run in middle),
        Run(len(old) - tail, len(new) - tail, tail),
    ]


def _in_order(old: Sequence[str], new: Sequence[str]) -> list[Run]:
    """The longest increasing subsequence of old places, by patience sorting: O(n log n)."""
    if len(old) == len(new) > 1:  # one row that went up or down is nearly always all there is
        if old[1:] == new[:-1]:
            return [Run(1, 0, len(old) - 1)]
        if old[:-1] == new[1:]:
            return [Run(0, 1, len(old) - 1)]
    place_of = {key: place for place, key in enumerate(old)}
    ends: list[int] = []
    ends_at: list[int] = []
    before = [-1] * len(new)
    for place, key in enumerate(new):
        if (was := place_of.get(key)) is None:
            continue
        length = bisect_left(ends, was)
        before[place] = ends_at[length - 1] if length else -1
        ends[length : length + 1] = [was]
        ends_at[length : length + 1] = [place]
    found = []
    place = ends_at[-1] if ends_at else -1
    while place >= 0:
        found.append(Run(place_of[new[place]], place, 1))
        place = before[place]
    return found[::-1]
