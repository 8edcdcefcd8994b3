"""One block of a message: its document, where it stands, and how it is drawn. Code has its own: `code_segment`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape, unescape

from PySide6.QtCore import QPointF, QRectF, Qt, QUrl
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFont,
    QPainter,
    QPalette,
    QPen,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextLine,
)

from desktop.platform.theme import CODE_FAMILIES, Theme, scaled, text_font, zoom
from desktop.render.blocks import Block
from desktop.render.html import END_ISOLATE, ISOLATE, THIN
from desktop.transcript.inline_images import InlineImageCache

QUOTE_INDENT = 16
RULE_HEIGHT = 9
NOTES_ABOVE = 14
OVERSHOOT = 10
"""So far a line's letters may reach into the next: some scripts' marks, and fonts that stand in for another."""
MOST_INSETS = 120
"""Formulas and pictures of one segment; what is beyond shows its source."""
LONGEST_ADDRESS = 60
"""Letters of a picture's address that stand in for a picture without a description."""
_OBJECT = "\ufffc"
"""What stands for a picture in a document's text."""
_INSET = re.compile(r'<img src="inset:(\d+)">')
_ROOM = re.compile(f"{ISOLATE}{THIN}|{THIN}{END_ISOLATE}|{THIN}")
_ENDS = re.compile(r"(?:</(?:p|li|ul|ol)>)+\Z")
"""What closes a text whose last words are the last of its document."""


