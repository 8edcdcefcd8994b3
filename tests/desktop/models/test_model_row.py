"""Tests of the row of a model: its verdict (whether it fits and is fast enough) and its layout."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QFont, QFontMetrics, QImage, QPainter
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.models import strings
from desktop.models.model_list import ModelRow
from desktop.models.model_row_delegate import WIDE, ModelRowDelegate
from desktop.platform.theme import Theme, text_font
from engine.library.memory_fit import MemoryFit
from engine.status import MemoryEstimate

ACCOUNT = MemoryEstimate(10**9, 10**8, 10**7, 8 * 10**9, 10**7)


def row_of(tokens_per_s: float, verdict: str = "fits") -> ModelRow:
    fit = MemoryFit(verdict, "", ACCOUNT, 4_096, 8_192, tokens_per_s)  # type: ignore[arg-type]
    return ModelRow("/m/a.gguf", "disk", "Llama 3.2 3B Instruct", "Q4_K_M", 2 * 10**9, fit)


def test_verdict_is_named_in_one_or_two_words() -> None:
    names = {verdict: strings.verdict(row_of(5.0, verdict)) for verdict in ("fits", "slow", "tight", "too_big")}
    assert names == {"fits": "Fits", "slow": "Slow", "tight": "Tight", "too_big": "Too big"}


@pytest.mark.parametrize("width", [400, 428, 480, 560, WIDE - 1, WIDE, 700])
def test_name_and_speed_of_model_row_are_not_elided_at_any_width(qtbot: QtBot, theme: Theme, width: int) -> None:
    home = QWidget()
    qtbot.addWidget(home)
    drawn: list[tuple[str, QRect]] = []

    class Rows(ModelRowDelegate):
        def _draw_text(
            self,
            painter: QPainter,
            rect: QRect,
            text: str,
            colour: str,
            pixels: int = 13,
            weight: QFont.Weight = QFont.Weight.Normal,
        ) -> int:
            drawn.append((text, QRect(rect)))
            return super()._draw_text(painter, rect, text, colour, pixels, weight)

    image = QImage(width, 58, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    row = row_of(12.0)
    Rows(theme, home).paint_row(painter, image.rect(), row, is_first=True, has_focus=False)
    painter.end()
    rect = dict(drawn)[row.name]
    needed = QFontMetrics(text_font(14, QFont.Weight.DemiBold)).horizontalAdvance(row.name)
    assert rect.width() >= needed
    speed = dict(drawn)[strings.speed(row.fit)]
    assert speed.width() >= QFontMetrics(text_font(13)).horizontalAdvance(strings.speed(row.fit))
