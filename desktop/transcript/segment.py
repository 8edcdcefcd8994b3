"""The layout of one block of a message in a QTextDocument: text, headings, lists, quotes, footnotes and rules.

Subclasses in `code_block` and `table_block` lay out code and tables."""

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

BLOCK_GAP, SPACE_ABOVE_HEADING, SPACE_BELOW_HEADING = 12, 20, 8
QUOTE_INDENT = 16
RULE_HEIGHT = 9
FOOTNOTES_MARGIN = 14
OVERSHOOT = 10
"""The glyphs of a line may reach this many pixels into the next line. Marks of some scripts and glyphs of fallback
fonts do so."""
MAX_IMAGES = 120
"""At most this many formulas and pictures are drawn in one segment. For further ones, the source is shown."""
MAX_ADDRESS_LENGTH = 60
"""A picture without a description is replaced by this many characters from the end of its address."""
_OBJECT_CHARACTER = "\ufffc"
"""The character that represents an image in the plain text of a QTextDocument."""
_IMAGE = re.compile(r'<img src="inline:(\d+)">')
_CODE_SPAN_PADDING = re.compile(f"{ISOLATE}{THIN}|{THIN}{END_ISOLATE}|{THIN}")
_CLOSING_TAGS = re.compile(r"(?:</(?:p|li|ul|ol)>)+\Z")
"""Closing tags at the end of HTML, after the last text of the document."""


