"""Tests of the search in the open chat: highlighting and counting matches, and stepping through them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.chat.message_list import MessageList
from desktop.transcript.text_positions import SegmentPosition
from desktop.transcript.view import TranscriptView
from tests.desktop.transcript.support import LONG, message

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def test_search_counts_and_highlights_matches_and_steps_through_them(
    view: TranscriptView, messages: MessageList
) -> None:
    rows = [message(number, f"Needle {number} and NEEDLE. " + LONG) for number in range(30)]
    messages.show(rows)
    view.open_find()
    bar = view.finder.bar
    assert bar is not None
    QTest.keyClicks(bar.edit, "needle")
    assert bar._count.text().endswith("of 60")
    bar.edit.setText("needle 7")
    assert bar._count.text() == "1 of 1"
    row = view.column.row_of("m7")
    assert row in view.column.visible_rows()
    assert view.selected_text == "Needle 7"
    assert view.cache.items["m7"].matches == [(SegmentPosition(0, 0), SegmentPosition(0, 8))]
    bar.edit.setText("needle")
    first = bar._count.text()
    QTest.keyClick(bar.edit, Qt.Key.Key_Return)
    assert bar._count.text() != first
    QTest.keyClick(bar.edit, Qt.Key.Key_Return, SHIFT)
    assert bar._count.text() == first
    bar.edit.setText("no such word")
    assert bar._count.text() == "nothing"
    QTest.keyClick(bar.edit, Qt.Key.Key_Escape)
    assert not bar.isVisible()
    assert all(not item.matches for item in view.cache.items.values())
