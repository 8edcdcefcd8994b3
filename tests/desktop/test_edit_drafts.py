"""A message that is half edited: what was typed stays until it is saved or cancelled."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit

from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.test_window import answered, click_chat, titles, type_and_send
from tests.fakes import Script

SCRIPT = Script(answer=b"Well.")


def press(house: House, key: Qt.Key) -> None:
    edit = editor(house)
    assert edit is not None
    QTest.keyClick(edit, key)


def editor(house: House) -> QPlainTextEdit | None:
    found = house.transcript._editing.editor
    return found.edit if found is not None else None


def text(house: House) -> str:
    edit = editor(house)
    return edit.toPlainText() if edit is not None else ""


async def begin(house: House, row: int = 0) -> None:
    type_and_send(house, "First question")
    await answered(house)
    house.transcript.edit(house.rows[row].id)
    edit = editor(house)
    assert edit is not None
    QTest.keyClicks(edit, " and more")


def test_half_made_edit_is_there_again_when_its_chat_is(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(SCRIPT) as house:
            await until(lambda: house.ready)
            await begin(house)
            house.window.sidebar.new_chat_asked.emit()
            assert editor(house) is None
            type_and_send(house, "Another")
            await answered(house)
            click_chat(house, "First question")
            await until(lambda: editor(house))
            assert text(house) == "First question and more"
            assert house.window.focusWidget() is not editor(house), "opening a chat takes the focus nowhere"
            press(house, Qt.Key.Key_Return)
            await until(lambda: house.rows and house.rows[0].text == "First question and more")
            await answered(house)
            house.window.sidebar.new_chat_asked.emit()
            click_chat(house, "First question")
            await until(lambda: len(house.rows) == 2)
            assert editor(house) is None, "it was saved"

    run(story())


def test_half_made_edit_of_an_answer_outlives_the_app(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(SCRIPT) as house:
            await until(lambda: house.ready)
            await begin(house, row=1)
        async with open_house(SCRIPT) as house:
            await until(lambda: len(titles(house)) == 2)
            click_chat(house, "First question")
            await until(lambda: text(house) == "Well. and more")
            press(house, Qt.Key.Key_Escape)
        async with open_house(SCRIPT) as house:
            await until(lambda: len(titles(house)) == 2)
            click_chat(house, "First question")
            await until(lambda: len(house.rows) == 2)
            assert editor(house) is None, "it was cancelled"

    run(story())


def test_editing_another_message_keeps_what_was_typed_in_the_first(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(SCRIPT) as house:
            await until(lambda: house.ready)
            await begin(house)
            house.transcript.edit(house.rows[1].id)
            assert text(house) == "Well."
            house.transcript.edit(house.rows[0].id)
            assert text(house) == "First question and more"

    run(story())
