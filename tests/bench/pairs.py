"""Measures two sides in turn, so that other load on the machine affects both."""

from __future__ import annotations

import os
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tests.bench.figure import spread

Measured = TypeVar("Measured")
N_PAIRS = 5
PAIRS_VARIABLE = "INGLENOOK_BENCH_PAIRS"
"""An environment variable that overrides N_PAIRS. `python -m tests.bench --pairs N` sets it."""


def n_pairs() -> int:
    return int(os.environ.get(PAIRS_VARIABLE, N_PAIRS))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Values of both sides, one pair for each round."""

    ours: list[float]
    theirs: list[float]

    @property
    def ratio(self) -> float:
        """The median over the rounds of our value divided by theirs."""
        return statistics.median(mine / other for mine, other in zip(self.ours, self.theirs, strict=True))

    def against(self, reference: str, unit: str) -> str:
        """A description with the median and the range of both sides."""
        return f"{reference}: {spread(self.theirs)} {unit}; ours {spread(self.ours)} {unit}"


@dataclass(frozen=True, slots=True)
class Pairs(Generic[Measured]):
    """The results of both sides, one pair for each round."""

    ours: list[Measured]
    theirs: list[Measured]

    def compare(self, value: Callable[[Measured], float]) -> Comparison:
        return Comparison([value(each) for each in self.ours], [value(each) for each in self.theirs])


async def alternate(
    ours: Callable[[int], Awaitable[Measured]],
    theirs: Callable[[int], Awaitable[Measured]],
    n_warm: int = 1,
) -> Pairs[Measured]:
    """Measures both sides in each of `n_warm` + n_pairs() rounds, and drops the first `n_warm` of them.

    Both get the number of the round. The side that is measured first changes from round to round."""
    pairs: Pairs[Measured] = Pairs([], [])
    for at in range(n_warm + n_pairs()):
        sides = [(ours, pairs.ours), (theirs, pairs.theirs)]
        for measure, results in sides if at % 2 else reversed(sides):
            results.append(await measure(at))
    return Pairs(pairs.ours[n_warm:], pairs.theirs[n_warm:])
