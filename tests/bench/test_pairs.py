"""Comparisons measure both sides in turn and state both."""

from __future__ import annotations

import asyncio

import pytest

from tests.bench.pairs import PAIRS_VARIABLE, Comparison, Pairs, alternate


def test_sides_alternate_and_the_first_side_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PAIRS_VARIABLE, raising=False)
    order: list[tuple[str, int]] = []

    async def ours(at: int) -> int:
        order.append(("ours", at))
        return at

    async def theirs(at: int) -> int:
        order.append(("theirs", at))
        return -at

    pairs = asyncio.run(alternate(ours, theirs))
    assert pairs == Pairs([1, 2, 3, 4, 5], [-1, -2, -3, -4, -5])
    assert order[:4] == [("theirs", 0), ("ours", 0), ("ours", 1), ("theirs", 1)]


def test_ratio_is_the_median_over_the_pairs_and_the_report_has_both_ranges() -> None:
    compared = Comparison([10.0, 30.0, 12.0], [10.0, 10.0, 10.0])
    assert compared.ratio == 1.2
    assert compared.against("a peer", "ms") == "a peer: 10 (10 to 10, 3 runs) ms; ours 12 (10 to 30, 3 runs) ms"
