"""Places in the text of a message that is laid out."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.transcript.segment import Segment


@dataclass(frozen=True, slots=True, order=True)
class SegmentPosition:
    """A place in a message's text: the segment and the position in it."""

    segment: int
    position: int


def span_in_segment(
    number: int, segment: Segment, start: SegmentPosition, end: SegmentPosition
) -> tuple[int, int] | None:
    """The part of a segment, the `number`th, that lies between two places; None where nothing does."""
    if not start.segment <= number <= end.segment:
        return None
    first = start.position if number == start.segment else 0
    last = end.position if number == end.segment else segment.end
    return (first, last) if last > first else None
