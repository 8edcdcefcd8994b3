"""The page of messages: it lays out little, follows the end only for who is there, and never jumps."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QCoreApplication, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.chat.message_list import MessageList
from desktop.platform.theme import Theme
from desktop.store.records import ChatMessage
from desktop.transcript.row_heights import RowHeights
from desktop.transcript.text_positions import SegmentPosition
from desktop.transcript.view import TranscriptView

LONG = "\n\n".join(f"Paragraph {number} of the answer, `with code` and a few more words." for number in range(12))


def message(number: int, text: str = LONG, state: str = "complete") -> ChatMessage:
    role = "assistant" if number % 2 else "user"
    return ChatMessage(f"m{number}", "c", None, role, text, state, 0.0)  # type: ignore[arg-type]


def tops(view: TranscriptView) -> dict[str, int]:
    return {view.column.message(row).id: view.column.corner(row).y() for row in view.column.visible_rows()}


@given(st.lists(st.integers(1, 500), min_size=1, max_size=40), st.integers(-10, 30_000))
def test_rows_are_found_by_their_heights(heights: list[int], y: int) -> None:
    column = RowHeights()
    column.reset([10] * len(heights))
    for row, height in enumerate(heights):
        column.put(row, height)
    row = column.row_at(y)
    assert column.total == sum(heights)
    assert row in (0, len(heights) - 1) or column.top(row) <= y < column.top(row) + heights[row]


def test_a_long_chat_lays_out_only_what_is_seen(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(number) for number in range(1_000)])
    assert len(view.cache.items) < 20
    assert view.at_end
    assert view.column.visible_rows()[-1] == 999


def test_scrolling_up_into_unknown_heights_moves_what_is_seen_by_the_scroll_alone(
    view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(number, LONG * (1 + number % 3)) for number in range(200)])
    bar = view.verticalScrollBar()
    for step in (40, 200, 90, 400, 15) * 8:
        before, value = tops(view), bar.value()
        bar.setValue(value - step)
        after = tops(view)
        moved = {after[name] - before[name] for name in before.keys() & after.keys()}
        assert moved <= {step}


def test_who_reads_at_the_end_stays_there_while_text_streams(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(0), message(1, "", "streaming")])
    messages.replace(message(1, LONG * 3, "streaming"))
    qtbot.waitUntil(lambda: view.column.heights.total > 1_500)
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()


def test_who_reads_further_up_is_left_in_peace(qtbot: QtBot, view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0), message(1), message(2), message(3, LONG, "streaming")])
    view.verticalScrollBar().setValue(300)
    before, total = tops(view), view.column.heights.total
    messages.replace(message(3, LONG * 4, "streaming"))
    qtbot.waitUntil(lambda: not view.updates.stale)
    view.verticalScrollBar().setValue(view.verticalScrollBar().value())
    assert tops(view) == before
    view.go_to_end()
    assert view.column.heights.total > total
    assert view.at_end


def test_only_the_open_block_of_a_streaming_answer_is_laid_out_anew(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(0, "Go"), message(1, "", "streaming")])
    text = LONG
    messages.replace(message(1, text, "streaming"))
    qtbot.waitUntil(lambda: not view.updates.stale)
    before = [(segment, segment.document.revision()) for segment in view.cache.items["m1"].segments]
    messages.replace(message(1, text + " And more.", "streaming"))
    qtbot.waitUntil(lambda: not view.updates.stale)
    after = [(segment, segment.document.revision()) for segment in view.cache.items["m1"].segments]
    assert after[:-1] == before[:-1]
    assert after[-1] != before[-1]
    assert "And more." in after[-1][0].document.toPlainText()


def test_what_stands_on_the_screen_while_an_answer_grows_is_the_whole_page(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    """Only what changed is drawn anew; nothing old, such as the caret's former place, may stay on the screen."""
    messages.show([message(0, "Go"), message(1, "", "streaming")])
    text = LONG[:300] + "\n\n## A heading\n\n```python\nprint(1)\n```\n\n- one\n- two\n\nThe end."
    for end in range(5, len(text) + 5, 5):
        messages.replace(message(1, text[:end], "streaming"))
        qtbot.waitUntil(lambda: not view.updates.stale)
        QCoreApplication.processEvents()  # the paint that was asked for
        shown = view.screen().grabWindow(view.winId()).toImage()
        assert shown == view.grab().toImage().convertToFormat(shown.format()), text[:end]
    grown = [segment.document.toHtml() for segment in view.cache.items["m1"].segments]
    messages.show([message(0, "Go"), message(1, text)])
    whole = [segment.document.toHtml() for segment in view.cache.items["m1"].segments]
    assert grown == whole  # colours of code and all


def test_a_change_of_width_keeps_the_reader_at_their_place(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(number) for number in range(40)])
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
    row = view.column.row_at(0)
    view.resize(500, 600)
    assert view.column.row_at(0) == row


def test_text_is_selected_and_copied_without_what_is_not_text(view: TranscriptView, messages: MessageList) -> None:
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


def test_a_link_opens_when_it_is_clicked(qtbot: QtBot, view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "Hi"), message(1, "[the almanac](https://example.org/a)")])
    at = view.column.corner(1) + QPoint(20, 16)
    assert view.column.item(1).link_at(QPointF(20, 16)) == "https://example.org/a"
    with qtbot.waitSignal(view.link_activated) as opened:
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert opened.args == [QUrl("https://example.org/a")]


def test_the_buttons_copy(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "Hi"), message(1, "So:\n\n```python\nx = 1\n```")])
    controls = view.cache.controls["m1"]
    controls._code.rows[0][0].click()
    assert QGuiApplication.clipboard().text() == "x = 1"
    controls._named["copy"].click()
    assert QGuiApplication.clipboard().text() == "So:\n\n```python\nx = 1\n```"
    assert {button.accessibleName() for button in controls._all()} == {
        "Copy this code", "Save this code", "Copy the answer", "Answer once more", "Several answers side by side",
        "Edit", "Delete from here on",
    }  # fmt: skip


def test_a_failed_answer_can_be_tried_again(qtbot: QtBot, view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "Hi"), replace(message(1, "", "failed"), note="It went wrong.")])
    retry = view.cache.controls["m1"]._named["retry"]
    with qtbot.waitSignal(view.retry_requested) as asked:
        retry.click()
    assert asked.args == ["m1"]


def test_everything_is_drawn_in_both_schemes(view: TranscriptView, messages: MessageList, theme: Theme) -> None:
    rich = "# H\n\n> q\n\n---\n\n| a |\n|---|\n| b |\n\n```python\nx\n```\n\n- one"
    messages.show([message(0, "Hi"), message(1, rich), message(2, "And?"), message(3, "", "streaming")])
    light = view.grab().toImage()
    theme.choose("dark")
    assert view.grab().toImage() != light
    assert view.cache.items["m1"].position_at(QPointF(0, 0)) == SegmentPosition(0, 0)
