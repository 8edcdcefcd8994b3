"""From one order of rows to another in few steps, also where there are ten thousand of them. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Change(NamedTuple):
    """The next `n_removed` rows at `at` go, then `inserted`, which are places in the new order, come there.

    `at` counts as the rows stand after the changes before."""

    at: int
    n_removed: int
    inserted: range


def changes(old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    """The rows by their keys, each of which stands in a list once. As many rows as possible stay where they are."""
    at = 0
    kept = _kept(old, new)
    gone, come = 0, 0
    for old_place, new_place in [*kept, (len(old), len(new))]:
        n_removed, inserted = old_place - gone, range(come, new_place)
        if n_removed or inserted:
            yield Change(at, n_removed, inserted)
        at += len(inserted) + 1
        gone, come = old_place + 1, new_place + 1


def _kept(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Places, in both orders, of the rows that stay: both ends, and in between the longest run that keeps its order."""
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
    middle = _in_order(old[head : len(old) - tail], new[head : len(new) - tail])
    return [
        *((n, n) for n in range(head)),
        *((head + a, head + b) for a, b in middle),
        *((len(old) - n, len(new) - n) for n in range(tail, 0, -1)),
    ]


def _in_order(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """The longest increasing subsequence of old places, by patience sorting: O(n log n)."""
    if len(old) == len(new) > 1:  # one row that went up or down is nearly always all there is
        if old[1:] == new[:-1]:
            return [(n + 1, n) for n in range(len(old) - 1)]
        if old[:-1] == new[1:]:
            return [(n, n + 1) for n in range(len(old) - 1)]
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
        found.append((place_of[new[place]], place))
        place = before[place]
    return found[::-1]
