"""What was written and not sent is there again: after a restart, after another chat, after a disk that was full."""

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

from desktop.compose.drafts import NOT_BEGUN, Draft, DraftBook
from desktop.store.errors import StoreFull
from desktop.store.records import Attachment
from desktop.store.store import Store
from desktop.tasks import TaskSet
from desktop.windows.drafting import Drafting
from desktop.windows.main_window import MainWindow
from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.test_composer import chips, counted, note
from tests.desktop.test_window import answered, click_chat, type_and_send
from tests.fakes import Script

FILE = Attachment("a.txt", "text", "a")


class Disk:
    """A place for drafts that may be full."""

    def __init__(self) -> None:
        self.full = False
        self.drafts: dict[str, tuple[str, tuple[Attachment, ...]]] = {}

    async def save(self, chat_id: str, text: str, attachments: tuple[Attachment, ...]) -> None:
        if self.full:
            raise StoreFull
        self.drafts[chat_id] = (text, attachments)


def test_a_book_keeps_what_the_disk_refuses() -> None:
    async def story() -> None:
        disk = Disk()
        book = DraftBook(disk.save)
        book.put("c", Draft("early"))
        await book.save()
        assert disk.drafts == {}  # what lies in the store is not read yet, and not written over
        book.take_up({"c": ("stored", (FILE,)), "d": ("other", ())})
        assert book["c"] == Draft("stored\n\nearly", (FILE,))
        disk.full = True
        for _ in range(2):
            with pytest.raises(StoreFull):
                await book.save()
        assert book["c"].text == "stored\n\nearly"
        disk.full = False
        await book.save()
        assert disk.drafts == {"c": ("stored\n\nearly", (FILE,))}
        assert book.is_saved
        book.put("d", Draft("other"))
        assert book.is_saved  # nothing is new

    asyncio.run(story())