class Segment:
    """`top` is set by the message; everything else is relative to the segment's own corner. GUI thread only."""

    is_card = False
    """Whether it takes its width by itself, whatever its words need."""

    def __init__(
        self, block: Block, html: str, theme: Theme, width: int, inline_images: InlineImageCache | None = None
    ) -> None:
        """`html` is the block's, or its code in colours. Without `inline_images`, what stands in for them is shown."""
        self.block = block
        self.top = 0
        self.width = width
        self.height = 0
        """Measured once for each width and text: a long answer is asked for hundreds of them at each word."""
        self.changed_from = 0
        """From where on the last `change` made it look different."""
        self._theme = theme
        self._inline_images = inline_images
        self._html = html
        self._drawn: list[str] = []
        """What the pictures in the document stand for, in their order."""
        self._chips: list[QRectF] = []
        self.document = self._new_document()
        self._fill()

    @property
    def inset(self) -> QPointF:
        """Where the text begins."""
        match self.block.kind:
            case "quote":
                return QPointF(0 if self.is_rtl else QUOTE_INDENT, 0)
            case "notes":
                return QPointF(0, NOTES_ABOVE)
        return QPointF(0, 0)

    @property
    def _font(self) -> QFont:
        return text_font(13 if self.block.kind == "notes" else 15)

    def _new_document(self) -> QTextDocument:
        return new_document(self._theme, self._font)

    def _measured(self) -> int:
        if self.block.kind == "rule":
            return RULE_HEIGHT
        return round(self.inset.y() + self.document.size().height())

    @property
    def used_width(self) -> float:
        """How much of the width its words take."""
        return min(float(self.document.idealWidth()), self.room)

    @property
    def room(self) -> float:
        """How much of the width its words may take."""
        return float(self.document.textWidth())

    @property
    def is_rtl(self) -> bool:
        """Whether its first paragraph runs from right to left."""
        return self.document.firstBlock().textDirection() == Qt.LayoutDirection.RightToLeft

    def set_width(self, width: int) -> None:
        self.width = width
        if self._drawn:
            self._fill()  # pictures shrink with the page
        else:
            self._lay_out()

    def _lay_out(self) -> None:
        self.document.setTextWidth(self.width - (QUOTE_INDENT if self.block.kind == "quote" else 0))
        self._find_chips()
        self.height = self._measured()

    def _find_chips(self) -> None:
        self._chips = list(_code_spans(self.document)) if "<code>" in self._html else []

    def _fill(self) -> None:
        self._drawn = []
        html = self._markup()
        self.document.setHtml(_INSET.sub(self._inset_html, html) if self.block.inline_images else html)
        self._lay_out()

    def _markup(self) -> str:
        """The HTML as Qt needs it."""
        return self._html

    def _inset_html(self, found: re.Match[str]) -> str:
        inset = self.block.inline_images[int(found[1])]
        drawn = None
        if self._inline_images is not None and len(self._drawn) < MOST_INSETS:
            drawn = self._inline_images.get(inset)
        if drawn is None:
            words = inset.shown or inset.source[-LONGEST_ADDRESS:]
            return f"<i>{escape(words)}</i>" if inset.kind == "picture" else escape(words)
        name = f"inset:{len(self._drawn)}"
        self._drawn.append(inset.shown)
        colour = self._theme.colour("muted" if self.block.kind in ("quote", "notes") else "text")
        self.document.addResource(QTextDocument.ResourceType.ImageResource, QUrl(name), drawn.in_colour(colour))
        size = zoom() if drawn.is_formula else 1.0
        size = min(size, (self.width - self.inset.x() - 8) / drawn.width)
        box = f'width="{round(drawn.width * size)}" height="{round(drawn.height * size)}"'
        return f'<img src="{name}" {box} style="vertical-align: {"middle" if drawn.is_formula else "baseline"}">'

    def change(self, block: Block, html: str) -> None:
        """Becomes another block of the same kind: what is written grows so many times a second."""
        more = _more_words(self._html, html) if not block.inline_images else ""
        self.block, self._html = block, html
        if more:
            self._append(more)
        else:
            self.changed_from = 0
            self._fill()

    def _append(self, words: str) -> None:
        """Only what is the last line now changes: lines are broken from their beginnings on."""
        paragraph = self.document.lastBlock()
        layout, direction = paragraph.layout(), paragraph.textDirection()
        line = layout.lineAt(max(0, layout.lineCount() - 1))
        corner = self._layout().blockBoundingRect(paragraph).topLeft() + self.inset
        self.changed_from = max(0, int(corner.y() + line.y()) - OVERSHOOT)
        cursor = QTextCursor(self.document)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(words)
        if self.document.lastBlock().textDirection() != direction:
            self.changed_from = 0
        if self._chips:
            self._find_chips()
        self.height = self._measured()

    @property
    def has_missing_images(self) -> bool:
        """Whether it has formulas or pictures that are not drawn."""
        return len(self._drawn) < min(MOST_INSETS, len(self.block.inline_images))

    def restyle(self, html: str) -> None:
        """Takes up colours and a size of text that have changed, and inline_images that can be drawn now."""
        self.document.setDefaultFont(self._font)
        self.document.setDefaultStyleSheet(_css(self._theme))
        self.change(self.block, html)

    def position_at(self, point: QPointF) -> int:
        """The text position nearest to a point."""
        return max(0, self._layout().hitTest(point - self.inset, Qt.HitTestAccuracy.FuzzyHit))

    def link_at(self, point: QPointF) -> str:
        return self._layout().anchorAt(point - self.inset)

    @property
    def end(self) -> int:
        """The last position of the text."""
        return self.document.characterCount() - 1

    def text_between(self, start: int, end: int) -> str:
        text = self._cursor(start, end).selection().toPlainText()
        text = _ROOM.sub("", text).replace("\u2028", "\n")
        if _OBJECT in text:
            before = self._cursor(0, start).selection().toPlainText().count(_OBJECT)
            shown = iter(self._drawn[before:])
            text = re.sub(_OBJECT, lambda _: next(shown, ""), text)
        return text

    def word_around(self, position: int) -> tuple[int, int]:
        cursor = QTextCursor(self.document)
        cursor.setPosition(position)
        cursor.select(QTextCursor.SelectionType.WordUnderCursor)
        return cursor.selectionStart(), cursor.selectionEnd()

    def caret(self) -> QRectF:
        """Where the next letter will stand."""
        block = self.document.lastBlock()
        layout = block.layout()
        line = layout.lineForTextPosition(max(0, block.length() - 1))
        if not line.isValid():
            return QRectF(self.inset.x(), self.inset.y() + 4, 8, 17)
        x = _x(line, block.length() - 1)
        corner = self._layout().blockBoundingRect(block).topLeft() + self.inset
        middle = corner.y() + line.y() + line.ascent() - 5.5
        aside = -11 if block.textDirection() == Qt.LayoutDirection.RightToLeft else 3
        return QRectF(corner.x() + x + aside, middle - 8.5, 8, 17)

    def paint(
        self,
        painter: QPainter,
        seen: QRectF,
        marks: Sequence[tuple[int, int, str]],
        underlined: tuple[int, int] | None = None,
    ) -> None:
        """Draws what of it is in `seen`, with the segment's corner at the painter's origin. `marks` are spans of text
        with the colour behind them; `underlined` has an accent below it."""
        self._paint_behind(painter)
        painter.save()
        painter.translate(self.inset)
        self._paint_chips(painter)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, bool(self._drawn))
        context = QAbstractTextDocumentLayout.PaintContext()
        context.clip = seen.translated(-self.inset).adjusted(0, -OVERSHOOT, 0, OVERSHOOT)
        palette = QPalette(context.palette)
        quiet = "muted" if self.block.kind in ("quote", "notes") else "text"
        palette.setColor(QPalette.ColorRole.Text, self._theme.colour(quiet))
        context.palette = palette
        context.selections = [self._mark(*mark) for mark in marks]
        self._layout().draw(painter, context)
        if underlined is not None:
            self._underline(painter, *underlined)
        painter.restore()

    def _mark(self, start: int, end: int, token: str) -> QAbstractTextDocumentLayout.Selection:
        mark = QAbstractTextDocumentLayout.Selection()
        mark.cursor = self._cursor(start, end)
        style = QTextCharFormat()
        style.setBackground(self._theme.colour(token))
        mark.format = style
        return mark

    def _underline(self, painter: QPainter, start: int, end: int) -> None:
        for box in self.boxes(start, end):
            line = QRectF(box.left(), box.bottom() - 1, box.width(), 2).translated(-self.inset)
            painter.fillRect(line, self._theme.colour("accent"))

    def boxes(self, start: int, end: int) -> list[QRectF]:
        """The boxes around a span of text, one for each line, relative to the segment's corner."""
        block = self.document.findBlock(start)
        found: list[QRectF] = []
        while block.isValid() and block.position() < end:
            first = max(0, start - block.position())
            found += _boxes(self.document, block, first, min(end - block.position(), block.length() - 1))
            block = block.next()
        return [box.translated(self.inset) for box in found]

    def _paint_behind(self, painter: QPainter) -> None:
        line = self._theme.colour("line")
        match self.block.kind:
            case "rule":
                painter.fillRect(QRectF(0, RULE_HEIGHT // 2, self.width, 1), line)
            case "quote":
                rounded(painter, QRectF(self.width - 3 if self.is_rtl else 0, 2, 3, self.height - 4), 1.5, line)
            case "notes":
                painter.fillRect(QRectF(0, 0, min(120, self.width), 1), line)

    def _paint_chips(self, painter: QPainter) -> None:
        for chip in self._chips:
            rounded(painter, chip, 4, self._theme.colour("chip"))

    def _cursor(self, start: int, end: int) -> QTextCursor:
        cursor = QTextCursor(self.document)
        cursor.setPosition(min(start, self.end))
        cursor.setPosition(min(end, self.end), QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _layout(self) -> QAbstractTextDocumentLayout:
        return self.document.documentLayout()


def new_document(theme: Theme, font: QFont) -> QTextDocument:
    document = QTextDocument()
    document.setUndoRedoEnabled(False)
    document.setDocumentMargin(0)
    document.setIndentWidth(24)
    document.setDefaultFont(font)
    document.setDefaultStyleSheet(_css(theme))
    return document


def _css(theme: Theme) -> str:
    families = ", ".join(f'"{family}"' for family in CODE_FAMILIES)
    return f"{theme.style_of('document.css')} code, pre {{ font-family: {families}; font-size: {scaled(13)}px; }}"


def rounded(painter: QPainter, box: QRectF, radius: float, fill: QColor, edge: QColor | None = None) -> None:
    painter.setPen(QPen(edge, 1) if edge is not None else Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawRoundedRect(box, radius, radius)


def _code_spans(document: QTextDocument) -> Iterator[QRectF]:
    """The boxes around the code spans of running text, one for each line that a span stands on."""
    block = document.begin()
    while block.isValid():
        parts = block.begin()
        while not parts.atEnd():
            fragment = parts.fragment()
            if _is_code(fragment.charFormat()) and not block.blockFormat().nonBreakableLines():
                first = fragment.position() - block.position()
                yield from _boxes(document, block, first, first + fragment.length())
            parts += 1
        block = block.next()


def _more_words(before: str, now: str) -> str:
    """The words that `now` has at the end of its last paragraph and `before` has not; "" where that is not all."""
    end = _ENDS.search(before)
    if end is None or not now.endswith(end[0]) or not now.startswith(before[: end.start()]):
        return ""
    more = now[end.start() : len(now) - len(end[0])]
    # Behind a tag the words would be drawn as those in it; two spaces are drawn as one; and a letter that breaks a line
    # or a paragraph does so otherwise where it is typed than where it is read as HTML.
    follows_words = end.start() > 0 and before[end.start() - 1] not in "> "
    is_plain = more.isprintable() and "<" not in more and "  " not in more
    return unescape(more) if follows_words and is_plain else ""


def _is_code(style: QTextCharFormat) -> bool:
    families = style.fontFamilies()
    return isinstance(families, list) and families[:1] == [CODE_FAMILIES[0]]


def _x(line: QTextLine, position: int) -> float:
    found = line.cursorToX(position)  # PySide6 gives the position back too: where it was moved to
    return float(found[0]) if isinstance(found, tuple) else 0.0


def _boxes(document: QTextDocument, block: QTextBlock, first: int, last: int) -> Iterator[QRectF]:
    corner = document.documentLayout().blockBoundingRect(block).topLeft()
    layout = block.layout()
    at = layout.lineForTextPosition(max(0, first))
    for number in range(at.lineNumber() if at.isValid() else 0, layout.lineCount()):
        line = layout.lineAt(number)
        if line.textStart() >= last:
            break
        start, end = max(first, line.textStart()), min(last, line.textStart() + line.textLength())
        if start < end:
            left, right = sorted((_x(line, start), _x(line, end)))
            middle, high = corner.y() + line.y() + line.ascent() - 0.3 * scaled(15), scaled(19)
            yield QRectF(corner.x() + left - 3, middle - high / 2, right - left + 6, high)
