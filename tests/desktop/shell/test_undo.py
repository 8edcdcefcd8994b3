"""Tests of undo: one stack for deleted chats, messages, folders and presets, and its shortcut."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, titles, type_and_send
from tests.fakes import Script

SCRIPT = Script(answer=b"Well.")


def undo(gui: Gui) -> None:
    """Focuses the composer and presses the undo shortcut, as a user would."""
    edit = gui.window.chat_page.composer._edit
    edit.setFocus()
    QTest.keyClick(edit, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)


async def talk(gui: Gui, *questions: str) -> None:
    await until(lambda: gui.ready)
    for question in questions:
        type_and_send(gui, question)
        await answered(gui)


def test_undo_shortcut_restores_newest_deletion_first_after_toast_is_hidden(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(SCRIPT) as gui:
            await talk(gui, "First", "Second")
            gui.window.chat_page.composer.clear()
            gui.transcript.delete_requested.emit(gui.rows[2].id)
            assert len(gui.rows) == 2
            assert gui.window.toast.text == "2 messages are deleted."
            gui.chats.requests.delete_requested.emit((gui.rows[0].chat_id,))
            assert titles(gui) == []
            gui.window.toast.hide()
            undo(gui)
            assert titles(gui) == ["Today", "First"]
            QTest.mouseClick(
                gui.chats.viewport(),
                Qt.MouseButton.LeftButton,
                pos=gui.chats.visualRect(gui.chats.model().index(1, 0)).center(),
            )
            await until(lambda: len(gui.rows) == 2)
            undo(gui)
            await until(lambda: len(gui.rows) == 4)
            undo(gui)
            assert len(gui.rows) == 4, "there is nothing more to undo"

    run(story())


def test_deletion_undone_by_toast_is_not_undone_again_by_shortcut(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(SCRIPT) as gui:
            await talk(gui, "First")
            gui.transcript.delete_requested.emit(gui.rows[0].id)
            gui.window.toast._action.click()
            assert len(gui.rows) == 2
            assert gui.window.undo_stack.is_empty

    run(story())


def test_two_deletions_in_quick_succession_are_undone_by_one_undo(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(SCRIPT) as gui:
            await talk(gui, "First", "Second")
            gui.transcript.delete_requested.emit(gui.rows[2].id)
            gui.transcript.delete_requested.emit(gui.rows[0].id)
            assert gui.window.toast.text == "4 messages are deleted."
            gui.window.chat_page.composer.clear()
            undo(gui)
            assert len(gui.rows) == 4
            assert gui.window.undo_stack.is_empty

    run(story())


def test_undo_shortcut_undoes_typed_text_first_and_deletions_afterwards(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(SCRIPT) as gui:
            await talk(gui, "First")
            gui.transcript.delete_requested.emit(gui.rows[0].id)
            QTest.keyClicks(gui.window.chat_page.composer._edit, "oops")
            undo(gui)
            assert gui.window.chat_page.composer.text == ""
            assert not gui.rows
            undo(gui)
            assert len(gui.rows) == 2

    run(story())


def test_tooltip_of_delete_button_counts_messages_on_all_branches(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(SCRIPT) as gui:
            await talk(gui, "First", "Second")
            gui.transcript.retry_requested.emit(gui.rows[1].id)
            await answered(gui)
            button = gui.transcript.cache.controls[gui.rows[0].id]._named["delete"]
            QApplication.sendEvent(button, QFocusEvent(QEvent.Type.FocusIn))
            assert button.toolTip() == "Delete from here on: 5 messages"
            assert button.accessibleDescription() == button.toolTip()
            button.click()
            assert gui.window.toast.text == "5 messages are deleted."

    run(story())
