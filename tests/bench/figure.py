"""The results of benchmarks."""

from __future__ import annotations

import operator
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value, its bound, and the reference that it is compared with."""

    name: str
    value: float
    bound: float
    unit: str
    against: str
    """A description of the reference, with the value that was measured for it."""
    must_be: Literal["at most", "at least"] = "at most"

    @property
    def ok(self) -> bool:
        holds: Callable[[float, float], bool] = operator.le if self.must_be == "at most" else operator.ge
        return holds(self.value, self.bound)

    def row(self) -> str:
        sign = "≤" if self.must_be == "at most" else "≥"
        mark = "ok  " if self.ok else "MISS"
        return f"{mark} {self.name:26} {self.value:9.3f} {sign} {self.bound:<7g} {self.unit:8} {self.against}"

    def record(self) -> dict[str, Any]:
        fields = {"unit": self.unit, "against": self.against, "must_be": self.must_be, "ok": self.ok}
        return {"value": self.value, "bound": self.bound, **fields}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A figure that could not be measured on this machine."""

    name: str
    why: str

    def row(self) -> str:
        return f"skip {self.name:26} {self.why}"

    def record(self) -> dict[str, Any]:
        return {"skipped": self.why}


Result = Figure | Skipped


def spread(values: Sequence[float]) -> str:
    """Median and range of several runs: "7.1 (6.9 to 7.4, 5 runs)"."""
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g}, {len(values)} runs)"