def test_a_draft_survives_a_restart(run: Run, open_house: OpenHouse, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_house() as house:
            await until(lambda: house.ready)
            house.window.composer.files_given.emit([note(tmp_path)])
            await until(lambda: counted(house, 1))
            QTest.keyClicks(house.window.composer._edit, "Not yet sent")
        async with open_house() as house:
            await until(lambda: house.window.composer.text == "Not yet sent")
            await until(lambda: counted(house, 1))
            assert chips(house)[0].item.name == "beans.md"
            type_and_send(house, "")
            await answered(house)
            assert house.rows[0].text == "Not yet sent"
            assert [each.text for each in house.rows[0].attachments] == ["Sow in March.\n"]
        async with open_house() as house:
            await until(lambda: house.chats.model().rowCount() == 2)
            assert house.window.composer.text == ""
            click_chat(house, "Not yet sent")
            await until(lambda: len(house.rows) == 2)
            assert house.window.composer.text == ""
            assert chips(house) == []

    run(story())


def test_words_typed_before_anything_listens_stay(run: Run, profile: Profile) -> None:
    async def story() -> None:
        store, shown = Store(profile.ensure().chats), list[Draft]()
        await store.open()
        tasks = TaskSet(lambda name, error: None)
        typed = Draft("Early words")
        drafting = Drafting(store, tasks, lambda: typed, lambda draft, same: shown.append(draft), lambda error: None)
        await drafting.open()
        assert shown == []
        await drafting.aclose()
        assert (await store.drafts())[NOT_BEGUN] == ("Early words", ())
        await tasks.aclose()
        await store.aclose()

    run(story())


async def at_once(window: MainWindow) -> None:
    """Nothing behind the window is there yet."""
    assert window.transcript is None


async def when_wired(window: MainWindow) -> None:
    """Something listens to the composer, but no chat is read."""
    await until(lambda: window.transcript is not None)


@pytest.mark.parametrize("moment", [at_once, when_wired])
def test_what_is_sent_too_early_is_sent_as_soon_as_it_can_be(
    run: Run, open_house: OpenHouse, moment: Callable[[MainWindow], Coroutine[None, None, None]]
) -> None:
    async def hurry(window: MainWindow) -> None:
        await moment(window)
        QTest.keyClicks(window.composer._edit, "Hello")
        QTest.keyClick(window.composer._edit, Qt.Key.Key_Return)
        QTest.keyClicks(window.composer._edit, "and then")

    async def story() -> None:
        async with open_house() as house:
            await until(lambda: house.ready)
            QTest.keyClicks(house.window.composer._edit, "Left from last time")
        async with open_house(hurry=hurry) as house:
            await answered(house)
            assert house.rows[0].text == "Hello"
            assert house.window.composer.text == "and then"
            house.window.sidebar.new_chat_asked.emit()
            await until(lambda: house.window.composer.text == "Left from last time")
        async with open_house() as house:
            await until(lambda: house.chats.model().rowCount() == 2)
            click_chat(house, "Hello")
            await until(lambda: len(house.rows) == 2)
            assert house.window.composer.text == "and then"

    run(story())


def test_what_was_sent_too_early_and_then_changed_is_not_sent(run: Run, open_house: OpenHouse) -> None:
    async def hurry(window: MainWindow) -> None:
        QTest.keyClicks(window.composer._edit, "Hello")
        QTest.keyClick(window.composer._edit, Qt.Key.Key_Return)
        QTest.keyClick(window.composer._edit, Qt.Key.Key_Backspace)

    async def story() -> None:
        async with open_house(hurry=hurry) as house:
            await until(lambda: house.ready)
            assert (house.window.composer.text, house.rows) == ("Hell", [])
            type_and_send(house, "o")
            await answered(house)
            assert house.rows[0].text == "Hello"

    run(story())


async def stored(profile: Profile) -> dict[str, tuple[str, tuple[Attachment, ...]]]:
    """What another process would find."""
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


def test_a_draft_is_on_disk_half_a_second_after_typing(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        async with open_house() as house:
            await until(lambda: house.ready)
            started = time.monotonic()
            QTest.keyClicks(house.window.composer._edit, "Half a thought")
            while (await stored(profile)).get("") != ("Half a thought", ()):
                assert time.monotonic() < started + 5
                await asyncio.sleep(0.02)

    run(story())


def test_each_chat_has_a_draft_of_its_own(run: Run, open_house: OpenHouse, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"Yes.")) as house:
            await until(lambda: house.ready)
            composer = house.window.composer
            type_and_send(house, "First")
            await answered(house)
            QTest.keyClicks(composer._edit, "to the first")
            composer.files_given.emit([note(tmp_path)])
            await until(lambda: counted(house, 1))
            QTest.keyClick(house.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
            assert (composer.text, chips(house)) == ("", [])
            QTest.keyClicks(composer._edit, "to nobody yet")
            click_chat(house, "First")
            await until(lambda: composer.text == "to the first")
            await until(lambda: counted(house, 1))
            QTest.keyClick(house.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
            assert composer.text == "to nobody yet"
        async with open_house() as house:
            await until(lambda: house.window.composer.text == "to nobody yet")
            click_chat(house, "First")
            await until(lambda: house.window.composer.text == "to the first")

    run(story())


def test_what_is_typed_before_the_store_is_read_goes_behind_what_was_there(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house() as house:
            await until(lambda: house.ready)
            QTest.keyClicks(house.window.composer._edit, "before")
        async with open_house() as house:
            QTest.keyClicks(house.window.composer._edit, "after")
            await until(lambda: "before" in house.window.composer.text)
            assert house.window.composer.text in ("before\n\nafter", "beforeafter")

    run(story())


def test_a_store_that_cannot_be_written_takes_nothing_from_the_composer(
    run: Run, open_house: OpenHouse, profile: Profile
) -> None:
    async def story() -> None:
        profile.chats.mkdir()  # a folder where the file of the chats should be
        async with open_house(Script(answer=b"Still here.")) as house:
            await until(lambda: house.ready)
            QTest.keyClicks(house.window.composer._edit, "Words that matter")
            await until(lambda: house.window.notice.isVisible())
            await asyncio.sleep(0.5)  # several tries to save
            assert house.window.composer.text == "Words that matter"
            type_and_send(house, "")
            await answered(house)
            assert house.rows[-1].text == "Still here."

    run(story())


def sent(house: House) -> list[str]:
    return [row.text for row in house.rows if row.role == "user"]


def test_what_is_written_while_an_answer_comes_stays(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=None, step_s=0.005)) as house:
            await until(lambda: house.ready)
            type_and_send(house, "Go on")
            await until(lambda: house.rows and len(house.rows[-1].text) > 3)
            type_and_send(house, "My next question")  # Enter does nothing yet
            assert house.window.composer.text == "My next question"
            assert sent(house) == ["Go on"]
            QTest.keyClick(house.window, Qt.Key.Key_Escape)
            await answered(house)
            assert house.window.composer.text == "My next question"

    run(story())
