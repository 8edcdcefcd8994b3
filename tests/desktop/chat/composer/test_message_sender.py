"""Tests of sending: long messages are checked first, and no message is lost if the user opens another chat during the
check."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.chat.prompt import TokenCounter
from engine.files.profile import Profile
from tests.desktop.chat.composer.test_overflow_card import N_TURNS, fill, open_long, refused
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, click_chat
from tests.fakes import Script

LONG_TEXT = "r" * 2_500
"""Text longer than half of the fake model's context, so that a message with it is checked before it is sent."""


def submit(gui: Gui, text: str) -> None:
    gui.window.chat_page.composer.show_text(text)
    QTest.keyClick(gui.window.chat_page.composer._edit, Qt.Key.Key_Return)


def new_chat(gui: Gui) -> None:
    gui.window.sidebar.new_chat_requested.emit()


def test_message_can_be_sent_after_check_was_cancelled_before_its_first_step(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Yes.")) as gui:
            await until(lambda: gui.ready)
            submit(gui, LONG_TEXT)
            assert not gui.window.chat_page.composer._can_send()
            (check,) = (task for task in asyncio.all_tasks() if task.get_name() == "see whether a message fits")
            check.cancel()
            await until(lambda: gui.window.chat_page.composer._can_send())
            submit(gui, "Hi")
            await answered(gui)

    run(story())


def test_file_attached_during_check_stays_for_next_message(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text(LONG_TEXT)
    second.write_text("later")

    async def story() -> None:
        async with open_gui(Script(answer=b"Yes.")) as gui:
            composer = gui.window.chat_page.composer
            await until(lambda: gui.ready)
            composer.files_given.emit([first])
            await until(lambda: composer._can_send())
            submit(gui, "Read this")
            composer.files_given.emit([second])
            await answered(gui)
            assert [file.name for file in gui.rows[0].attachments] == ["first.txt"]
            assert [chip.item.name for chip in composer.chips._chips.values()] == ["second.txt"]

    run(story())


async def open_shorter(gui: Gui) -> None:
    """Open the long chat and delete its last turn. The next message then fits, but must be checked."""
    await open_long(gui)
    gui.transcript.delete_requested.emit(gui.rows[-2].id)


def test_message_that_fits_is_sent_although_other_chat_was_opened_during_check(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(Script(answer=b"Yes.")) as gui:
            await open_shorter(gui)
            submit(gui, "Short enough?")
            assert not gui.window.chat_page.composer._can_send()
            new_chat(gui)
            assert gui.window.chat_page.composer.text == ""
            click_chat(gui, "A long chat")
            await until(lambda: len(gui.rows) == 2 * N_TURNS)
            assert gui.rows[-2].text == "Short enough?"
            assert gui.window.chat_page.composer.text == ""
            await answered(gui)
            new_chat(gui)
            await until(lambda: not gui.rows)
            click_chat(gui, "A long chat")
            await until(lambda: len(gui.rows) == 2 * N_TURNS)

    run(story())


def test_first_message_of_new_chat_is_sent_although_other_chat_was_opened_during_check(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(Script(answer=b"Yes.")) as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() == 2)
            submit(gui, LONG_TEXT)
            click_chat(gui, "A long chat")
            await until(lambda: gui.chats.model().rowCount() > 3)
            new_chat(gui)
            assert gui.window.chat_page.composer.text == ""

    run(story())


def test_toast_reports_message_that_does_not_fit_if_its_chat_is_no_longer_open(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(Script(answer=b"Yes.")) as gui:
            await open_long(gui)
            submit(gui, "n" * 900)
            new_chat(gui)
            await until(lambda: "“A long chat” was not sent" in gui.window.toast.text)
            assert gui.window.chat_page.composer.text == ""
            gui.window.toast._action.click()
            await until(lambda: gui.window.chat_page.composer.text == "n" * 900)

    run(story())


def test_summary_continues_after_other_chat_is_opened(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        script = Script(answer=b"Yes.", cases={b"Summarise it so": b"They asked things."}, step_s=0.01)
        async with open_gui(script) as gui:
            card = await refused(gui)
            QTest.mouseClick(card.summarise, Qt.MouseButton.LeftButton)
            new_chat(gui)
            assert not card.isVisible()
            click_chat(gui, "A long chat")
            await until(card.isVisible)
            assert card.is_summarising
            new_chat(gui)
            await until(lambda: "and your message was sent" in gui.window.toast.text)
            click_chat(gui, "A long chat")
            await until(lambda: len(gui.rows) == 2 * N_TURNS + 2)
            await answered(gui)
            assert gui.window.chat_page.composer.text == ""
            assert gui.window.chat_page.settings_sheet is not None
            assert gui.window.chat_page.settings_sheet.form.settings.summary == "They asked things."

    run(story())


def test_summary_progress_increases_during_prefill(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        script = Script(answer=b"Yes.", cases={b"Summarise it so": b"They asked things."}, step_s=0.1)
        async with open_gui(script) as gui:
            card = await refused(gui)
            QTest.mouseClick(card.summarise, Qt.MouseButton.LeftButton)
            seen: set[int] = set()

            def moved() -> bool:
                seen.add(card._progress.value())
                return len([value for value in seen if 0 < value <= 500]) >= 3

            await until(moved)
            script.step_s = 0.0
            await answered(gui)

    run(story())


def test_composer_shows_that_file_is_being_read_or_that_message_is_being_checked(
    run: Run, open_gui: OpenGui, tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("Sow in March.")

    async def story() -> None:
        async with open_gui(Script(answer=b"Yes.")) as gui:
            composer = gui.window.chat_page.composer
            await until(lambda: gui.ready)
            assert not composer._wait_note.isVisible()
            composer.files_given.emit([file])
            assert composer._wait_note.text() == "A file is still being read"
            await until(lambda: not composer._wait_note.isVisible())
            submit(gui, LONG_TEXT)
            assert composer._wait_note.text() == "Checking whether it fits…"
            await answered(gui)
            assert not composer._wait_note.isVisible()

    run(story())


def test_closing_app_during_check_of_message_keeps_message_as_draft(
    run: Run, open_gui: OpenGui, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    async def story() -> None:
        async with open_gui(Script(answer=b"Yes.")) as gui:
            await until(lambda: gui.ready)
            monkeypatch.setattr(TokenCounter, "fit", never)
            submit(gui, LONG_TEXT)
            await asyncio.sleep(0)
        monkeypatch.undo()
        async with open_gui(Script(answer=b"Yes.")) as gui:
            await until(lambda: gui.window.chat_page.composer.text == LONG_TEXT)
            assert gui.chats.model().rowCount() == 0

    run(story())


def test_escape_cancels_check_of_message_and_keeps_text_in_composer(
    run: Run, open_gui: OpenGui, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    async def story() -> None:
        async with open_gui(Script(answer=b"Yes.")) as gui:
            await until(lambda: gui.ready)
            monkeypatch.setattr(TokenCounter, "fit", never)
            submit(gui, LONG_TEXT)
            QTest.keyClick(gui.window.chat_page.composer, Qt.Key.Key_Escape)
            await until(lambda: gui.window.chat_page.composer._can_send())
            assert gui.window.chat_page.composer.text == LONG_TEXT
            assert not gui.rows

    run(story())
