"""Tests that unfinished edits of messages are kept until the user saves or cancels them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit

from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, click_chat, titles, type_and_send
from tests.fakes import Script

SCRIPT = Script(answer=b"Well.")


def press(gui: Gui, key: Qt.Key) -> None:
    edit = editor(gui)
    assert edit is not None
    QTest.keyClick(edit, key)


def editor(gui: Gui) -> QPlainTextEdit | None:
    found = gui.transcript.editing.editor
    return found.edit if found is not None else None


def text(gui: Gui) -> str:
    edit = editor(gui)
    return edit.toPlainText() if edit is not None else ""


async def begin(gui: Gui, row: int = 0) -> None:
    type_and_send(gui, "First question")
    await answered(gui)
    gui.transcript.edit(gui.rows[row].id)
    edit = editor(gui)
    assert edit is not None
    QTest.keyClicks(edit, " and more")


def test_unfinished_edit_is_shown_when_its_chat_is_opened_again(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(SCRIPT) as gui:
            await until(lambda: gui.ready)
            await begin(gui)
            gui.window.sidebar.new_chat_requested.emit()
            assert editor(gui) is None
            type_and_send(gui, "Another")
            await answered(gui)
            click_chat(gui, "First question")
            await until(lambda: editor(gui))
            assert text(gui) == "First question and more"
            assert gui.window.focusWidget() is not editor(gui), "opening a chat does not move the focus to the editor"
            press(gui, Qt.Key.Key_Return)
            await until(lambda: gui.rows and gui.rows[0].text == "First question and more")
            await answered(gui)
            gui.window.sidebar.new_chat_requested.emit()
            click_chat(gui, "First question")
            await until(lambda: len(gui.rows) == 2)
            assert editor(gui) is None, "the edit was saved"

    run(story())


def test_old_version_of_message_shows_no_editor_after_edit_was_saved(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(SCRIPT) as gui:
            await until(lambda: gui.ready)
            await begin(gui)
            press(gui, Qt.Key.Key_Return)
            await until(lambda: gui.rows and gui.rows[0].text == "First question and more")
            await answered(gui)
            gui.transcript.version_requested.emit(gui.rows[0].id, -1)
            await until(lambda: gui.rows and gui.rows[0].text == "First question")
            assert editor(gui) is None, "the edit was saved"

    run(story())


def test_unfinished_edit_of_answer_is_restored_after_restart(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(SCRIPT) as gui:
            await until(lambda: gui.ready)
            await begin(gui, row=1)
        async with open_gui(SCRIPT) as gui:
            await until(lambda: len(titles(gui)) == 2)
            click_chat(gui, "First question")
            await until(lambda: text(gui) == "Well. and more")
            press(gui, Qt.Key.Key_Escape)
        async with open_gui(SCRIPT) as gui:
            await until(lambda: len(titles(gui)) == 2)
            click_chat(gui, "First question")
            await until(lambda: len(gui.rows) == 2)
            assert editor(gui) is None, "the edit was cancelled"

    run(story())


def test_editing_second_message_keeps_unfinished_edit_of_first(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(SCRIPT) as gui:
            await until(lambda: gui.ready)
            await begin(gui)
            gui.transcript.edit(gui.rows[1].id)
            assert text(gui) == "Well."
            gui.transcript.edit(gui.rows[0].id)
            assert text(gui) == "First question and more"

    run(story())
