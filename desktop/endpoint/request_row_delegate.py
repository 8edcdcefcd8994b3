"""Lays out and paints the row of a request: columns, and the buttons to stop it and to open it as a chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPen

from desktop.endpoint import strings
from desktop.endpoint.activity import ToolRequest
from desktop.platform.bidi import isolated, mirrored
from desktop.platform.theme import text_font
from desktop.widgets.card_row_delegate import CardRowDelegate

RowAction = Literal["open", "stop"]
Column = Literal["request", "state", "prompt", "speed", "age"]

PADDING, BUTTON_SIZE = 10, 28
WIDE = 600
"""Width in pixels. A narrower row has no columns for prompt and speed; the tooltip shows them."""

_SHARES: Mapping[Column, float] = {"request": 0.28, "state": 0.225, "prompt": 0.2, "speed": 0.12, "age": 0.0}
_NARROW: Mapping[Column, float] = {"request": 0.4, "state": 0.33, "age": 0.0}


def columns(row: QRect) -> dict[Column, QRect]:
    """Rectangles of the columns in a row. The column titles above the list use the same rectangles."""
    shares = _SHARES if row.width() >= WIDE else _NARROW
    left, right = row.left() + PADDING, row.right() - 2 * BUTTON_SIZE - PADDING
    rects: dict[Column, QRect] = {}
    for name, share in shares.items():
        width = round(share * row.width()) if share else right - left
        rects[name] = QRect(left, row.top(), width - 10, row.height())
        left += width
    return {name: mirrored(rect, row) for name, rect in rects.items()}


def action_rects(row: QRect, request: ToolRequest) -> dict[RowAction, QRect]:
    """Maps the action of each button in the row to the rectangle of the button."""
    right, top = row.right() - PADDING + 6, row.center().y() - BUTTON_SIZE // 2
    rects: dict[RowAction, QRect] = {}
    if request.is_active:
        rects["stop"] = QRect(right - BUTTON_SIZE, top, BUTTON_SIZE, BUTTON_SIZE)
    # "open" and "stop" have different positions. A click on "stop" thus never hits "open", even if the request has just
    # ended.
    rects["open"] = QRect(right - 2 * BUTTON_SIZE, top, BUTTON_SIZE, BUTTON_SIZE)
    return {action: mirrored(rect, row) for action, rect in rects.items()}


class RequestRowDelegate(CardRowDelegate[ToolRequest]):
    height = 44

    def paint_row(self, painter: QPainter, box: QRect, row: ToolRequest, *, is_first: bool, has_focus: bool) -> None:
        painter.setPen(self._theme.colour("line"))
        if not is_first:
            painter.drawLine(box.topLeft(), box.topRight())
        if has_focus:
            painter.setPen(QPen(self._theme.colour("accent"), 1))
            painter.drawRoundedRect(QRectF(box).adjusted(0.5, 2.5, -0.5, -1.5), 7, 7)
        self._paint_columns(painter, box, row)
        self._paint_actions(painter, box, row)

    def _paint_columns(self, painter: QPainter, box: QRect, request: ToolRequest) -> None:
        rects = columns(box)
        self._paint_name(painter, rects["request"], request)
        state = rects["state"]
        if request.state == "reading" and request.n_prompt:
            self._paint_bar(painter, state, request.n_read / request.n_prompt)
        else:
            colour = "accent" if request.state == "failed" else "text" if request.is_active else "muted"
            self._draw_text(painter, state, strings.state(request), colour)
        for name, text, colour in (
            ("prompt", strings.prompt(request), "muted"),
            ("speed", strings.speed(request), "text"),
            ("age", strings.age(request), "muted"),
        ):
            if name in rects:
                self._draw_text(painter, rects[name], text, colour)

    def _paint_name(self, painter: QPainter, rect: QRect, request: ToolRequest) -> None:
        kind = f" · {strings.kind(request)}"
        painter.setFont(text_font(13))
        kind_width = painter.fontMetrics().horizontalAdvance(kind)
        painter.setFont(text_font(13, QFont.Weight.DemiBold))
        metrics = painter.fontMetrics()
        room = max(40, rect.width() - kind_width)
        name = metrics.elidedText(request.key, Qt.TextElideMode.ElideRight, room)
        painter.setPen(self._theme.colour("text"))
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignVCenter), isolated(name))
        rest = rect.adjusted(metrics.horizontalAdvance(name), 0, 0, 0)
        self._draw_text(painter, mirrored(rest, rect), kind, "muted")

    def _paint_bar(self, painter: QPainter, rect: QRect, share: float) -> None:
        width = min(110, rect.width() - 8)
        bar = mirrored(QRectF(rect.left(), rect.center().y() - 2.5, width, 6), QRectF(rect))
        whole = QRectF(bar)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("line"))
        painter.drawRoundedRect(bar, 3, 3)
        bar.setWidth(max(6.0, width * min(1.0, share)))
        bar = mirrored(bar, whole)
        painter.setBrush(self._theme.colour("accent"))
        painter.drawRoundedRect(bar, 3, 3)

    def _paint_actions(self, painter: QPainter, box: QRect, request: ToolRequest) -> None:
        for action, rect in action_rects(box, request).items():
            icon = "circle-stop" if action == "stop" else "message-square-plus"
            self._paint_icon(painter, rect, icon, 0.4 if action == "open" and request.body is None else 1.0)
