"""Lays out and paints the row of a model: name, verdict (whether it fits into memory), speed and buttons."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen

from desktop.models import strings
from desktop.models.model_list import ModelRow
from desktop.platform.bidi import mirrored
from desktop.platform.theme import scaled, text_font
from desktop.widgets.card_row_delegate import CardRowDelegate

RowAction = Literal["load", "unload", "cancel", "download", "settings"]

PADDING = 10
WIDE = 640
"""Width in pixels. A wider row has columns. In a narrower one, verdict, speed and abilities are on a second line
below the name, and the details on a third line, below the button."""
BUTTON_HEIGHT, ICON_SIZE = 34, 30
SPEED_WIDTH = 92


def columns(row: QRect) -> tuple[QRect, QRect, QRect]:
    """Rectangles of the columns name, verdict and speed in a row that is at least `WIDE` pixels wide."""
    chip, speed = row.left() + round(0.462 * row.width()), row.left() + round(0.617 * row.width())
    name = QRect(row.left() + PADDING, row.top(), chip - row.left() - PADDING - 12, row.height())
    verdict = QRect(chip, row.top(), speed - chip - 8, row.height())
    return (
        mirrored(name, row),
        mirrored(verdict, row),
        mirrored(QRect(speed, row.top(), SPEED_WIDTH + 20, row.height()), row),
    )


def upper_part(row: QRect) -> QRect:
    """The part of a row that holds the buttons: the whole row if it has columns, otherwise the part above the third
    line."""
    return row if row.width() >= WIDE else QRect(row.left(), row.top(), row.width(), scaled(ModelRowDelegate.height))


def button_of(row: ModelRow, *, hovered: bool) -> tuple[RowAction, str] | None:
    """What the button of the row does, and its label; None if the row has no button. `hovered` is true if the mouse is
    over the row or the row has the focus."""
    if row.use == "in_use" and hovered:
        return "unload", strings.unload_label()
    if row.use == "loading" and hovered:
        return "cancel", strings.cancel_loading_label()
    if row.can_load:
        return "load", strings.button_label(row)
    return ("download", strings.button_label(row)) if row.can_download else None


def action_rects(box: QRect, row: ModelRow, *, hovered: bool) -> dict[RowAction, QRect]:
    """Maps the action of each button in the row to the rectangle of the button."""
    box = upper_part(box)
    right, top = box.right() - PADDING, box.center().y() - BUTTON_HEIGHT // 2
    rects: dict[RowAction, QRect] = {}
    if row.place == "disk":
        rects["settings"] = QRect(right - ICON_SIZE + 5, box.center().y() - ICON_SIZE // 2 + 1, ICON_SIZE, ICON_SIZE)
        right -= ICON_SIZE + 2
    if (button := button_of(row, hovered=hovered)) is not None:
        width = QFontMetrics(_button_font()).horizontalAdvance(button[1]) + 22
        rects[button[0]] = QRect(right - width, top + 1, width, BUTTON_HEIGHT)
    return {action: mirrored(rect, box) for action, rect in rects.items()}


def _button_font() -> QFont:
    return text_font(13, QFont.Weight.Medium)


class ModelRowDelegate(CardRowDelegate[ModelRow]):
    height, narrow_height = 58, 82

    @property
    def row_height(self) -> int:
        return scaled(self.height if self.width >= WIDE else self.narrow_height)

    def paint_row(self, painter: QPainter, box: QRect, row: ModelRow, *, is_first: bool, has_focus: bool) -> None:
        if not is_first:
            painter.fillRect(QRect(box.left(), box.top(), box.width(), 1), self._theme.colour("line"))
        if has_focus:
            painter.setPen(QPen(self._theme.colour("accent"), 1))
            painter.drawRoundedRect(QRectF(box).adjusted(0.5, 3.5, -0.5, -2.5), 8, 8)
        hovered = has_focus or box.contains(self.mouse_pos)
        if box.width() >= WIDE:
            name, chip, speed = columns(box)
            self._paint_name(painter, name, row)
            self._paint_details(painter, name, row)
            self._paint_chip(painter, chip, row)
            self._paint_speed(painter, speed, row)
        else:
            upper = upper_part(box)
            left = box.left() + PADDING
            name = QRect(left, box.top(), self._text_end(painter, upper, row, hovered=hovered) - left, upper.height())
            name = mirrored(name, box)
            self._paint_name(painter, name, row)
            self._paint_below(painter, name, row)
            lowest = box.adjusted(PADDING, upper.height() - scaled(4), -PADDING, -scaled(6))
            self._draw_text(painter, lowest, strings.details(row, with_abilities=False), "muted", 12)
        self._paint_actions(painter, upper_part(box), row, hovered=hovered)

    def _paint_name(self, painter: QPainter, rect: QRect, row: ModelRow) -> None:
        colour = "muted" if row.fault else "text"
        upper = QRect(rect.left(), rect.center().y() - scaled(18), rect.width(), scaled(20))
        width = self._draw_text(painter, upper, row.name, colour, 14, QFont.Weight.DemiBold)
        notes = [(strings.best_mark(), "ok")] if row.is_best else []
        for note, token in (*notes, (strings.good_for(row.good_for), "muted")):
            if note and upper.width() - width > 60:
                left = mirrored(upper.adjusted(width + 8, 1, 0, 1), upper)
                width += 8 + self._draw_text(painter, left, note, token, 12)

    def _paint_details(self, painter: QPainter, rect: QRect, row: ModelRow) -> None:
        """Paint the details of the model on the second line."""
        lower = QRect(rect.left(), rect.center().y(), rect.width(), scaled(18))
        self._draw_text(painter, lower, strings.details(row), "muted", 12)

    def _paint_below(self, painter: QPainter, rect: QRect, row: ModelRow) -> None:
        """Paint verdict, speed and abilities on the second line, below the name."""
        lower = QRect(rect.left(), rect.center().y() + 2, rect.width(), scaled(20))
        indent = self._paint_chip(painter, lower, row)
        indent += 8 if indent else 0
        width = self._paint_speed(painter, mirrored(lower.adjusted(indent, 0, 0, 0), lower), row)
        indent += width + 10 if width else 0
        self._draw_text(painter, mirrored(lower.adjusted(indent, 0, 0, 0), lower), strings.abilities(row), "muted", 12)

    def _paint_speed(self, painter: QPainter, rect: QRect, row: ModelRow) -> int:
        muted = row.fit is None or row.fit.verdict == "too_big"
        return self._draw_text(painter, rect, strings.speed(row.fit), "muted" if muted else "text")

    def _text_end(self, painter: QPainter, box: QRect, row: ModelRow, *, hovered: bool) -> int:
        """Right end of the space for text in a left-to-right row. The buttons are to the right of it."""
        lefts = [mirrored(rect, box).left() for rect in action_rects(box, row, hovered=hovered).values()]
        if button_of(row, hovered=hovered) is None and (text := strings.button_label(row)):
            painter.setFont(_button_font())
            lefts.append(min([box.right() - PADDING, *lefts]) - 10 - painter.fontMetrics().horizontalAdvance(text))
        return min([box.right() - PADDING, *lefts]) - 10

    def _paint_chip(self, painter: QPainter, rect: QRect, row: ModelRow) -> int:
        """Paint the verdict in a rounded frame, and return the width of the frame."""
        text = strings.verdict(row)
        if not text:
            return 0
        verdict = row.fit.verdict if row.fit is not None and not row.fault else "too_big"
        token = {"fits": "ok", "slow": "accent", "tight": "accent", "too_big": "muted"}[verdict]
        painter.setFont(text_font(12))
        width = painter.fontMetrics().horizontalAdvance(text) + 18
        pill = QRectF(rect.left() + 0.5, rect.center().y() - scaled(20) / 2 + 0.5, width, scaled(20))
        pill = mirrored(pill, QRectF(rect))
        painter.setPen(QPen(self._theme.colour("line" if verdict == "too_big" else token), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
        painter.setPen(self._theme.colour(token))
        painter.drawText(pill, int(Qt.AlignmentFlag.AlignCenter), text)
        return int(width) + 1

    def _paint_actions(self, painter: QPainter, box: QRect, row: ModelRow, *, hovered: bool) -> None:
        rects = action_rects(box, row, hovered=hovered)
        button = button_of(row, hovered=hovered)
        if button is not None:
            self._paint_button(painter, rects[button[0]], button[1])
        elif text := strings.button_label(row):
            end = box.right() - PADDING - (ICON_SIZE + 2 if row.place == "disk" else 0) - 10
            rect = mirrored(QRect(box.left(), box.top(), end - box.left(), box.height()), box)
            colour = {"in_use": "ok", "loading": "accent"}.get(row.use, "muted")
            painter.setFont(_button_font())
            painter.setPen(self._theme.colour(colour))
            painter.drawText(rect, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), text)
        if "settings" in rects:
            self._paint_icon(painter, rects["settings"], "sliders-horizontal")

    def _paint_button(self, painter: QPainter, rect: QRect, text: str) -> None:
        over = rect.contains(self.mouse_pos)
        painter.setPen(QPen(self._theme.colour("scroll" if over else "line"), 1))
        painter.setBrush(self._theme.colour("bg" if over else "surface"))
        painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.setFont(_button_font())
        painter.setPen(self._theme.colour("text"))
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), text)
