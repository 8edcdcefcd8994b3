"""How often a streaming answer is read and drawn.

The model computes on all cores, and its threads wait for each other: while the window reads and draws new text, for
about 3 ms, all of them wait. With two cores and 15 refreshes a second that costs 5 % of the model's speed."""

from __future__ import annotations

import os

_FEW_CORES = (os.cpu_count() or 1) <= 2

REDRAW_MS = 96 if _FEW_CORES else 50

READ_EVERY_S = 0.09 if _FEW_CORES else 0.045
"""A little shorter than `REDRAW_MS`, so that new text is drawn at the next redraw."""
