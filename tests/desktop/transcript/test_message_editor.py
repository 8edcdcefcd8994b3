"""Tests of editing a message in its place in the transcript: keys, size and position of the editor."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit
from pytestqt.qtbot import QtBot

from desktop.chat.message_list import MessageList
from desktop.store.records import Attachment
from desktop.transcript.view import TranscriptView
from tests.desktop.transcript.support import button, message

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def test_user_message_is_edited_in_place_and_saved_by_enter(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(0, "How are yuo?"), message(1, "Well.")])
    button(view, "m0", "edit").click()
    editor = view.editing.editor
    assert editor is not None
    assert editor.edit.toPlainText() == "How are yuo?"
    assert view.column.corner(1).y() >= editor.geometry().bottom()
    QTest.keyClick(editor.edit, Qt.Key.Key_Return, SHIFT)
    assert editor.edit.toPlainText() == "How are yuo?\n"
    editor.edit.setPlainText("How are you?")
    with qtbot.waitSignal(view.edited) as edited:
        QTest.keyClick(editor.edit, Qt.Key.Key_Return)
    assert edited.args == ["m0", "How are you?"]
    assert view.editing.editor is None


def test_editing_an_answer_is_saved_by_control_enter_and_cancelled_by_escape(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(0, "Hi"), message(1, "Wel.")])
    with qtbot.assertNotEmitted(view.edited):
        QTest.keyClick(editing(view, "m1"), Qt.Key.Key_Escape)
    assert view.editing.editor is None
    edit = editing(view, "m1")
    edit.setPlainText("Well.")
    with qtbot.waitSignal(view.edited) as edited:
        QTest.keyClick(edit, Qt.Key.Key_Return, CONTROL)
    assert edited.args == ["m1", "Well."]


def test_editing_a_long_message_scrolls_the_editor_into_view(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "line of code\n" * 200), message(1, "Hello")])
    view.go_to_end()
    assert view.column.corner(0).y() < -1_000
    button(view, "m0", "edit").click()
    editor = view.editing.editor
    assert editor is not None
    assert view.viewport().rect().contains(editor.geometry())
    assert view.column.corner(1).y() >= editor.geometry().bottom()


def test_message_under_the_editor_is_not_painted(view: TranscriptView, messages: MessageList) -> None:
    files = tuple(Attachment(f"notes {n}.txt", "text", "words", 5) for n in range(4))
    messages.show([replace(message(0, "What is in these?"), attachments=files), message(1, "Hello")])
    view.edit("m0")
    editor = view.editing.editor
    assert editor is not None
    assert 0 <= view.column.corner(1).y() - editor.geometry().bottom() < 60
    assert view.column.is_covered(0)
    assert all(each.isHidden() for each in view.cache.controls["m0"]._named.values())
    QTest.keyClick(editor.edit, Qt.Key.Key_Escape)
    assert not view.column.is_covered(0)
    assert not button(view, "m0", "edit").isHidden()


def test_editor_grows_with_its_text(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "Hi"), message(1, "Hello")])
    edit = editing(view, "m0")
    before = edit.height()
    for _ in range(5):
        QTest.keyClick(edit, Qt.Key.Key_Return, SHIFT)
    assert edit.height() > before
    assert view.editing.editor is not None
    assert view.column.corner(1).y() >= view.editing.editor.geometry().bottom()


def editing(view: TranscriptView, message_id: str) -> QPlainTextEdit:
    view.edit(message_id)
    assert view.editing.editor is not None
    return view.editing.editor.edit
