"""Tests of the whole window with a real engine and a fake model."""

from __future__ import annotations

import asyncio
import socket

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QLineEdit, QPlainTextEdit

from desktop.platform.bidi import isolated
from desktop.settings.settings_file import SettingsFile
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.fakes import Script

ENDLESS = Script(answer=None, step_s=0.005)


def type_and_send(gui: Gui, text: str) -> None:
    edit = gui.window.chat_page.composer._edit
    edit.setFocus()
    QTest.keyClicks(edit, text)
    QTest.keyClick(edit, Qt.Key.Key_Return)


def titles(gui: Gui) -> list[str]:
    model = gui.chats.model()
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def click_chat(gui: Gui, title: str) -> None:
    index = gui.chats.model().index(titles(gui).index(title), 0)
    QTest.mouseClick(gui.chats.viewport(), Qt.MouseButton.LeftButton, pos=gui.chats.visualRect(index).center())


async def answered(gui: Gui) -> None:
    await until(lambda: gui.rows and gui.rows[-1].state not in ("streaming",) and gui.rows[-1].role == "assistant")


def test_answered_message_is_kept_after_restart(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"The sea is wide.")) as gui:
            type_and_send(gui, "Tell me of the sea")
            assert gui.window.chat_page.composer.text == ""
            assert [row.text for row in gui.rows] == ["Tell me of the sea", ""]
            await answered(gui)
            assert gui.rows[-1].text == "The sea is wide."
            assert gui.rows[-1].state == "complete"
            assert gui.rows[-1].n_output > 0
            assert gui.window.windowTitle() == "Tell me of the sea – Inglenook"
        async with open_gui() as gui:
            await until(lambda: len(titles(gui)) == 2)
            click_chat(gui, "Tell me of the sea")
            await until(lambda: len(gui.rows) == 2)
            assert [row.text for row in gui.rows] == ["Tell me of the sea", "The sea is wide."]

    run(story())


