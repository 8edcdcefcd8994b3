"""How often an answer that streams is looked at.

The model computes on every core, and its threads wait for each other: while the window takes words in and draws them,
about 3 ms, all of them stand still. Where there are two cores, that is a twentieth of the model's speed at 15 times a
second."""

from __future__ import annotations

import os

_FEW_CORES = (os.cpu_count() or 1) <= 2

REDRAW_MS = 96 if _FEW_CORES else 50

READ_EVERY_S = 0.09 if _FEW_CORES else 0.045
"""A little sooner, so that what was read is drawn in the same breath."""
