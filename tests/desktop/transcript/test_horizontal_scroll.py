"""Tests of horizontal scrolling of code that is wider than the page."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from desktop.chat.message_list import MessageList
from desktop.transcript.code_block import CodeBlock
from desktop.transcript.view import TranscriptView
from tests.desktop.transcript.support import message, wheel

WIDE = "```python\n" + "a_long_name = " * 30 + "1\nshort = 2\n```"


def code(view: TranscriptView) -> CodeBlock:
    segment = view.column.item(0).segments[0]
    assert isinstance(segment, CodeBlock)
    return segment


def test_wide_code_scrolls_horizontally_instead_of_wrapping(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(1, WIDE)])
    segment = code(view)
    assert segment.max_offset > 1000
    assert segment.height == 32 + 24 + 40, "two lines"
    at = view.column.corner(0) + QPoint(50, 50)
    wheel(view, at, QPoint(-60, 0), Qt.KeyboardModifier.NoModifier)
    assert segment.offset == 60
    wheel(view, at, QPoint(0, -60), Qt.KeyboardModifier.ShiftModifier)
    assert segment.offset == 120
    wheel(view, at, QPoint(0, -60), Qt.KeyboardModifier.NoModifier)
    assert segment.offset == 120, "that scrolls the page"
    handle = segment.thumb().center().toPoint() + view.column.corner(0)
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=handle)
    QTest.mouseMove(view.viewport(), handle + QPoint(5000, 0))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=handle + QPoint(5000, 0))
    assert segment.offset == segment.max_offset
    assert view.selected_text == ""


def test_narrow_code_has_no_scroll_bar(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(1, "```\nx = 1\n```")])
    assert code(view).max_offset == 0
    assert code(view).thumb().isEmpty()


def test_double_click_in_scrolled_code_selects_the_visible_word(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(1, "```\n" + "".join(f"w{n:03} " for n in range(200)) + "\n```")])
    segment = code(view)
    segment.scroll_to(700)
    (box,) = segment.boxes(110 * 5, 110 * 5 + 4)
    at = view.column.corner(0) + box.center().toPoint()
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert view.selected_text == "w110"


def test_search_scrolls_a_match_in_wide_code_into_view(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(1, "```\n" + "pad " * 100 + "needle\n```")])
    view.open_find()
    assert view.finder.bar is not None
    QTest.keyClicks(view.finder.bar.edit, "needle")
    assert code(view).offset > 0
    start, end = view.column.item(0).matches[0]
    assert code(view).boxes(start.offset, end.offset)[0].right() <= code(view).width
