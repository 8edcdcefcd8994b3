"""Tests of selecting and copying the text of messages."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from desktop.chat.message_list import MessageList
from desktop.transcript.view import TranscriptView
from tests.desktop.transcript.support import centre_of, message

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def test_selection_over_several_messages_is_copied_as_text_or_markdown(
    view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(0, "The question"), message(1, "An **answer** here"), message(2, "And more")])
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=centre_of(view, 0, "question"))
    view.selection.drag_to(centre_of(view, 2, "more"))
    assert view.selected_text.split("\n\n")[1] == "An answer here"
    assert view.selected_markdown.split("\n\n")[1] == "An **answer** here"
    assert "question".endswith(view.selected_text.split("\n\n")[0])
    QTest.keyClick(view, Qt.Key.Key_C, CONTROL | SHIFT)
    assert "**answer**" in QGuiApplication.clipboard().text()
    view.grab()


def test_first_select_all_selects_the_last_message_and_second_one_the_whole_chat(
    view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(0, "The question"), message(1, "An answer")])
    QTest.keyClick(view, Qt.Key.Key_A, CONTROL)
    assert view.selected_text == "An answer"
    QTest.keyClick(view, Qt.Key.Key_A, CONTROL)
    assert view.selected_text == "The question\n\nAn answer"


def test_copied_selection_contains_no_markup(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "Hi"), message(1, "One `two` three\n\n```python\nx = 1\n```\n\nfour")])
    row = view.column.row_at(400) if view.column.row_at(400) == 1 else 1
    item = view.column.item(row)
    assert item.text_between(*item.whole()) == "One two three\n\nx = 1\n\nfour"
    start = view.column.corner(row) + QPoint(1, 16)
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(view.viewport(), start + QPoint(300, 0))
    view.selection.drag_to(start + QPoint(300, 0))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=start + QPoint(300, 0))
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "One two three"
    QTest.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert view.selected_text.endswith("four")
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    assert view.selected_text == "One"
