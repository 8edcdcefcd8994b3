"""One message laid out: its blocks one below the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter

from desktop.platform.bidi import mirrored
from desktop.platform.theme import Theme
from desktop.render.blocks import Block, InlineImage, Kind
from desktop.render.excerpt import SHOWN, excerpt
from desktop.render.reasoning_and_calls import reasoning_blocks, tool_call_block
from desktop.store.records import ChatMessage
from desktop.transcript.answer_notes import fitting_stats, note_box, paint_note, paint_stats
from desktop.transcript.answer_status import WaitStatus
from desktop.transcript.block_reader import BlockReader
from desktop.transcript.code_block import CODE_HEAD, CodeBlock
from desktop.transcript.inline_images import InlineImageCache
from desktop.transcript.place import SegmentPosition, span_in_segment
from desktop.transcript.scrollable_segment import ScrollableSegment
from desktop.transcript.segment import Segment
from desktop.transcript.spacing import gap_between
from desktop.transcript.strings import reasoning_heading
from desktop.transcript.table_block import TableBlock
from desktop.transcript.text_positions import Word

StatusOf = Callable[[str], WaitStatus]
"""What the message of an id waits for."""

ACTIONS_HEIGHT = 28
STATS_GAP = 12
"""Between the buttons and the figures beside them."""
THOUGHTS_HEAD = 30
LAID_OUT, FOR_EACH = 12_000, 300
"""What is laid out at once, in letters of HTML, and what each block costs besides."""
_KINDS: dict[Kind, type[Segment]] = {"code": CodeBlock, "table": TableBlock}


class MessageItem:
    """An answer on the page. Positions are relative to its own corner in the reading column. GUI thread only."""

    space_above = 20
    shown_at_once = SHOWN
    """Letters that are shown until more is asked for."""

    def __init__(
        self,
        message: ChatMessage,
        theme: Theme,
        width: int,
        inline_images: InlineImageCache | None = None,
        *,
        in_steps: bool = False,
    ) -> None:
        """`inline_images` draws formulas and pictures; without, what stands in for them is shown. `in_steps`: a long
        message
        is shown in part at first, and the rest with each `lay_out_more`."""
        self.message = message
        self._in_steps = in_steps
        self._limit = self.shown_at_once
        self._wanted: Sequence[Block] = ()
        """The blocks of what was read, of which the first are laid out as `segments`."""
        self._n_thoughts = 0
        self._undrawn: list[Segment] = []
        """Those with formulas or pictures that may be drawn now."""
        self._resized_to = 0
        """How many of the segments have the item's width."""
        self._inline_images = inline_images
        self.segments: list[Segment] = []
        self.width = width
        self._theme = theme
        self._reader = BlockReader(grows=message.state == "streaming", in_steps=in_steps)
        self.reasoning_shown = False
        self.word: tuple[SegmentPosition, SegmentPosition] | None = None
        """The word that is being asked about."""
        self.found: Sequence[tuple[SegmentPosition, SegmentPosition]] = ()
        """What a search marks."""
        self.sign = WaitStatus()
        """What it waits for."""
        self.buttons_width = 0
        """What the buttons below it take of its width."""
        self._read()

    @property
    def height(self) -> int:
        last = self.segments[-1] if self.segments else None
        text = last.top + last.height if last else self._first_top
        if self.message.state == "streaming":
            text += self.sign.height if last else max(24, self.sign.height)
        note = note_box(self.message, self.width, text)
        return text + (note.height() + 8 if note.height() else 0) + (ACTIONS_HEIGHT + 8 if self.has_actions else 0)

    @property
    def _first_top(self) -> int:
        return THOUGHTS_HEAD if self.message.reasoning else 0

    @property
    def reasoning_title(self) -> str:
        return reasoning_heading(self.message)

    def toggle_reasoning(self) -> None:
        """Shows the thoughts, or no longer."""
        self.reasoning_shown = not self.reasoning_shown
        self._read()

    @property
    def has_actions(self) -> bool:
        return self.message.state != "streaming"

    @property
    def actions_box(self) -> QRect:
        return QRect(0, self.height - ACTIONS_HEIGHT, self.width, ACTIONS_HEIGHT)

    @property
    def shown_stats(self) -> str:
        """As many of the figures as fit beside the buttons, the first ones."""
        return fitting_stats(self.message, self.width - self.buttons_width - STATS_GAP)

    def update(self, message: ChatMessage) -> int:
        """Takes up a change of the message; only blocks that are different are laid out anew.

        Returns from where on it looks different."""
        before = [(segment, segment.block) for segment in self.segments]
        old = self.message
        thought = self.reasoning_shown and message.reasoning != old.reasoning
        first_thought = bool(message.reasoning) != bool(old.reasoning)
        changed = message.text != old.text or message.calls != old.calls or thought or first_thought
        if changed or message.state != "streaming":
            self.sign = WaitStatus()  # what it waited for has come
        self.message = message
        if changed:
            self._reader.restart()
        has_ended = message.state != "streaming" and self._reader.grows
        if has_ended and self._reader.end(message.text):
            changed = True
        if changed:
            self._read()
        return self._top_of_change(before) if message.state == "streaming" else 0

    def update_status(self, wait_status_of: StatusOf) -> bool:
        """Looks up what the message waits for; whether that looks different from before."""
        before, self.sign = (
            self.sign,
            wait_status_of(self.message.id) if self.message.state == "streaming" else WaitStatus(),
        )
        return before != self.sign

    def set_width(self, width: int) -> None:
        self.width = width
        self._resized_to = 0
        self._resize_some()
        self._arrange()

    def _resize_some(self) -> None:
        left, width = LAID_OUT if self._in_steps else sys.maxsize, self._segment_width()
        while self._resized_to < len(self.segments) and left > 0:
            segment = self.segments[self._resized_to]
            segment.set_width(width)
            left -= len(segment.block.html or segment.block.code) + FOR_EACH
            self._resized_to += 1

    @property
    def is_unfinished(self) -> bool:
        """Whether `lay_out_more` would show more of it."""
        is_read = len(self.segments) == len(self._wanted) and not self._has_more_to_read
        return not is_read or self._resized_to < len(self.segments) or bool(self._undrawn)

    @property
    def _has_more_to_read(self) -> bool:
        return self._reader.has_more(self._shown_text())

    def lay_out_more(self) -> None:
        """Shows some more of a long message. Takes some 10 ms."""
        if self._resized_to < len(self.segments):
            self._resize_some()
            self._arrange()
        elif self._undrawn:
            self._draw_some()
        elif len(self.segments) < len(self._wanted) or self._has_more_to_read:
            self._read()

    def finish(self) -> None:
        """Shows all of it that is to be shown."""
        while self.is_unfinished:
            self.lay_out_more()

    @property
    def n_hidden(self) -> int:
        """Letters of the message that are only shown once more is asked for."""
        return 0 if self._reader.grows else len(self.message.text) - len(self._shown_text())

    def show_more(self) -> None:
        self._limit += SHOWN
        self._read()

    def _shown_text(self) -> str:
        return excerpt(self.message.text, self._limit)

    def restyle(self) -> None:
        """Takes up colours that have changed."""
        for segment in self.segments:
            segment.restyle(self._reader.html(segment.block))
        self._arrange()

    def redraw_missing_images(self) -> bool:
        """Draws what could not be drawn before, of a long message with the next `lay_out_more`; True where there is
        such."""
        self._undrawn = [segment for segment in self.segments if segment.has_missing_images]
        waits = bool(self._undrawn)
        self._draw_some()
        return waits

    def _draw_some(self) -> None:
        left = LAID_OUT if self._in_steps else sys.maxsize
        while self._undrawn and left > 0:
            segment = self._undrawn.pop(0)
            if any(segment is each for each in self.segments):
                segment.restyle(self._reader.html(segment.block))
            left -= len(segment.block.html) + FOR_EACH
        self._arrange()

    def blocked_pictures(self) -> list[InlineImage]:
        """Pictures outside the person's folders, which are only read when the person asks for them."""
        inline_images = self._inline_images
        found = (
            [inset for segment in self.segments for inset in segment.block.inline_images]
            if inline_images is not None
            else []
        )
        return [inset for inset in found if inline_images is not None and inline_images.is_blocked(inset)]

    def load_blocked_pictures(self) -> None:
        for inset in self.blocked_pictures():
            if self._inline_images is not None:
                self._inline_images.allow(inset)

    def code_heads(self) -> list[tuple[QRect, Block]]:
        """The head of each code block, with the block."""
        return [
            (QRect(round(self._corner(segment).x()), segment.top, segment.width, CODE_HEAD), segment.block)
            for segment in self.segments
            if segment.block.kind == "code"
        ]

    def scrollable_at(self, point: QPointF) -> tuple[ScrollableSegment, QPointF] | None:
        """The code or the table under a point, and the point in it."""
        for segment in self.segments:
            inside = point - self._corner(segment)
            if isinstance(segment, ScrollableSegment) and QRectF(0, 0, segment.width, segment.height).contains(inside):
                return segment, inside
        return None

    def show_place(self, start: SegmentPosition, end: SegmentPosition) -> None:
        """Scrolls code or a table sideways so far that a place in it is seen."""
        segment = self.segments[start.segment]
        if isinstance(segment, ScrollableSegment) and start.segment == end.segment:
            segment.show(start.position, end.position)

    def position_at(self, point: QPointF) -> SegmentPosition | None:
        """The place in the text that is nearest to a point; None in an empty message."""
        if not self.segments:
            return None
        number = max((n for n, s in enumerate(self.segments) if s.top <= point.y()), default=0)
        segment = self.segments[number]
        return SegmentPosition(number, segment.position_at(point - self._corner(segment)))

    def link_at(self, point: QPointF) -> str:
        for segment in self.segments:
            if segment.top <= point.y() < segment.top + segment.height:
                return segment.link_at(point - self._corner(segment))
        return ""

    def is_text(self, point: QPointF) -> bool:
        """Whether a point is over words, not over empty page."""
        return any(s.top <= point.y() < s.top + s.height and 0 <= point.x() <= s.width for s in self.segments)

    def word_at(self, place: SegmentPosition) -> tuple[SegmentPosition, SegmentPosition]:
        start, end = self.segments[place.segment].word_around(place.position)
        return SegmentPosition(place.segment, start), SegmentPosition(place.segment, end)

    def covers(self, word: Word, point: QPointF) -> bool:
        """Whether a point is over that word, not only near it."""
        segment = self.segments[word.segment]
        boxes = segment.boxes(word.start, word.end)
        return any(box.adjusted(-2, -4, 2, 4).contains(point - self._corner(segment)) for box in boxes)

    def word_box(self, word: Word) -> QRect:
        """Where the word stands, relative to the message's corner."""
        segment = self.segments[word.segment]
        boxes = segment.boxes(word.start, word.end)
        return boxes[0].translated(self._corner(segment)).toAlignedRect() if boxes else QRect(0, segment.top, 8, 20)

    def top_of(self, place: SegmentPosition) -> int:
        """The top of the line on which a place stands."""
        segment = self.segments[place.segment]
        boxes = segment.boxes(place.position, place.position + 1)
        return round(segment.top + (boxes[0].top() if boxes else 0))

    def whole(self) -> tuple[SegmentPosition, SegmentPosition]:
        last = len(self.segments) - 1
        return SegmentPosition(0, 0), SegmentPosition(last, self.segments[last].end if last >= 0 else 0)

    def text_between(self, start: SegmentPosition, end: SegmentPosition) -> str:
        """What is selected between two places, the first being the earlier; blocks are set apart by a line."""
        parts: list[str] = []
        for number, segment in enumerate(self.segments):
            if span := span_in_segment(number, segment, start, end):
                joiner = segment.block.joiner
                parts += [("\n\n" if joiner is None else joiner) if parts else "", segment.text_between(*span)]
        return "".join(parts)

    def paint(self, painter: QPainter, seen: QRectF, selection: tuple[SegmentPosition, SegmentPosition] | None) -> None:
        """Draws what of the message is in `seen`, with its corner at the painter's origin."""
        self._paint_segments(painter, seen, selection)
        self._paint_end(painter)

    def _paint_segments(
        self, painter: QPainter, seen: QRectF, selection: tuple[SegmentPosition, SegmentPosition] | None
    ) -> None:
        for number, segment in enumerate(self.segments):
            if segment.top + segment.height < seen.top() or segment.top > seen.bottom():
                continue
            span = span_in_segment(number, segment, *selection) if selection else None
            painter.save()
            painter.translate(self._corner(segment))
            marks = [(*span, "selection")] if span else []
            marks += [(*part, "soft") for found in self.found if (part := span_in_segment(number, segment, *found))]
            word = span_in_segment(number, segment, *self.word) if self.word else None
            box = seen.translated(-self._corner(segment))
            segment.paint(painter, box, [*marks, (*word, "soft")] if word else marks, underlined=word)
            painter.restore()

    def _read(self) -> None:
        fresh: list[Segment] = []
        self._wanted = self._blocks()
        left = LAID_OUT if self._in_steps else sys.maxsize
        for number, block in enumerate(self._wanted):
            old = self.segments[number] if number < len(self.segments) else None
            if old is not None and (old.block is block or old.block == block):
                fresh.append(old)
                continue
            if left <= 0:
                break
            left -= len(block.html or block.code) + FOR_EACH
            if old is not None and old.block.kind == block.kind:
                old.change(block, self._reader.html(block, number))
                fresh.append(old)
            else:
                kind = _KINDS.get(block.kind, Segment)
                html, width = self._reader.html(block, number), self._segment_width()
                fresh.append(kind(block, html, self._theme, width, self._inline_images))
        if self._resized_to == len(self.segments):
            self._resized_to = len(fresh)
        self.segments = fresh
        self._resized_to = min(self._resized_to, len(fresh))
        self._arrange()

    def _blocks(self) -> Sequence[Block]:
        text = self.message.text if self._reader.grows else self._shown_text()
        said = self._reader.read(text, go_on=len(self.segments) >= len(self._wanted))
        if not self.message.calls and not self.reasoning_shown:
            return said
        thoughts = reasoning_blocks(self.message.reasoning) if self.reasoning_shown else []
        self._n_thoughts = len(thoughts)
        return [*thoughts, *said, *map(tool_call_block, self.message.calls)]

    def texts(self) -> list[str]:
        """The words of each segment as they are drawn; "" for those that are no part of the message's own text."""
        own = len(self._wanted) - len(self.message.calls)
        first = self._n_thoughts if self.reasoning_shown else 0
        return [
            segment.document.toPlainText() if first <= number < own else ""
            for number, segment in enumerate(self.segments)
        ]

    def _top_of_change(self, before: Sequence[tuple[Segment, Block]]) -> int:
        same = 0
        while same < min(len(before), len(self.segments)) and _is_same(before[same], self.segments[same]):
            same += 1
        if same == len(before):  # a new block: the caret stood behind the last one
            return self.segments[max(0, same - 1)].top if self.segments else 0
        if same == len(self.segments):
            return 0
        segment = self.segments[same]
        return segment.top + (segment.changed_from if segment is before[same][0] else 0)

    def _segment_width(self) -> int:
        return self.width

    def _arrange(self) -> None:
        top = self._first_top
        before: Segment | None = None
        for segment in self.segments:
            segment.top = top + gap_between(before, segment)
            top = segment.top + segment.height
            before = segment

    def _corner(self, segment: Segment) -> QPointF:
        return QPointF(0, segment.top)

    def _paint_end(self, painter: QPainter) -> None:
        last = self.segments[-1] if self.segments else None
        if self.message.state == "streaming":
            first = mirrored(QRectF(0, self._first_top + 4, 8, 17), QRectF(0, 0, self.width, 0))
            caret = last.caret().translated(0, last.top) if last else first
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("accent"))
            painter.drawRoundedRect(caret, 2, 2)
            top = last.top + last.height if last else self._first_top
            box = QRect(0, top, self.width, self.sign.height)
            self.sign.paint(painter, mirrored(box.adjusted(0 if last else 18, 0, 0, 0), box), self._theme)
            return
        box = note_box(self.message, self.width, last.top + last.height if last else self._first_top)
        paint_note(painter, self._theme, self.message, box)
        paint_stats(painter, self._theme, self.shown_stats, self.actions_box)


def _is_same(before: tuple[Segment, Block], now: Segment) -> bool:
    segment, block = before
    return segment is now and (block is now.block or block == now.block)
