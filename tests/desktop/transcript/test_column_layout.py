"""Tests of the vertical layout and scrolling of the transcript: only visible messages are laid out, and visible text
does not jump."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QCoreApplication, QPointF
from pytestqt.qtbot import QtBot

from desktop.chat.message_list import MessageList
from desktop.platform.theme import Theme
from desktop.transcript.row_heights import RowHeights
from desktop.transcript.text_positions import SegmentPosition
from desktop.transcript.view import TranscriptView
from tests.desktop.transcript.support import LONG, message


def tops(view: TranscriptView) -> dict[str, int]:
    return {view.column.message(row).id: view.column.corner(row).y() for row in view.column.visible_rows()}


@given(st.lists(st.integers(1, 500), min_size=1, max_size=40), st.integers(-10, 30_000))
def test_row_found_at_an_offset_agrees_with_the_row_heights_above_it(heights: list[int], y: int) -> None:
    column = RowHeights()
    column.reset([10] * len(heights))
    for row, height in enumerate(heights):
        column.put(row, height)
    row = column.row_at(y)
    assert column.total == sum(heights)
    assert row in (0, len(heights) - 1) or column.top(row) <= y < column.top(row) + heights[row]


def test_long_chat_lays_out_only_visible_messages(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(number) for number in range(1_000)])
    assert len(view.cache.items) < 20
    assert view.at_end
    assert view.column.visible_rows()[-1] == 999


def test_visible_rows_move_exactly_by_the_scrolled_distance(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(number, LONG * (1 + number % 3)) for number in range(200)])
    bar = view.verticalScrollBar()
    for step in (40, 200, 90, 400, 15) * 8:
        before, value = tops(view), bar.value()
        bar.setValue(value - step)
        after = tops(view)
        moved = {after[name] - before[name] for name in before.keys() & after.keys()}
        assert moved <= {step}


def test_transcript_scrolled_to_its_end_follows_streaming_text(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(0), message(1, "", "streaming")])
    messages.replace(message(1, LONG * 3, "streaming"))
    qtbot.waitUntil(lambda: view.column.heights.total > 1_500)
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()


def test_transcript_scrolled_above_its_end_does_not_move_while_text_streams(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
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


def test_streaming_lays_out_only_the_last_block_again(
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


def test_partial_repaints_while_streaming_equal_a_full_repaint(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    """No outdated pixels, such as the caret at an earlier position, may remain on the screen."""
    messages.show([message(0, "Go"), message(1, "", "streaming")])
    text = LONG[:300] + "\n\n## A heading\n\n```python\nprint(1)\n```\n\n- one\n- two\n\nThe end."
    for end in range(5, len(text) + 5, 5):
        messages.replace(message(1, text[:end], "streaming"))
        qtbot.waitUntil(lambda: not view.updates.stale)
        QCoreApplication.processEvents()  # this call performs the requested repaint
        shown = view.screen().grabWindow(view.winId()).toImage()
        assert shown == view.grab().toImage().convertToFormat(shown.format()), text[:end]
    grown = [segment.document.toHtml() for segment in view.cache.items["m1"].segments]
    messages.show([message(0, "Go"), message(1, text)])
    whole = [segment.document.toHtml() for segment in view.cache.items["m1"].segments]
    assert grown == whole  # the HTML is the same, including the colours of code


def test_top_row_stays_in_place_when_the_width_changes(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(number) for number in range(40)])
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
    row = view.column.row_at(0)
    view.resize(500, 600)
    assert view.column.row_at(0) == row


def test_change_to_dark_scheme_repaints_all_block_kinds(
    view: TranscriptView, messages: MessageList, theme: Theme
) -> None:
    rich = "# H\n\n> q\n\n---\n\n| a |\n|---|\n| b |\n\n```python\nx\n```\n\n- one"
    messages.show([message(0, "Hi"), message(1, rich), message(2, "And?"), message(3, "", "streaming")])
    light = view.grab().toImage()
    theme.choose("dark")
    assert view.grab().toImage() != light
    assert view.cache.items["m1"].position_at(QPointF(0, 0)) == SegmentPosition(0, 0)


def test_switching_to_another_version_keeps_the_scroll_position(view: TranscriptView, messages: MessageList) -> None:
    rows = [message(number) for number in range(12)]
    messages.show(rows)
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 3)
    row = view.column.row_at(0)
    top = view.column.corner(row).y()
    messages.show([*rows[:10], message(99, "Another version.")])
    assert view.column.corner(row).y() == top
