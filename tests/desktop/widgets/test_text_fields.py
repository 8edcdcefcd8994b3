"""Tests of text fields: long lines, and text that is composed by an input method."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QInputMethodEvent, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from desktop.chat.composer.message_edit import MessageEdit
from desktop.store.records import ChatMessage
from desktop.transcript.message_editor import MessageEditor
from desktop.widgets.long_text_edit import MAX_LINE, LongTextEdit, with_soft_breaks, without_soft_breaks
from desktop.widgets.text_composition import CompositionGuard
from tests.desktop.conftest import OpenGui, Run

LONG_LINES = {
    "letters": "a" * 200_000,
    "hexadecimal": "0123456789abcdef" * 12_500,
    "han": "漢" * 200_000,
    "words": "word and so on " * 14_000,
}


def compose(field: QWidget, preedit: str) -> None:
    QApplication.sendEvent(field, QInputMethodEvent(preedit, []))


@pytest.mark.parametrize("text", LONG_LINES.values(), ids=LONG_LINES)
def test_long_line_is_pasted_unchanged_within_a_second(qtbot: QtBot, text: str) -> None:
    page, mime = QWidget(), QMimeData()
    qtbot.addWidget(page)
    edit = MessageEdit(page)
    edit.resize(600, 100)
    page.show()
    mime.setText(text)
    began = time.process_time()
    edit.insertFromMimeData(mime)
    QApplication.processEvents()
    QTest.keyClick(edit, Qt.Key.Key_Z)
    QApplication.processEvents()
    # Without soft breaks, this takes 8 s or more for 200,000 characters. The limit allows for a busy machine.
    assert time.process_time() - began < 1
    assert edit.toPlainText() == text + "z"


def test_text_after_copy_undo_or_redo_contains_no_soft_breaks(qtbot: QtBot) -> None:
    edit = LongTextEdit()
    qtbot.addWidget(edit)
    text = "one two " * MAX_LINE + "\nlast line"
    edit.insertPlainText(text)
    assert edit.document().blockCount() > 2
    edit.selectAll()
    assert edit.createMimeDataFromSelection().text() == text
    edit.undo()
    assert edit.toPlainText() == ""
    edit.redo()
    assert edit.toPlainText() == text
    edit.setPlainText("short")
    assert edit.toPlainText() == "short"


LINES = st.text(alphabet=st.sampled_from("ab \u2060漢😀"), max_size=9).map(lambda each: each * 997)


@given(st.lists(LINES, max_size=3))
def test_adding_and_removing_soft_breaks_does_not_change_the_text(lines: list[str]) -> None:
    text = "\n".join(lines)
    broken = with_soft_breaks(text)
    assert max(map(len, broken.split("\n"))) <= MAX_LINE + 1
    if "\u2060\n" not in text:
        assert without_soft_breaks(broken) == text
    assert without_soft_breaks(broken).replace("\u2060", "") == text.replace("\u2060", "")


def test_message_of_one_long_line_is_edited_within_a_second(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    page.show()
    began = time.process_time()
    editor = MessageEditor(ChatMessage("m", "c", None, "user", "a" * 200_000, "complete", 1.0), 500, page)
    editor.show()
    QTest.keyClick(editor.edit, Qt.Key.Key_Z)
    QApplication.processEvents()
    assert time.process_time() - began < 1
    assert editor.edit.toPlainText() == "a" * 200_000 + "z"


def test_enter_during_composition_does_not_send_the_message(qtbot: QtBot) -> None:
    page, sent = QWidget(), list[str]()
    qtbot.addWidget(page)
    edit = MessageEdit(page)
    edit.submitted.connect(lambda: sent.append(edit.toPlainText()))
    page.show()
    compose(edit, "にほん")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert sent == []
    commit = QInputMethodEvent("", [])
    commit.setCommitString("日本")
    QApplication.sendEvent(edit, commit)
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert sent == ["日本"]


def test_enter_and_escape_reach_no_field_while_an_input_method_composes_text(run: Run, open_gui: OpenGui) -> None:
    """Checks every line edit of the window, and every text edit in which Enter has an effect."""

    async def story() -> None:
        async with open_gui() as gui:
            fields: list[QWidget] = [
                *gui.window.findChildren(QLineEdit),
                *gui.window.findChildren(MessageEdit),
            ]
            acting = [each for each in fields if not _is_plain_number(each)]
            assert len(acting) > 3
            for field in acting:
                guard = field.findChild(CompositionGuard)
                assert guard is not None, (type(field), field.objectName())
                compose(field, "ni")
                for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
                    event = QKeyEvent(QKeyEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)
                    assert guard.eventFilter(field, event)
                compose(field, "")

    run(story())


def _is_plain_number(field: QWidget) -> bool:
    """Whether a field takes no composed text: number and shortcut fields, and read-only fields."""
    read_only = isinstance(field, QLineEdit | QPlainTextEdit) and field.isReadOnly()
    return read_only or field.objectName() in ("settingValue", "qt_spinbox_lineedit", "qt_keysequenceedit_lineedit")
