"""Tests of drafts, which are saved for each chat while the user types, and restored after a restart."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.chat.composer.drafts import NEW_CHAT_KEY, Draft, DraftCache, DraftSaver
from desktop.platform.task_set import TaskSet
from desktop.shell.main_window import MainWindow
from desktop.store.errors import StoreFull
from desktop.store.records import Attachment
from desktop.store.store import Store
from engine.files.profile import Profile
from tests.desktop.chat.composer.test_composer import chips, counted, note
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, click_chat, type_and_send
from tests.fakes import Script

FILE = Attachment("a.txt", "text", "a")


class Disk:
    """Fake store for drafts. Saving raises StoreFull while `full` is set."""

    def __init__(self) -> None:
        self.full = False
        self.drafts: dict[str, tuple[str, tuple[Attachment, ...]]] = {}

    async def save(self, chat_id: str, text: str, attachments: tuple[Attachment, ...]) -> None:
        if self.full:
            raise StoreFull
        self.drafts[chat_id] = (text, attachments)


def test_draft_whose_save_failed_is_saved_by_later_attempt() -> None:
    async def story() -> None:
        disk = Disk()
        cache = DraftCache(disk.save)
        cache.put("c", Draft("early"))
        await cache.save()
        assert disk.drafts == {}  # no draft is saved before the stored drafts are loaded
        cache.load({"c": ("stored", (FILE,)), "d": ("other", ())})
        assert cache["c"] == Draft("stored\n\nearly", (FILE,))
        disk.full = True
        for _ in range(2):
            with pytest.raises(StoreFull):
                await cache.save()
        assert cache["c"].text == "stored\n\nearly"
        disk.full = False
        await cache.save()
        assert disk.drafts == {"c": ("stored\n\nearly", (FILE,))}
        assert cache.is_saved
        cache.put("d", Draft("other"))
        assert cache.is_saved  # a draft that has not changed need not be saved

    asyncio.run(story())


def test_draft_of_new_chat_is_restored_after_restart(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            gui.window.chat_page.composer.files_given.emit([note(tmp_path)])
            await until(lambda: counted(gui, 1))
            QTest.keyClicks(gui.window.chat_page.composer._edit, "Not yet sent")
        async with open_gui() as gui:
            await until(lambda: gui.window.chat_page.composer.text == "Not yet sent")
            await until(lambda: counted(gui, 1))
            assert chips(gui)[0].item.name == "beans.md"
            type_and_send(gui, "")
            await answered(gui)
            assert gui.rows[0].text == "Not yet sent"
            assert [each.text for each in gui.rows[0].attachments] == ["Sow in March.\n"]
        async with open_gui() as gui:
            await until(lambda: gui.chats.model().rowCount() == 2)
            assert gui.window.chat_page.composer.text == ""
            click_chat(gui, "Not yet sent")
            await until(lambda: len(gui.rows) == 2)
            assert gui.window.chat_page.composer.text == ""
            assert chips(gui) == []

    run(story())


def test_text_typed_before_drafts_are_loaded_is_saved_as_draft(run: Run, profile: Profile) -> None:
    async def story() -> None:
        store, shown = Store(profile.ensure().chats), list[Draft]()
        await store.open()
        tasks = TaskSet(lambda name, error: None)
        typed = Draft("Early words")
        draft_saver = DraftSaver(
            store, tasks, lambda: typed, lambda draft, same: shown.append(draft), lambda error: None
        )
        await draft_saver.open()
        assert shown == []
        await draft_saver.aclose()
        assert (await store.drafts())[NEW_CHAT_KEY] == ("Early words", ())
        await tasks.aclose()
        await store.aclose()

    run(story())


async def before_wiring(window: MainWindow) -> None:
    """Wait until the window is shown. At this time no signals are connected."""
    assert window.chat_page.transcript is None


async def after_wiring(window: MainWindow) -> None:
    """Wait until the composer is connected. At this time no chat is loaded."""
    await until(lambda: window.chat_page.transcript is not None)


@pytest.mark.parametrize("moment", [before_wiring, after_wiring])
def test_message_submitted_during_startup_is_sent_after_startup(
    run: Run, open_gui: OpenGui, moment: Callable[[MainWindow], Coroutine[None, None, None]]
) -> None:
    async def hurry(window: MainWindow) -> None:
        await moment(window)
        QTest.keyClicks(window.chat_page.composer._edit, "Hello")
        QTest.keyClick(window.chat_page.composer._edit, Qt.Key.Key_Return)
        QTest.keyClicks(window.chat_page.composer._edit, "and then")

    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            QTest.keyClicks(gui.window.chat_page.composer._edit, "Left from last time")
        async with open_gui(hurry=hurry) as gui:
            await answered(gui)
            assert gui.rows[0].text == "Hello"
            assert gui.window.chat_page.composer.text == "and then"
            gui.window.sidebar.new_chat_requested.emit()
            await until(lambda: gui.window.chat_page.composer.text == "Left from last time")
        async with open_gui() as gui:
            await until(lambda: gui.chats.model().rowCount() == 2)
            click_chat(gui, "Hello")
            await until(lambda: len(gui.rows) == 2)
            assert gui.window.chat_page.composer.text == "and then"

    run(story())


def test_message_edited_after_submit_during_startup_is_not_sent(run: Run, open_gui: OpenGui) -> None:
    async def hurry(window: MainWindow) -> None:
        QTest.keyClicks(window.chat_page.composer._edit, "Hello")
        QTest.keyClick(window.chat_page.composer._edit, Qt.Key.Key_Return)
        QTest.keyClick(window.chat_page.composer._edit, Qt.Key.Key_Backspace)

    async def story() -> None:
        async with open_gui(hurry=hurry) as gui:
            await until(lambda: gui.ready)
            assert (gui.window.chat_page.composer.text, gui.rows) == ("Hell", [])
            type_and_send(gui, "o")
            await answered(gui)
            assert gui.rows[0].text == "Hello"

    run(story())


async def stored(profile: Profile) -> dict[str, tuple[str, tuple[Attachment, ...]]]:
    """Drafts in the database of the running app, read from a copy of the database."""
    store = Store(profile.chats.with_name("copy.sqlite"))
    with (
        closing(sqlite3.connect(profile.chats)) as there,
        closing(sqlite3.connect(profile.chats.with_name("copy.sqlite"))) as copy,
    ):
        there.backup(copy)
    await store.open()
    try:
        return await store.drafts()
    finally:
        await store.aclose()


def test_draft_is_saved_to_store_within_five_seconds_of_typing(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            started = time.monotonic()
            QTest.keyClicks(gui.window.chat_page.composer._edit, "Half a thought")
            while (await stored(profile)).get("") != ("Half a thought", ()):
                assert time.monotonic() < started + 5
                await asyncio.sleep(0.02)

    run(story())


def test_each_chat_shows_its_own_draft(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Yes.")) as gui:
            await until(lambda: gui.ready)
            composer = gui.window.chat_page.composer
            type_and_send(gui, "First")
            await answered(gui)
            QTest.keyClicks(composer._edit, "to the first")
            composer.files_given.emit([note(tmp_path)])
            await until(lambda: counted(gui, 1))
            QTest.keyClick(gui.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
            assert (composer.text, chips(gui)) == ("", [])
            QTest.keyClicks(composer._edit, "to nobody yet")
            click_chat(gui, "First")
            await until(lambda: composer.text == "to the first")
            await until(lambda: counted(gui, 1))
            QTest.keyClick(gui.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
            assert composer.text == "to nobody yet"
        async with open_gui() as gui:
            await until(lambda: gui.window.chat_page.composer.text == "to nobody yet")
            click_chat(gui, "First")
            await until(lambda: gui.window.chat_page.composer.text == "to the first")

    run(story())


def test_text_typed_during_startup_is_appended_to_stored_draft(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            QTest.keyClicks(gui.window.chat_page.composer._edit, "before")
        async with open_gui() as gui:
            QTest.keyClicks(gui.window.chat_page.composer._edit, "after")
            await until(lambda: "before" in gui.window.chat_page.composer.text)
            assert gui.window.chat_page.composer.text in ("before\n\nafter", "beforeafter")

    run(story())


def test_composer_keeps_text_when_store_cannot_be_written(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        profile.chats.mkdir()  # there is a folder where the database file should be
        async with open_gui(Script(answer=b"Still here.")) as gui:
            await until(lambda: gui.ready)
            QTest.keyClicks(gui.window.chat_page.composer._edit, "Words that matter")
            await until(lambda: gui.window.toast.isVisible())
            await asyncio.sleep(0.5)  # the app has time for further attempts to save
            assert gui.window.chat_page.composer.text == "Words that matter"
            type_and_send(gui, "")
            await answered(gui)
            assert gui.rows[-1].text == "Still here."

    run(story())


def sent(gui: Gui) -> list[str]:
    return [row.text for row in gui.rows if row.role == "user"]


def test_enter_while_answer_is_written_keeps_text_in_composer(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=None, step_s=0.005)) as gui:
            await until(lambda: gui.ready)
            type_and_send(gui, "Go on")
            await until(lambda: gui.rows and len(gui.rows[-1].text) > 3)
            type_and_send(gui, "My next question")  # Enter has no effect while an answer is being written
            assert gui.window.chat_page.composer.text == "My next question"
            assert sent(gui) == ["Go on"]
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            await answered(gui)
            assert gui.window.chat_page.composer.text == "My next question"

    run(story())