def test_shift_enter_inserts_line_and_empty_message_is_not_sent(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            edit = gui.window.chat_page.composer._edit
            QTest.keyClick(edit, Qt.Key.Key_Return)
            assert gui.rows == []
            height = edit.height()
            QTest.keyClicks(edit, "a")
            QTest.keyClick(edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
            QTest.keyClicks(edit, "b")
            assert gui.window.chat_page.composer.text == "a\nb"
            assert edit.height() > height
            edit.setPlainText("line\n" * 30)
            assert edit.height() < 9 * height
            QTest.keyClick(edit, Qt.Key.Key_Return)
            await answered(gui)
            assert edit.height() == height

    run(story())


def test_escape_stops_the_answer_and_keeps_its_partial_text(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(ENDLESS) as gui:
            type_and_send(gui, "Go on and on")
            await until(lambda: len(gui.rows[-1].text) > 10)
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            await answered(gui)
            assert gui.rows[-1].state == "stopped"
            assert len(gui.rows[-1].text) > 10
            assert not gui.window.chat_page.composer._answering

    run(story())


def test_closing_the_app_during_an_answer_keeps_its_partial_text(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(ENDLESS) as gui:
            type_and_send(gui, "Go on and on")
            await until(lambda: len(gui.rows[-1].text) > 20)
            text = gui.rows[-1].text
        async with open_gui() as gui:
            await until(lambda: len(titles(gui)) == 2)
            click_chat(gui, "Go on and on")
            await until(lambda: len(gui.rows) == 2)
            assert gui.rows[-1].state == "stopped"
            assert gui.rows[-1].text.startswith(text)

    run(story())


def test_answer_continues_while_another_chat_is_open(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(ENDLESS) as gui:
            type_and_send(gui, "First")
            await until(lambda: len(gui.rows[-1].text) > 5)
            written = len(gui.rows[-1].text)
            QTest.keyClick(gui.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
            assert gui.rows == []
            assert not gui.window.chat_page.composer._answering
            type_and_send(gui, "Second")
            await until(lambda: len(gui.rows[-1].text) > 5)
            click_chat(gui, "First")
            await until(lambda: gui.rows[0].text == "First")
            assert gui.window.chat_page.composer._answering
            assert len(gui.rows[-1].text) > written

    run(story())


def test_answer_to_message_longer_than_context_fails_with_context_length_error(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            gui.window.chat_page.composer.begin_with("word " * 1_000)
            QTest.keyClick(gui.window.chat_page.composer._edit, Qt.Key.Key_Return)
            await answered(gui)
            assert gui.rows[-1].state == "failed"
            assert "the model reads 4,096" in gui.rows[-1].note

    run(story())


def test_undoing_a_deletion_restores_the_chat_with_its_title_and_pin(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            type_and_send(gui, "Old name")
            await answered(gui)
            gui.action("rename_chat").trigger()
            editor = gui.chats.findChild(QLineEdit)
            assert isinstance(editor, QLineEdit)
            QTest.keyClicks(editor, "New name")
            row = gui.chats.currentIndex()
            row.model().dataChanged.emit(row, row)  # the list emits this signal when an answer is saved
            assert editor.text() == "New name"
            QTest.keyClick(editor, Qt.Key.Key_Return)
            await until(lambda: titles(gui) == ["Today", "New name"])
            assert gui.window.chat_page.header._title.text() == isolated("New name")
            gui.action("pin_chat").trigger()
            assert titles(gui) == ["Pinned", "New name"]
            gui.chats.setFocus()
            gui.chats.setCurrentIndex(gui.chats.model().index(1, 0))
            QTest.keyClick(gui.chats, Qt.Key.Key_Delete)
            assert titles(gui) == []
            assert gui.rows == []
            gui.window.toast._action.click()
            assert titles(gui) == ["Pinned", "New name"]
        async with open_gui() as gui:
            await until(lambda: titles(gui) == ["Pinned", "New name"])

    run(story())


def test_sidebar_is_hidden_in_narrow_window_until_opened(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            window = gui.window
            assert window.sidebar.isVisible()
            window.resize(700, 600)
            await until(lambda: not window.sidebar.isVisible())
            window.chat_page.sidebar_button.click()
            assert window.sidebar.isVisible()
            QTest.mouseClick(window.chat_page.stage, Qt.MouseButton.LeftButton, pos=QPoint(600, 20))
            await until(lambda: not window.sidebar.isVisible())
            window.resize(1000, 600)
            await until(window.sidebar.isVisible)

    run(story())


def test_theme_and_window_size_are_kept_after_restart(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            gui.window.resize(700, 500)
            gui.window.view("settings").row("theme").buttons["dark"].click()
            assert gui.window.theme.scheme == "dark"
        assert SettingsFile(profile.settings).value.theme == "dark"
        async with open_gui(theme="dark") as gui:
            assert (gui.window.width(), gui.window.height()) == (700, 500)

    run(story())


def test_every_control_of_chat_page_has_an_accessible_name(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"So:\n\n```python\nx\n```")) as gui:
            type_and_send(gui, "Show me")
            await answered(gui)
            kinds = (QAbstractButton, QLineEdit, QPlainTextEdit, QAbstractItemView)
            nameless = [
                control
                for kind in kinds
                for control in gui.window.findChildren(kind)
                if control.isVisible() and not control.accessibleName()
                if not (isinstance(control, QAbstractButton) and control.text())
            ]
            assert nameless == []

    run(story())


def test_profile_locked_by_one_instance_cannot_be_locked_by_another(profile: Profile) -> None:
    from desktop.platform.instance_lock import InstanceLock

    first, second = (InstanceLock(profile.root / "window.lock") for _ in range(2))
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_greeting_without_model_has_no_overlapping_widgets_in_low_window(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(model=False) as gui:
            greeting = gui.window.chat_page.greeting
            await until(greeting._choose.isVisible)
            gui.window.resize(600, 450)
            await asyncio.sleep(0.05)
            shown = [each for each in (greeting._choose, *greeting._starters) if each.isVisible()]
            boxes = [QRect(each.mapTo(gui.window, QPoint(0, 0)), each.size()) for each in shown]
            assert len(shown) == 3
            assert not any(one.intersects(two) for n, one in enumerate(boxes) for two in boxes[:n])
            room = QRect(greeting.mapTo(gui.window, QPoint(0, 0)), greeting.size())
            assert all(room.contains(box) for box in boxes)
            gui.window.resize(1100, 750)
            await until(lambda: all(each.isVisible() for each in greeting._starters))

    run(story())


def test_toast_is_placed_above_a_growing_composer(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            window, toast = gui.window, gui.window.toast

            def stands_on_composer() -> bool:
                gap = window.chat_page.composer.mapTo(window.pages, QPoint(0, 0)).y() - toast.geometry().bottom()
                return bool(window.pages.rect().contains(toast.geometry()) and 0 < gap < 40)

            toast.show_message("The message is deleted.")
            assert stands_on_composer()
            top = toast.y()
            window.chat_page.composer.show_text("One line\nand two\nand three")
            await until(lambda: toast.y() < top)
            assert stands_on_composer()
            window.show_page("settings")
            assert toast.y() > top
            window.show_page("chat")
            assert stands_on_composer()

    run(story())
