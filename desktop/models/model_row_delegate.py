"""How a model is drawn: its name, whether it fits, how fast it will be, and what can be done with it."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen

from desktop.models import strings
from desktop.models.model_row import ModelRow
from desktop.platform.bidi import mirrored
from desktop.platform.theme import scaled, text_font
from desktop.widgets.card_row_delegate import CardRowDelegate

Act = Literal["load", "unload", "cancel", "download", "settings"]

PADDING = 10
WIDE = 640
"""Where a row is narrower, its name has the upper line for itself, with verdict and speed below it."""
BUTTON, ICON = 34, 30
SPEED = 92


def columns(row: QRect) -> tuple[QRect, QRect, QRect]:
    """Where name, verdict and speed stand in a row that is wide enough for columns."""
    chip, speed = row.left() + round(0.462 * row.width()), row.left() + round(0.617 * row.width())
    name = QRect(row.left() + PADDING, row.top(), chip - row.left() - PADDING - 12, row.height())
    verdict = QRect(chip, row.top(), speed - chip - 8, row.height())
    return mirrored(name, row), mirrored(verdict, row), mirrored(QRect(speed, row.top(), SPEED + 20, row.height()), row)


def button_of(row: ModelRow, *, pointed: bool) -> tuple[Act, str] | None:
    """What the row's button does, and what stands on it."""
    if row.use == "in_use" and pointed:
        return "unload", strings.unload()
    if row.use == "loading" and pointed:
        return "cancel", strings.cancel_loading()
    if row.can_load:
        return "load", strings.action(row)
    return ("download", strings.action(row)) if row.can_download else None


