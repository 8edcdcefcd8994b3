"""`window.first_paint`: from the start of the process to the first paint, ÷ the same of a bare PySide6 window."""

from __future__ import annotations

import statistics
import tempfile

from tests.bench.child import paint_s
from tests.bench.figure import Figure, spread

N_RUNS = 7


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as profile:
        paint_s("paint", profile), paint_s("bare-paint")  # fills the disk cache
        ours, bare = [], []
        for _ in range(N_RUNS):
            bare.append(paint_s("bare-paint"))
            ours.append(paint_s("paint", profile))
    ratios = [mine / theirs for mine, theirs in zip(ours, bare, strict=True)]
    against = f"a bare window's {spread(bare)} s; ours {spread(ours)} s"
    return Figure("window.first_paint", statistics.median(ratios), 1.8, "ratio", against)
