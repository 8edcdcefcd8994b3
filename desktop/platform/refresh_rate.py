"""How often a streaming answer is read and redrawn. On machines with few cores, this is done less often.

The model computes on all cores, and its threads wait for each other. The window takes one core for about 3 ms to read
and draw new text, and all threads of the model wait that long. With two cores, 15 redraws per second cost 5 % of the
model's speed."""

from __future__ import annotations

import os

_FEW_CORES = (os.cpu_count() or 1) <= 2

REDRAW_MS = 96 if _FEW_CORES else 50

READ_EVERY_S = 0.09 if _FEW_CORES else 0.045
"""New text is read at this interval. It is a little shorter than `REDRAW_MS`, so that the next redraw shows the
text."""
