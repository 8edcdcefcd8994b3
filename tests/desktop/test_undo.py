"""What was deleted comes back: one stack for chats, messages, folders and presets, with a key."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.test_window import answered, titles, type_and_send
from tests.fakes import Script

SCRIPT = Script(answer=b"Well.")


def undo(house: House) -> None:
    """With the focus where a person has it, in the composer."""
    edit = house.window.composer._edit
    edit.setFocus()
    QTest.keyClick(edit, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)


async def talk(house: House, *questions: str) -> None:
    await until(lambda: house.ready)
    for question in questions:
        type_and_send(house, question)
        await answered(house)


def test_key_undoes_deletions_the_newest_first_long_after_their_notices(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(SCRIPT) as house:
            await talk(house, "First", "Second")
            house.window.composer.clear()
            house.transcript.delete_asked.emit(house.rows[2].id)
            assert len(house.rows) == 2
            assert house.window.notice.text == "2 messages are deleted."
            house.chats.delete_asked.emit((house.rows[0].chat_id,))
            assert titles(house) == []
            house.window.notice.hide()
            undo(house)
            assert titles(house) == ["Today", "First"]
            QTest.mouseClick(
                house.chats.viewport(),
                Qt.MouseButton.LeftButton,
                pos=house.chats.visualRect(house.chats.model().index(1, 0)).center(),
            )
            await until(lambda: len(house.rows) == 2)
            undo(house)
            await until(lambda: len(house.rows) == 4)
            undo(house)
            assert len(house.rows) == 4, "there is nothing more to undo"

    run(story())


def test_undo_by_its_notice_is_not_done_again_by_the_key(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(SCRIPT) as house:
            await talk(house, "First")
            house.transcript.delete_asked.emit(house.rows[0].id)
            house.window.notice._action.click()
            assert len(house.rows) == 2
            assert house.window.undo_stack.is_empty

    run(story())


def test_messages_deleted_by_two_clicks_come_back_together(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(SCRIPT) as house:
            await talk(house, "First", "Second")
            house.transcript.delete_asked.emit(house.rows[2].id)
            house.transcript.delete_asked.emit(house.rows[0].id)
            assert house.window.notice.text == "4 messages are deleted."
            house.window.composer.clear()
            undo(house)
            assert len(house.rows) == 4
            assert house.window.undo_stack.is_empty

    run(story())


def test_key_undoes_typing_first_where_something_is_typed(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(SCRIPT) as house:
            await talk(house, "First")
            house.transcript.delete_asked.emit(house.rows[0].id)
            QTest.keyClicks(house.window.composer._edit, "oops")
            undo(house)
            assert house.window.composer.text == ""
            assert not house.rows
            undo(house)
            assert len(house.rows) == 2

    run(story())


def test_delete_button_names_the_number_of_messages_on_all_branches(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(SCRIPT) as house:
            await talk(house, "First", "Second")
            house.transcript.retry_asked.emit(house.rows[1].id)
            await answered(house)
            button = house.transcript._controls[house.rows[0].id]._named["delete"]
            QApplication.sendEvent(button, QFocusEvent(QEvent.Type.FocusIn))
            assert button.toolTip() == "Delete from here on: 5 messages"
            assert button.accessibleDescription() == button.toolTip()
            button.click()
            assert house.window.notice.text == "5 messages are deleted."

    run(story())
