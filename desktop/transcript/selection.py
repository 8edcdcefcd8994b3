"""What is selected of a chat, from one message to another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from desktop.transcript.message_item import MessageItem
from desktop.transcript.place import SegmentPosition


@dataclass(frozen=True, slots=True)
class TextPosition:
    """A place in one of the messages."""

    message_id: str
    place: SegmentPosition


@dataclass(frozen=True, slots=True)
class Selection:
    """`head` is the end that moves."""

    anchor: TextPosition
    head: TextPosition

    @property
    def is_empty(self) -> bool:
        return self.anchor == self.head

    def moved(self, head: TextPosition) -> Selection:
        return replace(self, head=head)


@dataclass(frozen=True, slots=True)
class SelectionRange:
    """A selection by rows, the earlier end first."""

    first: int
    start: SegmentPosition
    last: int
    end: SegmentPosition

    @classmethod
    def of(cls, selection: Selection, row_of: Callable[[str], int]) -> SelectionRange | None:
        """None where one of its ends is not shown any more."""
        ends = sorted((row_of(spot.message_id), spot.place) for spot in (selection.anchor, selection.head))
        (first, start), (last, end) = ends
        return cls(first, start, last, end) if first >= 0 else None

    def in_row(self, row: int, item: MessageItem) -> tuple[SegmentPosition, SegmentPosition] | None:
        """What is selected of that row."""
        if not self.first <= row <= self.last or not item.segments:
            return None
        whole = item.whole()
        return (self.start if row == self.first else whole[0], self.end if row == self.last else whole[1])

    def holds_whole(self, row: int, item: MessageItem) -> bool:
        return self.in_row(row, item) == item.whole()


def plain_text(stretch: SelectionRange, item_of: Callable[[int], MessageItem]) -> str:
    return "\n\n".join(filter(None, _texts(stretch, item_of)))


def _texts(stretch: SelectionRange, item_of: Callable[[int], MessageItem]) -> Iterator[str]:
    for row in range(stretch.first, stretch.last + 1):
        item = item_of(row)
        span = stretch.in_row(row, item)
        yield item.text_between(*span) if span else ""


def markdown(stretch: SelectionRange, item_of: Callable[[int], MessageItem]) -> str:
    """Messages that are selected as a whole as they were written; of the others, the words."""
    parts: list[str] = []
    for row in range(stretch.first, stretch.last + 1):
        item = item_of(row)
        span = stretch.in_row(row, item)
        if span:
            parts.append(item.message.text if stretch.holds_whole(row, item) else item.text_between(*span))
    return "\n\n".join(filter(None, parts))