class Segment:
    """The layout of one block. Positions are in pixels, relative to the segment's top left corner. GUI thread only."""

    fills_width = False
    """Whether the segment always has the full width, even if its text needs less."""

    def __init__(
        self, block: Block, html: str, theme: Theme, width: int, images: InlineImageCache | None = None
    ) -> None:
        """`html` is the HTML of the block; for code, of the highlighted code. Without `images`, the source of formulas
        is shown."""
        self.block = block
        self.top = 0
        """The y coordinate of the segment in the message. `MessageItem` sets it."""
        self.width = width
        self.height = 0
        """The height in pixels. It is cached, because hundreds of heights of a long answer are read with each token."""
        self.changed_from = 0
        """The y coordinate from which on the last call of `change` made the segment look different."""
        self._theme = theme
        self._images = images
        self._html = html
        self._drawn_images: list[str] = []
        """The text to copy for each image in the document, in order."""
        self._code_spans: list[QRectF] = []
        self.document = self._new_document()
        self._fill()

    @property
    def text_origin(self) -> QPointF:
        """The top left corner of the document in the segment."""
        match self.block.kind:
            case "quote":
                return QPointF(0 if self.is_rtl else QUOTE_INDENT, 0)
            case "footnotes":
                return QPointF(0, FOOTNOTES_MARGIN)
        return QPointF(0, 0)

    @property
    def _text_colour(self) -> QColor:
        return self._theme.colour("muted" if self.block.kind in ("quote", "footnotes") else "text")

    @property
    def _font(self) -> QFont:
        return text_font(13 if self.block.kind == "footnotes" else 15)

    def _new_document(self) -> QTextDocument:
        return new_document(self._theme, self._font)

    def _measured_height(self) -> int:
        if self.block.kind == "rule":
            return RULE_HEIGHT
        return round(self.text_origin.y() + self.document.size().height())

    @property
    def used_width(self) -> float:
        """The width of the laid-out text in pixels."""
        return min(float(self.document.idealWidth()), self.available_width)

    @property
    def available_width(self) -> float:
        """The width in pixels at which the text is wrapped."""
        return float(self.document.textWidth())

    @property
    def is_rtl(self) -> bool:
        """Whether the first paragraph of the segment is right-to-left."""
        return self.document.firstBlock().textDirection() == Qt.LayoutDirection.RightToLeft

    def set_width(self, width: int) -> None:
        self.width = width
        if self._drawn_images:
            self._fill()  # the images are scaled to the new width
        else:
            self._lay_out()

    def _lay_out(self) -> None:
        self.document.setTextWidth(self.width - (QUOTE_INDENT if self.block.kind == "quote" else 0))
        self._find_code_spans()
        self.height = self._measured_height()

    def _find_code_spans(self) -> None:
        self._code_spans = list(_code_spans(self.document)) if "<code>" in self._html else []

    def _fill(self) -> None:
        self._drawn_images = []
        html = self._markup()
        self.document.setHtml(_IMAGE.sub(self._image_html, html) if self.block.inline_images else html)
        self._lay_out()

    def _markup(self) -> str:
        """The HTML that is loaded into the document."""
        return self._html

    def _image_html(self, found: re.Match[str]) -> str:
        """The HTML of an inline image: if it is ready, as an image resource of the document; otherwise as text."""
        image = self.block.inline_images[int(found[1])]
        rendered = None
        if self._images is not None and len(self._drawn_images) < MAX_IMAGES:
            rendered = self._images.get(image)
        if rendered is None:
            text = image.alt_text or image.source[-MAX_ADDRESS_LENGTH:]
            return f"<i>{escape(text)}</i>" if image.kind == "picture" else escape(text)
        name = f"inline:{len(self._drawn_images)}"
        self._drawn_images.append(image.alt_text)
        resource = rendered.in_colour(self._text_colour)
        self.document.addResource(QTextDocument.ResourceType.ImageResource, QUrl(name), resource)
        scale = zoom() if rendered.is_formula else 1.0
        scale = min(scale, (self.width - self.text_origin.x() - 8) / rendered.width)
        size = f'width="{round(rendered.width * scale)}" height="{round(rendered.height * scale)}"'
        return f'<img src="{name}" {size} style="vertical-align: {"middle" if rendered.is_formula else "baseline"}">'

    def change(self, block: Block, html: str) -> None:
        """Shows another block of the same kind. If only text was added at its end, as while streaming, only that text
        is inserted."""
        more = _appended_text(self._html, html) if not block.inline_images else ""
        self.block, self._html = block, html
        if more:
            self._append(more)
        else:
            self.changed_from = 0
            self._fill()

    def _append(self, text: str) -> None:
        """Appends text to the last paragraph. The former last line is the first that looks different, because the line
        breaks before it do not change."""
        paragraph = self.document.lastBlock()
        layout, direction = paragraph.layout(), paragraph.textDirection()
        line = layout.lineAt(max(0, layout.lineCount() - 1))
        corner = self._layout().blockBoundingRect(paragraph).topLeft() + self.text_origin
        self.changed_from = max(0, int(corner.y() + line.y()) - OVERSHOOT)
        cursor = QTextCursor(self.document)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text)
        if self.document.lastBlock().textDirection() != direction:
            self.changed_from = 0
        if self._code_spans:
            self._find_code_spans()
        self.height = self._measured_height()

    @property
    def has_missing_images(self) -> bool:
        """Whether some formulas or pictures are shown as text."""
        return len(self._drawn_images) < min(MAX_IMAGES, len(self.block.inline_images))

    def restyle(self, html: str) -> None:
        """Applies a change of colours or text size, and draws images that have become ready. `html` is as in
        `__init__`."""
        self.document.setDefaultFont(self._font)
        self.document.setDefaultStyleSheet(_css(self._theme))
        self.change(self.block, html)

    def position_at(self, point: QPointF) -> int:
        """The offset in the text that is nearest to a point."""
        return max(0, self._layout().hitTest(point - self.text_origin, Qt.HitTestAccuracy.FuzzyHit))

    def link_at(self, point: QPointF) -> str:
        """The address of the link at a point; "" if there is none."""
        return self._layout().anchorAt(point - self.text_origin)

    @property
    def end(self) -> int:
        """The last offset of the text."""
        return self.document.characterCount() - 1

    def text_between(self, start: int, end: int) -> str:
        """The plain text between two offsets. It contains the source of formulas and the description of pictures."""
        text = self._cursor(start, end).selection().toPlainText()
        text = _CODE_SPAN_PADDING.sub("", text).replace("\u2028", "\n")
        if _OBJECT_CHARACTER in text:
            before = self._cursor(0, start).selection().toPlainText().count(_OBJECT_CHARACTER)
            alt_texts = iter(self._drawn_images[before:])
            text = re.sub(_OBJECT_CHARACTER, lambda _: next(alt_texts, ""), text)
        return text

    def word_around(self, position: int) -> tuple[int, int]:
        cursor = QTextCursor(self.document)
        cursor.setPosition(position)
        cursor.select(QTextCursor.SelectionType.WordUnderCursor)
        return cursor.selectionStart(), cursor.selectionEnd()

    def caret(self) -> QRectF:
        """The rectangle of the caret that follows the last character while an answer streams."""
        block = self.document.lastBlock()
        layout = block.layout()
        line = layout.lineForTextPosition(max(0, block.length() - 1))
        if not line.isValid():
            return QRectF(self.text_origin.x(), self.text_origin.y() + 4, 8, 17)
        x = _x(line, block.length() - 1)
        corner = self._layout().blockBoundingRect(block).topLeft() + self.text_origin
        middle = corner.y() + line.y() + line.ascent() - 5.5
        offset = -11 if block.textDirection() == Qt.LayoutDirection.RightToLeft else 3
        return QRectF(corner.x() + x + offset, middle - 8.5, 8, 17)

    def paint(
        self,
        painter: QPainter,
        area: QRectF,
        marks: Sequence[tuple[int, int, str]],
        underlined: tuple[int, int] | None = None,
    ) -> None:
        """Draws the part of the segment that is in `area`. The origin of `painter` is the segment's corner.

        `marks` are highlighted parts of the text: start, end and the name of the background colour. `underlined` is the
        start and end of a part that is underlined in the accent colour."""
        self._paint_decoration(painter)
        painter.save()
        painter.translate(self.text_origin)
        self._paint_code_spans(painter)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, bool(self._drawn_images))
        context = QAbstractTextDocumentLayout.PaintContext()
        context.clip = area.translated(-self.text_origin).adjusted(0, -OVERSHOOT, 0, OVERSHOOT)
        palette = QPalette(context.palette)
        palette.setColor(QPalette.ColorRole.Text, self._text_colour)
        context.palette = palette
        context.selections = [self._mark(*mark) for mark in marks]
        self._layout().draw(painter, context)
        if underlined is not None:
            self._underline(painter, *underlined)
        painter.restore()

    def _mark(self, start: int, end: int, token: str) -> QAbstractTextDocumentLayout.Selection:
        mark = QAbstractTextDocumentLayout.Selection()
        mark.cursor = self._cursor(start, end)
        char_format = QTextCharFormat()
        char_format.setBackground(self._theme.colour(token))
        mark.format = char_format
        return mark

    def _underline(self, painter: QPainter, start: int, end: int) -> None:
        for box in self.boxes(start, end):
            line = QRectF(box.left(), box.bottom() - 1, box.width(), 2).translated(-self.text_origin)
            painter.fillRect(line, self._theme.colour("accent"))

    def boxes(self, start: int, end: int) -> list[QRectF]:
        """The rectangles around the text between two offsets, one per line."""
        block = self.document.findBlock(start)
        found: list[QRectF] = []
        while block.isValid() and block.position() < end:
            first = max(0, start - block.position())
            found += _boxes(self.document, block, first, min(end - block.position(), block.length() - 1))
            block = block.next()
        return [box.translated(self.text_origin) for box in found]

    def _paint_decoration(self, painter: QPainter) -> None:
        line = self._theme.colour("line")
        match self.block.kind:
            case "rule":
                painter.fillRect(QRectF(0, RULE_HEIGHT // 2, self.width, 1), line)
            case "quote":
                fill_rounded(painter, QRectF(self.width - 3 if self.is_rtl else 0, 2, 3, self.height - 4), 1.5, line)
            case "footnotes":
                painter.fillRect(QRectF(0, 0, min(120, self.width), 1), line)

    def _paint_code_spans(self, painter: QPainter) -> None:
        for box in self._code_spans:
            fill_rounded(painter, box, 4, self._theme.colour("chip"))

    def _cursor(self, start: int, end: int) -> QTextCursor:
        cursor = QTextCursor(self.document)
        cursor.setPosition(min(start, self.end))
        cursor.setPosition(min(end, self.end), QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _layout(self) -> QAbstractTextDocumentLayout:
        return self.document.documentLayout()


def gap_between(above: Segment | None, below: Segment) -> int:
    """The vertical space between two segments in pixels. It is 0 above the first segment, and between pieces of one
    block."""
    if above is None or below.block.joiner is not None:
        return 0
    if below.block.kind == "heading":
        return SPACE_ABOVE_HEADING
    return SPACE_BELOW_HEADING if above.block.kind == "heading" else BLOCK_GAP


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


def fill_rounded(painter: QPainter, box: QRectF, radius: float, fill: QColor, edge: QColor | None = None) -> None:
    painter.setPen(QPen(edge, 1) if edge is not None else Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawRoundedRect(box, radius, radius)


def _code_spans(document: QTextDocument) -> Iterator[QRectF]:
    """The rectangles around the code spans of a document, one per line. Code blocks have none."""
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


def _appended_text(before: str, now: str) -> str:
    """The text that `now` adds at the end of the last paragraph of `before`; "" if anything else differs."""
    end = _CLOSING_TAGS.search(before)
    if end is None or not now.endswith(end[0]) or not now.startswith(before[: end.start()]):
        return ""
    more = now[end.start() : len(now) - len(end[0])]
    # Some text cannot simply be inserted. After a tag, it would get the format of the tag's content. HTML draws two
    # spaces as one, and treats line and paragraph separators differently.
    follows_text = end.start() > 0 and before[end.start() - 1] not in "> "
    is_plain = more.isprintable() and "<" not in more and "  " not in more
    return unescape(more) if follows_text and is_plain else ""


def _is_code(style: QTextCharFormat) -> bool:
    families = style.fontFamilies()
    return isinstance(families, list) and families[:1] == [CODE_FAMILIES[0]]


def _x(line: QTextLine, position: int) -> float:
    found = line.cursorToX(position)  # PySide6 returns a tuple of x and the adjusted position
    return float(found[0]) if isinstance(found, tuple) else 0.0


def _boxes(document: QTextDocument, block: QTextBlock, first: int, last: int) -> Iterator[QRectF]:
    """The rectangles around the characters `first` to `last` of a paragraph, one per line."""
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
