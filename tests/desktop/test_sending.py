"""From Enter to the conversation: nothing typed, added or asked for is lost when a person goes on quickly."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.compose.counting import TokenCounter
from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.test_overflow_card import N_TURNS, fill, open_long, refused
from tests.desktop.test_window import answered, click_chat
from tests.fakes import Script

LEFT = "r" * 2_500
"""More than half of what the fake reads, so that it is looked at before it is sent."""


def submit(house: House, text: str) -> None:
    house.window.composer.show_text(text)
    QTest.keyClick(house.window.composer._edit, Qt.Key.Key_Return)


def new_chat(house: House) -> None:
    house.window.sidebar.new_chat_asked.emit()


def test_check_cancelled_before_its_first_step_leaves_the_composer_usable(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"Yes.")) as house:
            await until(lambda: house.ready)
            submit(house, LEFT)
            assert not house.window.composer._can_send()
            (check,) = (task for task in asyncio.all_tasks() if task.get_name() == "see whether a message fits")
            check.cancel()
            await until(lambda: house.window.composer._can_send())
            submit(house, "Hi")
            await answered(house)

    run(story())


def test_file_added_while_a_message_is_checked_stays_for_the_next_one(
    run: Run, open_house: OpenHouse, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text(LEFT)
    second.write_text("later")

    async def story() -> None:
        async with open_house(Script(answer=b"Yes.")) as house:
            composer = house.window.composer
            await until(lambda: house.ready)
            composer.files_given.emit([first])
            await until(lambda: composer._can_send())
            submit(house, "Read this")
            composer.files_given.emit([second])
            await answered(house)
            assert [file.name for file in house.rows[0].attachments] == ["first.txt"]
            assert [chip.item.name for chip in composer.chips._chips.values()] == ["second.txt"]

    run(story())


async def open_shorter(house: House) -> None:
    """The long chat without its last turn: the next message fits, which is not plain at once."""
    await open_long(house)
    house.transcript.delete_asked.emit(house.rows[-2].id)


def test_message_that_fits_is_sent_also_where_the_chat_is_left_at_once(
    run: Run, open_house: OpenHouse, profile: Profile
) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_house(Script(answer=b"Yes.")) as house:
            await open_shorter(house)
            submit(house, "Short enough?")
            assert not house.window.composer._can_send()
            new_chat(house)
            assert house.window.composer.text == ""
            click_chat(house, "A long chat")
            await until(lambda: len(house.rows) == 2 * N_TURNS)
            assert house.rows[-2].text == "Short enough?"
            assert house.window.composer.text == ""
            await answered(house)
            new_chat(house)
            await until(lambda: not house.rows)
            click_chat(house, "A long chat")
            await until(lambda: len(house.rows) == 2 * N_TURNS)

    run(story())


def test_first_message_is_sent_also_where_another_chat_is_opened_at_once(
    run: Run, open_house: OpenHouse, profile: Profile
) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_house(Script(answer=b"Yes.")) as house:
            await until(lambda: house.ready and house.chats.model().rowCount() == 2)
            submit(house, LEFT)
            click_chat(house, "A long chat")
            await until(lambda: house.chats.model().rowCount() > 3)
            new_chat(house)
            assert house.window.composer.text == ""

    run(story())


def test_message_over_the_context_says_that_it_was_not_sent_when_its_chat_is_left(
    run: Run, open_house: OpenHouse, profile: Profile
) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_house(Script(answer=b"Yes.")) as house:
            await open_long(house)
            submit(house, "n" * 900)
            new_chat(house)
            await until(lambda: "“A long chat” was not sent" in house.window.notice.text)
            assert house.window.composer.text == ""
            house.window.notice._action.click()
            await until(lambda: house.window.composer.text == "n" * 900)

    run(story())


def test_summary_goes_on_when_its_chat_is_left_and_the_message_is_sent(
    run: Run, open_house: OpenHouse, profile: Profile
) -> None:
    async def story() -> None:
        await fill(profile)
        script = Script(answer=b"Yes.", cases={b"Summarise it so": b"They asked things."}, step_s=0.01)
        async with open_house(script) as house:
            card = await refused(house)
            QTest.mouseClick(card.summarise, Qt.MouseButton.LeftButton)
            new_chat(house)
            assert not card.isVisible()
            click_chat(house, "A long chat")
            await until(card.isVisible)
            assert card.is_summarising
            new_chat(house)
            await until(lambda: "and your message was sent" in house.window.notice.text)
            click_chat(house, "A long chat")
            await until(lambda: len(house.rows) == 2 * N_TURNS + 2)
            await answered(house)
            assert house.window.composer.text == ""
            assert house.window.chat_settings is not None
            assert house.window.chat_settings.form.settings.summary == "They asked things."

    run(story())


def test_bar_of_a_summary_moves_while_the_turns_are_read(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        script = Script(answer=b"Yes.", cases={b"Summarise it so": b"They asked things."}, step_s=0.1)
        async with open_house(script) as house:
            card = await refused(house)
            QTest.mouseClick(card.summarise, Qt.MouseButton.LeftButton)
            seen: set[int] = set()

            def moved() -> bool:
                seen.add(card._progress.value())
                return len([value for value in seen if 0 < value <= 500]) >= 3

            await until(moved)
            script.step_s = 0.0
            await answered(house)

    run(story())


def test_check_and_reading_of_a_file_are_shown_beside_the_send_button(
    run: Run, open_house: OpenHouse, tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("Sow in March.")

    async def story() -> None:
        async with open_house(Script(answer=b"Yes.")) as house:
            composer = house.window.composer
            await until(lambda: house.ready)
            assert not composer._wait_note.isVisible()
            composer.files_given.emit([file])
            assert composer._wait_note.text() == "A file is still being read"
            await until(lambda: not composer._wait_note.isVisible())
            submit(house, LEFT)
            assert composer._wait_note.text() == "Looking whether it fits…"
            await answered(house)
            assert not composer._wait_note.isVisible()

    run(story())


def test_message_that_is_checked_when_the_app_closes_stays_a_draft(
    run: Run, open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    async def story() -> None:
        async with open_house(Script(answer=b"Yes.")) as house:
            await until(lambda: house.ready)
            monkeypatch.setattr(TokenCounter, "fit", never)
            submit(house, LEFT)
            await asyncio.sleep(0)
        monkeypatch.undo()
        async with open_house(Script(answer=b"Yes.")) as house:
            await until(lambda: house.window.composer.text == LEFT)
            assert house.chats.model().rowCount() == 0

    run(story())


def test_escape_ends_the_check_of_a_message(run: Run, open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    async def story() -> None:
        async with open_house(Script(answer=b"Yes.")) as house:
            await until(lambda: house.ready)
            monkeypatch.setattr(TokenCounter, "fit", never)
            submit(house, LEFT)
            QTest.keyClick(house.window.composer, Qt.Key.Key_Escape)
            await until(lambda: house.window.composer._can_send())
            assert house.window.composer.text == LEFT
            assert not house.rows

    run(story())
