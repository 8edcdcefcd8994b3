"""The layout of one message of the transcript: a column of segments, one for each block of the message."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter

from desktop.platform.bidi import mirrored
from desktop.platform.theme import Theme
from desktop.render.blocks import Block, InlineImage, Kind
from desktop.render.long_text import EXCERPT_LENGTH, excerpt
from desktop.render.reasoning_and_calls import reasoning_blocks, tool_call_block
from desktop.settings.all_settings import Settings
from desktop.store.records import ChatMessage
from desktop.transcript.answer_status import (
    StatusOf,
    WaitStatus,
    fitting_stats,
    note_box,
    paint_note,
    paint_stats,
)
from desktop.transcript.block_reader import BlockReader
from desktop.transcript.code_block import HEAD_HEIGHT, CodeBlock
from desktop.transcript.horizontal_scroll import Hit, ScrollableSegment
from desktop.transcript.inline_images import InlineImageCache
from desktop.transcript.segment import Segment, gap_between
from desktop.transcript.table_block import TableBlock
from desktop.transcript.text_positions import SegmentPosition, TextSpan, Word, span_in_segment

ACTIONS_HEIGHT = 28
STATS_GAP = 12
"""The space in pixels between the buttons and the statistics beside them."""
REASONING_HEAD = 30
"""The height in pixels of the line above the text with the button that shows the reasoning."""
CARET_WIDTH, CARET_HEIGHT = 8, 17
STEP_COST, BLOCK_COST = 12_000, 300
"""Costs are counted in characters of HTML: the cost of one layout step, and the cost of a block in addition to its
characters."""
_SEGMENT_KINDS: dict[Kind, type[Segment]] = {"code": CodeBlock, "table": TableBlock}


class MessageItem:
    """The layout of an answer; subclasses lay out other messages. Positions are in pixels, relative to the item's top
    left corner. GUI thread only."""

    space_above = 20
    initial_length = EXCERPT_LENGTH
    """The number of characters that are shown until `show_more` is called."""

    def __init__(
        self,
        message: ChatMessage,
        theme: Theme,
        width: int,
        images: InlineImageCache | None = None,
        *,
        in_steps: bool = False,
    ) -> None:
        """`images` draws formulas and pictures; without it, their source is shown. With `in_steps`, only a part of a
        long message is laid out at first, and each call of `lay_out_more` lays out another part."""
        self.message = message
        self.width = width
        self.segments: list[Segment] = []
        self.reasoning_shown = False
        self.marked_word: TextSpan | None = None
        """The word for which the popup with alternatives is shown."""
        self.matches: Sequence[TextSpan] = ()
        """The matches of a search, which are highlighted."""
        self.status = WaitStatus()
        self.settings: Callable[[], Settings] = Settings
        """Returns the current settings: the defaults, unless `ItemCache` replaced this function."""
        self.buttons_width = 0
        """The width in pixels of the row of buttons below the message."""
        self._theme = theme
        self._images = images
        self._in_steps = in_steps
        self._length_limit = self.initial_length
        self._reader = BlockReader(grows=message.state == "streaming", in_steps=in_steps)
        self._blocks: Sequence[Block] = ()
        """The blocks parsed so far. `segments` are the layouts of the first of them."""
        self._n_reasoning_blocks = 0
        self._n_resized = 0
        """The number of segments that are laid out at the current width, from the first one on."""
        self._with_missing_images: list[Segment] = []
        """Segments in which images are missing that may be ready now."""
        self._read()

    @property
    def height(self) -> int:
        last = self.segments[-1] if self.segments else None
        bottom = self._text_bottom
        if self.message.state == "streaming":
            bottom += self.status.height if last else max(24, self.status.height)
        note = note_box(self.message, self.width, bottom)
        note_height = note.height() + 8 if note.height() else 0
        return bottom + note_height + (ACTIONS_HEIGHT + 8 if self.has_actions else 0)

    @property
    def has_actions(self) -> bool:
        """Whether there is a row of buttons below the message."""
        return self.message.state != "streaming" or self.status.is_stopping

    @property
    def actions_box(self) -> QRect:
        return QRect(0, self.height - ACTIONS_HEIGHT, self.width, ACTIONS_HEIGHT)

    @property
    def shown_stats(self) -> str:
        """The statistics of the answer that fit beside the buttons."""
        return fitting_stats(self.message, self.settings(), self.width - self.buttons_width - STATS_GAP)

    @property
    def _text_top(self) -> int:
        return REASONING_HEAD if self.message.reasoning else 0

    @property
    def _text_bottom(self) -> int:
        last = self.segments[-1] if self.segments else None
        return last.top + last.height if last else self._text_top

    def update(self, message: ChatMessage) -> int:
        """Shows a newer state of the message. Only blocks that have changed are laid out again.

        Returns the y coordinate from which on the item looks different."""
        before = [(segment, segment.block) for segment in self.segments]
        old = self.message
        is_changed = (
            message.text != old.text
            or message.calls != old.calls
            or (self.reasoning_shown and message.reasoning != old.reasoning)
            or bool(message.reasoning) != bool(old.reasoning)
        )
        if is_changed or message.state != "streaming":
            self.status = WaitStatus()
        self.message = message
        if is_changed:
            self._reader.restart()
        has_ended = message.state != "streaming" and self._reader.grows
        if has_ended and self._reader.end(message.text):
            is_changed = True
        if is_changed:
            self._read()
        return self._top_of_change(before) if message.state == "streaming" else 0

    def update_status(self, status_of: StatusOf) -> bool:
        """Updates what the message is waiting for. Returns True if that has changed."""
        before, self.status = self.status, WaitStatus()
        if self.message.state == "streaming":
            self.status = status_of(self.message.id)
        return before != self.status

    def toggle_reasoning(self) -> None:
        self.reasoning_shown = not self.reasoning_shown
        self._read()

    def set_width(self, width: int) -> None:
        self.width = width
        self._n_resized = 0
        self._resize_step()
        self._arrange()

    def restyle(self) -> None:
        """Applies a change of the theme's colours or of the text size."""
        for segment in self.segments:
            segment.restyle(self._reader.html(segment.block))
        self._arrange()

    @property
    def n_hidden(self) -> int:
        """The number of characters that are not shown until `show_more` is called."""
        return 0 if self._reader.grows else len(self.message.text) - len(self._shown_text())

    def show_more(self) -> None:
        self._length_limit += EXCERPT_LENGTH
        self._read()

    @property
    def is_unfinished(self) -> bool:
        """Whether the layout is incomplete, so that `lay_out_more` has something to do."""
        is_read = len(self.segments) == len(self._blocks) and not self._reader.has_more(self._shown_text())
        return not is_read or self._n_resized < len(self.segments) or bool(self._with_missing_images)

    def lay_out_more(self) -> None:
        """Does one step of the layout of a long message, which takes about 10 ms."""
        if self._n_resized < len(self.segments):
            self._resize_step()
            self._arrange()
        elif self._with_missing_images:
            self._image_step()
        elif self.is_unfinished:
            self._read()

    def finish(self) -> None:
        """Completes the layout of a long message at once."""
        while self.is_unfinished:
            self.lay_out_more()

    def _shown_text(self) -> str:
        return excerpt(self.message.text, self._length_limit)

    @property
    def _step_cost(self) -> int:
        return STEP_COST if self._in_steps else sys.maxsize

    def _resize_step(self) -> None:
        left, width = self._step_cost, self._segment_width()
        while self._n_resized < len(self.segments) and left > 0:
            segment = self.segments[self._n_resized]
            segment.set_width(width)
            left -= _cost(segment.block)
            self._n_resized += 1

    def redraw_missing_images(self) -> bool:
        """Draws images that were missing and may be ready now; in steps if the message is long. Returns True if images
        were missing."""
        self._with_missing_images = [segment for segment in self.segments if segment.has_missing_images]
        found = bool(self._with_missing_images)
        self._image_step()
        return found

    def blocked_pictures(self) -> list[InlineImage]:
        """The pictures of the message that are outside the allowed folders. They are only loaded if the user requests
        it."""
        images = self._images
        if images is None:
            return []
        found = (image for segment in self.segments for image in segment.block.inline_images)
        return [image for image in found if images.is_blocked(image)]

    def load_blocked_pictures(self) -> None:
        for image in self.blocked_pictures():
            if self._images is not None:
                self._images.allow(image)

    def _image_step(self) -> None:
        left = self._step_cost
        while self._with_missing_images and left > 0:
            segment = self._with_missing_images.pop(0)
            if any(segment is each for each in self.segments):
                segment.restyle(self._reader.html(segment.block))
            left -= _cost(segment.block)
        self._arrange()

    def texts(self) -> list[str]:
        """The drawn text of each segment; "" for segments of the reasoning and of tool calls."""
        n_own = len(self._blocks) - len(self.message.calls)
        first = self._n_reasoning_blocks if self.reasoning_shown else 0
        return [
            segment.document.toPlainText() if first <= number < n_own else ""
            for number, segment in enumerate(self.segments)
        ]

    def whole(self) -> TextSpan:
        last = len(self.segments) - 1
        return SegmentPosition(0, 0), SegmentPosition(last, self.segments[last].end if last >= 0 else 0)

    def text_between(self, start: SegmentPosition, end: SegmentPosition) -> str:
        """The plain text from `start` to the later position `end`. Blocks are separated by a blank line."""
        parts: list[str] = []
        for number, segment in enumerate(self.segments):
            if span := span_in_segment(number, segment.end, start, end):
                joiner = segment.block.joiner
                parts += [("\n\n" if joiner is None else joiner) if parts else "", segment.text_between(*span)]
        return "".join(parts)

    def word_at(self, position: SegmentPosition) -> TextSpan:
        start, end = self.segments[position.segment].word_around(position.offset)
        return SegmentPosition(position.segment, start), SegmentPosition(position.segment, end)

    def position_at(self, point: QPointF) -> SegmentPosition | None:
        """The text position nearest to a point; None if the message is empty."""
        if not self.segments:
            return None
        number = max((n for n, s in enumerate(self.segments) if s.top <= point.y()), default=0)
        segment = self.segments[number]
        return SegmentPosition(number, segment.position_at(point - self._corner(segment)))

    def link_at(self, point: QPointF) -> str:
        """The address of the link at a point; "" if there is none."""
        for segment in self.segments:
            if segment.top <= point.y() < segment.top + segment.height:
                return segment.link_at(point - self._corner(segment))
        return ""

    def is_text(self, point: QPointF) -> bool:
        """Whether a point is over text rather than the empty page."""
        return any(s.top <= point.y() < s.top + s.height and 0 <= point.x() <= s.width for s in self.segments)

    def scrollable_at(self, point: QPointF) -> Hit:
        """The code block or table at a point, and that point relative to the block's corner. Returns None if there is
        neither."""
        for segment in self.segments:
            inside = point - self._corner(segment)
            if isinstance(segment, ScrollableSegment) and QRectF(0, 0, segment.width, segment.height).contains(inside):
                return segment, inside
        return None

    def code_heads(self) -> list[tuple[QRect, Block]]:
        """For each code block: the rectangle of its title bar, and the block itself."""
        return [
            (QRect(round(self._corner(segment).x()), segment.top, segment.width, HEAD_HEIGHT), segment.block)
            for segment in self.segments
            if segment.block.kind == "code"
        ]

    def covers(self, word: Word, point: QPointF) -> bool:
        """Whether a point is over a word, not only near it."""
        segment = self.segments[word.segment]
        boxes = segment.boxes(word.start, word.end)
        return any(box.adjusted(-2, -4, 2, 4).contains(point - self._corner(segment)) for box in boxes)

    def word_box(self, word: Word) -> QRect:
        """The rectangle around a word. If the word is broken, only its part on the first line."""
        segment = self.segments[word.segment]
        boxes = segment.boxes(word.start, word.end)
        return boxes[0].translated(self._corner(segment)).toAlignedRect() if boxes else QRect(0, segment.top, 8, 20)

    def line_top(self, position: SegmentPosition) -> int:
        """The y coordinate of the top of the line that contains a position."""
        segment = self.segments[position.segment]
        boxes = segment.boxes(position.offset, position.offset + 1)
        return round(segment.top + (boxes[0].top() if boxes else 0))

    def scroll_sideways_to(self, start: SegmentPosition, end: SegmentPosition) -> None:
        """Scrolls a code block or table horizontally until the text from `start` to `end` is visible."""
        segment = self.segments[start.segment]
        if isinstance(segment, ScrollableSegment) and start.segment == end.segment:
            segment.scroll_to_text(start.offset, end.offset)

    def _read(self) -> None:
        """Parses the message into blocks, and lays out the blocks that have changed."""
        segments: list[Segment] = []
        self._blocks = self._read_blocks()
        left = self._step_cost
        for number, block in enumerate(self._blocks):
            old = self.segments[number] if number < len(self.segments) else None
            if old is not None and (old.block is block or old.block == block):
                segments.append(old)
                continue
            if left <= 0:
                break
            left -= _cost(block)
            html = self._reader.html(block, number)
            if old is not None and old.block.kind == block.kind:
                old.change(block, html)
                segments.append(old)
            else:
                kind = _SEGMENT_KINDS.get(block.kind, Segment)
                segments.append(kind(block, html, self._theme, self._segment_width(), self._images))
        if self._n_resized == len(self.segments):
            self._n_resized = len(segments)
        self.segments = segments
        self._n_resized = min(self._n_resized, len(segments))
        self._arrange()

    def _read_blocks(self) -> Sequence[Block]:
        text = self.message.text if self._reader.grows else self._shown_text()
        content = self._reader.read(text, advance=len(self.segments) >= len(self._blocks))
        if not self.message.calls and not self.reasoning_shown:
            return content
        reasoning = reasoning_blocks(self.message.reasoning) if self.reasoning_shown else []
        self._n_reasoning_blocks = len(reasoning)
        return [*reasoning, *content, *map(tool_call_block, self.message.calls)]

    def _top_of_change(self, before: Sequence[tuple[Segment, Block]]) -> int:
        """The y coordinate of the first change. `before` are the segments with their blocks before the change."""
        same = 0
        while same < min(len(before), len(self.segments)) and _is_same(before[same], self.segments[same]):
            same += 1
        if same == len(before):  # a block was added; the caret was at the end of the block before it
            return self.segments[max(0, same - 1)].top if self.segments else 0
        if same == len(self.segments):
            return 0
        segment = self.segments[same]
        return segment.top + (segment.changed_from if segment is before[same][0] else 0)

    def _segment_width(self) -> int:
        return self.width

    def _arrange(self) -> None:
        """Sets the vertical position of each segment."""
        top = self._text_top
        above: Segment | None = None
        for segment in self.segments:
            segment.top = top + gap_between(above, segment)
            top = segment.top + segment.height
            above = segment

    def _corner(self, segment: Segment) -> QPointF:
        return QPointF(0, segment.top)

    def paint(self, painter: QPainter, area: QRectF, selection: TextSpan | None) -> None:
        """Draws the part of the item that is in `area`. The origin of `painter` is the item's corner."""
        self._paint_segments(painter, area, selection)
        self._paint_end(painter)

    def _paint_segments(self, painter: QPainter, area: QRectF, selection: TextSpan | None) -> None:
        for number, segment in enumerate(self.segments):
            if segment.top + segment.height < area.top() or segment.top > area.bottom():
                continue
            highlights = [(selection, "selection")] if selection else []
            highlights += [(match, "soft") for match in self.matches]
            highlights += [(self.marked_word, "soft")] if self.marked_word else []
            spans = ((span_in_segment(number, segment.end, *span), token) for span, token in highlights)
            word = span_in_segment(number, segment.end, *self.marked_word) if self.marked_word else None
            painter.save()
            painter.translate(self._corner(segment))
            marks = [(*span, token) for span, token in spans if span is not None]
            segment.paint(painter, area.translated(-self._corner(segment)), marks, underlined=word)
            painter.restore()

    def _paint_end(self, painter: QPainter) -> None:
        """Draws what is below the text: the caret and the wait status while the answer streams, then its note and
        statistics."""
        if self.message.state == "streaming":
            self._paint_caret(painter)
            box = QRect(0, self._text_bottom, self.width, self.status.height)
            indented = box.adjusted(0 if self.segments else CARET_WIDTH + 10, 0, 0, 0)
            self.status.paint(painter, mirrored(indented, box), self._theme)
            return
        box = note_box(self.message, self.width, self._text_bottom)
        paint_note(painter, self._theme, self.message, box)
        paint_stats(painter, self._theme, self.shown_stats, self.actions_box)

    def _paint_caret(self, painter: QPainter) -> None:
        if self.segments:
            last = self.segments[-1]
            caret = last.caret().translated(0, last.top)
        else:
            first = QRectF(0, self._text_top + 4, CARET_WIDTH, CARET_HEIGHT)
            caret = mirrored(first, QRectF(0, 0, self.width, 0))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("accent"))
        painter.drawRoundedRect(caret, 2, 2)


class ReadOnlyItem(MessageItem):
    """The layout of a message without buttons, note and statistics: a help topic, or an answer in a comparison."""

    @property
    def has_actions(self) -> bool:
        return False

    def _paint_end(self, painter: QPainter) -> None:
        if self.message.state == "streaming":
            super()._paint_end(painter)


def _cost(block: Block) -> int:
    """The cost of laying out a block, in characters of HTML."""
    return len(block.html or block.code) + BLOCK_COST


def _is_same(before: tuple[Segment, Block], now: Segment) -> bool:
    segment, block = before
    return segment is now and (block is now.block or block == now.block)
