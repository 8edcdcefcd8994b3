"""Tests of tables and task lists in messages."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from desktop.chat.message_list import MessageList
from desktop.transcript.table_block import TableBlock
from desktop.transcript.view import TranscriptView
from tests.desktop.transcript.support import message, wheel


def rows(n_columns: int, n_rows: int = 3) -> str:
    head = "|" + "".join(f"column {number}|" for number in range(n_columns)) + "\n|" + "--|" * n_columns + "\n"
    return head + ("|" + "".join(f"value {number}|" for number in range(n_columns)) + "\n") * n_rows


def table(view: TranscriptView) -> TableBlock:
    segment = view.column.item(0).segments[0]
    assert isinstance(segment, TableBlock)
    return segment


def test_wide_table_breaks_no_word_and_can_be_scrolled_to_its_last_column(
    view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(1, rows(30))])
    segment = table(view)
    assert segment.max_offset > 500
    text = segment.document.toPlainText()
    for word in ("column", "value"):
        (box,) = segment.boxes(text.index(word), text.index(word) + len(word))
        assert box.width() > 30, "one line for each word"
    last = text.rindex("value 29")
    assert segment.boxes(last, last + 8)[0].right() > segment.width
    wheel(view, view.column.corner(0) + QPoint(50, 50), QPoint(-60, 0), Qt.KeyboardModifier.NoModifier)
    assert segment.offset == 60
    handle = segment.thumb().center().toPoint() + view.column.corner(0)
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=handle)
    QTest.mouseMove(view.viewport(), handle + QPoint(5000, 0))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=handle + QPoint(5000, 0))
    assert segment.offset == segment.max_offset
    assert segment.boxes(last, last + 8)[0].right() <= segment.width


def test_table_that_fits_the_page_does_not_scroll(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(1, "| a | b |\n|--|--|\n| " + "many words " * 30 + " | c |")])
    assert table(view).max_offset == 0
    assert table(view).thumb().isEmpty()
    assert table(view).content_width <= view.column.item(0).width
    view.resize(400, 500)
    assert table(view).content_width <= view.column.item(0).width


def test_search_scrolls_a_match_in_a_wide_table_into_view(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(1, rows(30))])
    view.open_find()
    assert view.finder.bar is not None
    QTest.keyClicks(view.finder.bar.edit, "value 29")
    assert table(view).offset > 0


def test_copied_table_contains_all_cells(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(1, rows(3, 1))])
    item = view.column.item(0)
    assert item.text_between(*item.whole()).split() == [
        "column", "0", "column", "1", "column", "2", "value", "0", "value", "1", "value", "2",
    ]  # fmt: skip


def test_task_list_items_have_a_checkbox_and_no_bullet(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(1, "- [ ] sow\n- [x] dig\n- rest"), message(3, "- sow\n- dig\n- rest")])
    image, plain = view.viewport().grab().toImage(), view.column.corner(1)

    def has_bullet(corner: QPoint, line: int) -> bool:
        area = [(x, y) for x in range(8, 23) for y in range(28 * line, 28 * line + 24)]
        return any(image.pixelColor(corner.x() + x, corner.y() + y).lightness() < 100 for x, y in area)

    assert [has_bullet(view.column.corner(0), line) for line in range(3)] == [False, False, True]
    assert [has_bullet(plain, line) for line in range(3)] == [True, True, True]
