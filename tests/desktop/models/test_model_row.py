"""Tests of the row of a model: its verdict (whether it fits and is fast enough) and its layout."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QFont, QFontMetrics, QImage, QPainter
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.models import strings
from desktop.models.model_list import ModelRow
from desktop.models.model_row_delegate import WIDE, ModelRowDelegate, action_rects
from desktop.platform.language import LanguageChoice, install_translators
from desktop.platform.theme import Theme, text_font
from engine.library.catalogue import catalogue
from engine.library.memory_fit import MemoryFit
from engine.status import MemoryEstimate

ACCOUNT = MemoryEstimate(10**9, 10**8, 10**7, 8 * 10**9, 10**7)


def row_of(tokens_per_s: float, verdict: str = "fits") -> ModelRow:
    fit = MemoryFit(verdict, "", ACCOUNT, 4_096, 8_192, tokens_per_s)  # type: ignore[arg-type]
    return ModelRow("/m/a.gguf", "disk", "Llama 3.2 3B Instruct", "Q4_K_M", 2 * 10**9, fit)


def test_verdict_is_named_in_one_or_two_words() -> None:
    names = {verdict: strings.verdict(row_of(5.0, verdict)) for verdict in ("fits", "slow", "tight", "too_big")}
    assert names == {"fits": "Fits", "slow": "Slow", "tight": "Tight", "too_big": "Too big"}


def drawn_texts(theme: Theme, home: QWidget, row: ModelRow, width: int) -> dict[str, QRect]:
    """The texts that are drawn for a row, each with the space for it."""
    drawn: dict[str, QRect] = {}

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
            drawn[text] = QRect(rect)
            return super()._draw_text(painter, rect, text, colour, pixels, weight)

    rows = Rows(theme, home)
    rows.width = width
    image = QImage(width, rows.row_height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    rows.paint_row(painter, image.rect(), row, is_first=True, has_focus=False)
    painter.end()
    assert all(image.rect().contains(rect) for rect in drawn.values())
    return drawn


@pytest.mark.parametrize("width", [400, 428, 480, 560, WIDE - 1, WIDE, 700])
def test_name_and_speed_of_model_row_are_not_elided_at_any_width(qtbot: QtBot, theme: Theme, width: int) -> None:
    home = QWidget()
    qtbot.addWidget(home)
    row = row_of(12.0)
    drawn = drawn_texts(theme, home, row, width)
    needed = QFontMetrics(text_font(14, QFont.Weight.DemiBold)).horizontalAdvance(row.name)
    assert drawn[row.name].width() >= needed
    speed = drawn[strings.speed(row.fit)]
    assert speed.width() >= QFontMetrics(text_font(13)).horizontalAdvance(strings.speed(row.fit))


@pytest.mark.parametrize("language", ["en", "de"])
def test_licence_and_abilities_are_not_cut_off_in_a_window_of_600_pixels(
    qtbot: QtBot, qapp: QApplication, theme: Theme, language: LanguageChoice
) -> None:
    home = QWidget()
    qtbot.addWidget(home)
    install_translators(qapp, language)
    try:
        for entry in catalogue():
            row = replace(row_of(1.2, "tight"), place="catalogue", licence=entry.licence, abilities=entry.abilities)
            row = replace(row, size_bytes=entry.size_bytes, is_size_exact=False)
            details = strings.details(row, with_abilities=False)
            assert details.endswith(strings.licence(entry.licence))
            drawn = drawn_texts(theme, home, row, 498)
            for text in (details, strings.abilities(row)):
                assert drawn[text].width() >= QFontMetrics(text_font(12)).horizontalAdvance(text), text
    finally:
        install_translators(qapp, "en")


def test_buttons_of_a_narrow_row_are_above_its_third_line() -> None:
    row = replace(row_of(12.0), place="catalogue")
    for width, height in ((498, ModelRowDelegate.narrow_height), (700, ModelRowDelegate.height)):
        for rect in action_rects(QRect(0, 0, width, height), row, hovered=True).values():
            assert rect.bottom() < ModelRowDelegate.height
