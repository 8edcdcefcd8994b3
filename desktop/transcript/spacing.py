"""The vertical space between the blocks of a message."""

from __future__ import annotations

from desktop.transcript.segment import Segment

GAP = 12
ABOVE_HEADING = 20
BELOW_HEADING = 8


def gap_between(above: Segment | None, below: Segment) -> int:
    """In pixels. None above the first block, nor between the pieces of one that was divided."""
    if above is None or below.block.joiner is not None:
        return 0
    if below.block.kind == "heading":
        return ABOVE_HEADING
    return BELOW_HEADING if above.block.kind == "heading" else GAP