def actions(box: QRect, row: ModelRow, *, pointed: bool) -> dict[Act, QRect]:
    """What can be clicked in a row."""
    right, top = box.right() - PADDING, box.center().y() - BUTTON // 2
    places: dict[Act, QRect] = {}
    if row.place == "disk":
        places["settings"] = QRect(right - ICON + 5, box.center().y() - ICON // 2 + 1, ICON, ICON)
        right -= ICON + 2
    if (button := button_of(row, pointed=pointed)) is not None:
        width = QFontMetrics(_button_font()).horizontalAdvance(button[1]) + 22
        places[button[0]] = QRect(right - width, top + 1, width, BUTTON)
    return {act: mirrored(place, box) for act, place in places.items()}


def _button_font() -> QFont:
    return text_font(13, QFont.Weight.Medium)


class ModelRowDelegate(CardRowDelegate[ModelRow]):
    height = 58

    def paint_row(self, painter: QPainter, box: QRect, row: ModelRow, *, is_first: bool, has_focus: bool) -> None:
        if not is_first:
            painter.fillRect(QRect(box.left(), box.top(), box.width(), 1), self._theme.colour("line"))
        if has_focus:
            painter.setPen(QPen(self._theme.colour("accent"), 1))
            painter.drawRoundedRect(QRectF(box).adjusted(0.5, 3.5, -0.5, -2.5), 8, 8)
        pointed = has_focus or box.contains(self.pointed)
        if box.width() >= WIDE:
            name, chip, speed = columns(box)
            self._paint_name(painter, name, row)
            self._paint_about(painter, name, row)
            self._paint_chip(painter, chip, row)
            self._paint_speed(painter, speed, row)
        else:
            left = box.left() + PADDING
            name = QRect(left, box.top(), self._end_of_words(painter, box, row, pointed=pointed) - left, box.height())
            name = mirrored(name, box)
            self._paint_name(painter, name, row)
            self._paint_below(painter, name, row)
        self._paint_actions(painter, box, row, pointed=pointed)

    def _paint_name(self, painter: QPainter, place: QRect, row: ModelRow) -> None:
        colour = "muted" if row.fault else "text"
        upper = QRect(place.left(), place.center().y() - scaled(18), place.width(), scaled(20))
        width = self._write(painter, upper, row.name, colour, 14, QFont.Weight.DemiBold)
        if (kind := strings.good_for(row.good_for)) and upper.width() - width > 60:
            self._write(painter, mirrored(upper.adjusted(width + 8, 1, 0, 1), upper), kind, "muted", 12)

    def _paint_about(self, painter: QPainter, place: QRect, row: ModelRow, after: int = 0) -> None:
        """On the lower line, `after` so many pixels."""
        lower = QRect(place.left(), place.center().y(), place.width(), scaled(18))
        self._write(painter, mirrored(lower.adjusted(after, 0, 0, 0), lower), strings.about(row), "muted", 12)

    def _paint_below(self, painter: QPainter, place: QRect, row: ModelRow) -> None:
        """Verdict, speed and what else is known, one after the other on the lower line."""
        lower = QRect(place.left(), place.center().y() + 2, place.width(), scaled(20))
        after = self._paint_chip(painter, lower, row)
        after += 8 if after else 0
        width = self._paint_speed(painter, mirrored(lower.adjusted(after, 0, 0, 0), lower), row)
        self._paint_about(painter, place.translated(0, 3), row, after + (width + 10 if width else 0))

    def _paint_speed(self, painter: QPainter, place: QRect, row: ModelRow) -> int:
        muted = row.fit is None or row.fit.verdict == "too_big"
        return self._write(painter, place, strings.speed(row.fit), "muted" if muted else "text")

    def _end_of_words(self, painter: QPainter, box: QRect, row: ModelRow, *, pointed: bool) -> int:
        """Where the room for words ends in a row that is read from left to right; buttons and their words follow."""
        lefts = [mirrored(place, box).left() for place in actions(box, row, pointed=pointed).values()]
        if button_of(row, pointed=pointed) is None and (text := strings.action(row)):
            painter.setFont(_button_font())
            lefts.append(min([box.right() - PADDING, *lefts]) - 10 - painter.fontMetrics().horizontalAdvance(text))
        return min([box.right() - PADDING, *lefts]) - 10

    def _paint_chip(self, painter: QPainter, place: QRect, row: ModelRow) -> int:
        """How wide it became."""
        text = strings.verdict(row)
        if not text:
            return 0
        verdict = row.fit.verdict if row.fit is not None and not row.fault else "too_big"
        token = {"fits": "accent" if strings.is_slow(row.fit) else "ok", "tight": "accent", "too_big": "muted"}[verdict]
        painter.setFont(text_font(12))
        width = painter.fontMetrics().horizontalAdvance(text) + 18
        pill = QRectF(place.left() + 0.5, place.center().y() - scaled(20) / 2 + 0.5, width, scaled(20))
        pill = mirrored(pill, QRectF(place))
        painter.setPen(QPen(self._theme.colour("line" if verdict == "too_big" else token), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
        painter.setPen(self._theme.colour(token))
        painter.drawText(pill, int(Qt.AlignmentFlag.AlignCenter), text)
        return int(width) + 1

    def _paint_actions(self, painter: QPainter, box: QRect, row: ModelRow, *, pointed: bool) -> None:
        places = actions(box, row, pointed=pointed)
        button = button_of(row, pointed=pointed)
        if button is not None:
            self._paint_button(painter, places[button[0]], button[1])
        elif text := strings.action(row):
            end = box.right() - PADDING - (ICON + 2 if row.place == "disk" else 0) - 10
            place = mirrored(QRect(box.left(), box.top(), end - box.left(), box.height()), box)
            colour = {"in_use": "ok", "loading": "accent"}.get(row.use, "muted")
            painter.setFont(_button_font())
            painter.setPen(self._theme.colour(colour))
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), text)
        if "settings" in places:
            self._paint_icon(painter, places["settings"], "sliders-horizontal")

    def _paint_button(self, painter: QPainter, place: QRect, text: str) -> None:
        over = place.contains(self.pointed)
        painter.setPen(QPen(self._theme.colour("scroll" if over else "line"), 1))
        painter.setBrush(self._theme.colour("bg" if over else "surface"))
        painter.drawRoundedRect(QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.setFont(_button_font())
        painter.setPen(self._theme.colour("text"))
        painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), text)
