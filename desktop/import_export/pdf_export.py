"""Writes HTML to a PDF file, with formulas as vector graphics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QByteArray, QEventLoop, QMarginsF, QObject, QPointF, QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QPyTextObject,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtSvg import QSvgRenderer

from desktop.render.blocks import InlineImage
from desktop.render.formula_rendering import Formula, formula

MARGIN_MM = 20
DPI = 96
TEXT_PX = 13
"""Font size in `paper.css`. Formulas are rendered for `SCREEN_PX` and scaled to this size."""
SCREEN_PX = 15
_FORMULA = int(QTextFormat.ObjectTypes.UserObject.value) + 1
_NUMBER = int(QTextFormat.Property.UserProperty.value) + 1
_NAME = "formula:"


def write_pdf(page: str, formulas: Sequence[InlineImage], title: str, path: Path) -> None:
    """Writes the result of `pdf_html` to a PDF file. May be called on any thread while a QGuiApplication exists. Raises
    OSError."""
    with path.open("wb"):  # raises OSError if the file cannot be written; QPdfWriter would fail silently
        pass
    writer = QPdfWriter(str(path))
    writer.setTitle(title)
    writer.setResolution(DPI)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setPageMargins(QMarginsF(MARGIN_MM, MARGIN_MM, MARGIN_MM, MARGIN_MM), QPageLayout.Unit.Millimeter)
    events = QEventLoop()  # laying out a long document starts timers, which need an event loop in this thread
    document = QTextDocument(events)
    document.setDocumentMargin(0)
    painter = QPainter(writer)
    document.documentLayout().setPaintDevice(writer)
    sheet = writer.pageLayout().paintRectPixels(DPI)
    document.setPageSize(QSizeF(sheet.size()))
    drawer = FormulaDrawer(formulas, float(sheet.width()))
    document.documentLayout().registerHandler(_FORMULA, drawer)
    document.setHtml(page)
    _place_formulas(document)
    for number in range(document.pageCount()):
        if number:
            writer.newPage()
        painter.save()
        painter.translate(0, -number * sheet.height())
        document.drawContents(painter, QRectF(0, number * sheet.height(), sheet.width(), sheet.height()))
        painter.restore()
    painter.end()


class FormulaDrawer(QPyTextObject):
    """Draws each formula over its LaTeX source. The source is invisible text, which can be searched and copied."""

    def __init__(self, formulas: Sequence[InlineImage], widest: float, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._formulas = [(inset.source, formula(inset.source, display=inset.display)) for inset in formulas]
        self._widest = widest

    def intrinsicSize(self, document: QTextDocument, position: int, style: QTextFormat) -> QSizeF:
        _, made = self._formulas[int(style.property(_NUMBER))]
        if made is None:
            return QSizeF()
        scale = self._scale(made)
        return QSizeF(made.width * scale, _height(made) * scale)

    def drawObject(
        self, painter: QPainter, box: QRectF | QRect, document: QTextDocument, position: int, style: QTextFormat
    ) -> None:
        source, made = self._formulas[int(style.property(_NUMBER))]
        if made is None:
            return
        scale, box = self._scale(made), QRectF(box)
        _draw_invisible_text(painter, box, source)
        top = box.top() + (_height(made) / 2 + _HALF_X - made.ascent) * scale
        size = QSizeF(made.width, made.ascent + made.descent) * scale
        painter.setPen(Qt.PenStyle.NoPen)  # with a pen, the outlines of the formula would be stroked, too
        QSvgRenderer(QByteArray(made.svg.encode())).render(painter, QRectF(QPointF(box.left(), top), size))

    def _scale(self, made: Formula) -> float:
        return min(TEXT_PX / SCREEN_PX, self._widest / made.width)


_HALF_X = 4.0
"""Half of the x-height. Qt's AlignMiddle centres an object this far above the baseline."""


def _height(made: Formula) -> float:
    """Returns the height of a box around the formula. Qt centres this box in a line of text. The height is such that
    the formula is then on the baseline of the line."""
    return math.ceil(max(2 * made.ascent - 2 * _HALF_X, 2 * made.descent + 2 * _HALF_X))


def _draw_invisible_text(painter: QPainter, box: QRectF, source: str) -> None:
    font = QFont("Inter")
    font.setPixelSize(10)
    width = max(1.0, QFontMetricsF(font).horizontalAdvance(source))
    painter.save()
    painter.setFont(font)
    painter.setPen(Qt.GlobalColor.white)
    painter.translate(box.left(), box.center().y())
    painter.scale(min(0.5, box.width() / width), min(0.5, box.width() / width))
    painter.drawText(QPointF(0, 0), source.replace("\n", " "))
    painter.restore()


def _place_formulas(document: QTextDocument) -> None:
    """Replaces the placeholder images of `pdf_html` by text objects that `FormulaDrawer` draws."""
    placeholders: list[tuple[int, int]] = []
    block = document.begin()
    while block.isValid():
        parts = block.begin()
        while not parts.atEnd():
            fragment = parts.fragment()
            style = fragment.charFormat()
            if style.isImageFormat() and (name := style.toImageFormat().name()).startswith(_NAME):
                placeholders += [(fragment.position(), int(name.removeprefix(_NAME)))]
            parts += 1
        block = block.next()
    cursor = QTextCursor(document)
    for position, number in placeholders:
        style = QTextCharFormat()
        style.setObjectType(_FORMULA)
        style.setProperty(_NUMBER, number)
        style.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignMiddle)
        cursor.setPosition(position)
        cursor.setPosition(position + 1, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText("\ufffc", style)
