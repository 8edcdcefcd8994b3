"""Tests that after each action the screen equals a full repaint, on every page and in every list."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from desktop.chat.message_list import MessageList
from desktop.chat.quick_ask.controller import QuickAskController
from desktop.settings.settings_file import SettingsFile
from desktop.shell.command_palette import CommandPalette
from desktop.store.records import Chat, ChatMessage, Folder
from desktop.store.store import Store
from desktop.transcript.view import TranscriptView
from engine.files.profile import Profile
from tests.desktop.chat.composer.test_overflow_card import fill as fill_long
from tests.desktop.chat.composer.test_overflow_card import open_long
from tests.desktop.chat.quick_ask.test_quick_ask import child_of_window
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.endpoint.page_driver import Client, served
from tests.desktop.models import test_gallery_models
from tests.desktop.models.test_gallery_models import DOWNLOADS
from tests.desktop.mouse import drag_scroll_bar, hover, leave, wheel
from tests.desktop.repaint import Surface, assert_current
from tests.desktop.shell.test_gallery import ANSWER, RICH
from tests.desktop.shell.test_main_window import type_and_send
from tests.engine.library.fake_hub import FakeHub
from tests.fakes import Script

SIZE = (1000, 520)
hub = test_gallery_models.hub


async def fill(profile: Profile, n_chats: int = 60, *, folders: bool = False) -> None:
    store, now = Store(profile.chats), time.time()
    await store.open()
    if folders:
        await store.save_folders(Folder("f0", "Garden", 0.0), Folder("f1", "Code", 1.0))
    for number in range(n_chats):
        folder_id = f"f{number % 2}" if folders and number % 3 == 0 else ""
        chat = Chat(f"c{number}", f"Lighthouse {number}", now, now - number * 9_000, leaf_id=f"a{number}")
        chat = replace(chat, folder_id=folder_id, pinned=number % 20 == 7)
        ask = ChatMessage(f"q{number}", chat.id, None, "user", f"The lighthouse {number}?", "complete", now)
        answer = ChatMessage(f"a{number}", chat.id, ask.id, "assistant", RICH + "\n\n" + ANSWER, "complete", now)
        await store.save(chat, [ask, answer])
    await store.aclose()


async def lived_in(gui: Gui, n_chats: int = 60) -> Surface:
    await until(lambda: gui.ready and gui.chats.model().rowCount() > n_chats)
    gui.window.resize(*SIZE)
    await quiet()
    return Surface(gui.window)


async def quiet() -> None:
    """Waits for timers of 0 ms and for short animations."""
    for _ in range(4):
        await asyncio.sleep(0.01)


async def exercise(surface: Surface, area: QAbstractScrollArea, name: str) -> None:
    """Scrolls in an area and hovers over it. After each action, compares the screen with a full repaint."""
    view = area.viewport()
    for n_notches in (1, 2, -1, 5):
        wheel(view, n_notches)
        assert_current(surface, f"{n_notches} notches of the wheel over {name}")
        await quiet()
        assert_current(surface, f"a rest after the wheel over {name}")
    for y in range(4, view.height(), max(8, view.height() // 6)):
        hover(view, QPoint(view.width() // 2, y))
        assert_current(surface, f"hovering over {name}")
        wheel(view, 1, QPoint(view.width() // 2, y))
        assert_current(surface, f"the wheel under a pointer that hovers over {name}")
    leave(view)
    assert_current(surface, f"the pointer's leaving {name}")
    if area.verticalScrollBar().isVisible():
        for distance in (30, 80, -60):
            drag_scroll_bar(area, distance)
            await quiet()
            assert_current(surface, f"dragging the scroll bar of {name} by {distance}")
    area.verticalScrollBar().setValue(0)
    assert_current(surface, f"a jump to the top of {name}")


async def change_around(gui: Gui, surface: Surface, name: str) -> None:
    """Changes the window size and the colour scheme, and shows a toast. After each action, compares the screen with a
    full repaint."""
    for size in ((700, 480), (1180, 620), SIZE):
        gui.window.resize(*size)
        await quiet()
        assert_current(surface, f"a resize to {size} on {name}")
    for scheme in ("dark", "light"):
        gui.window.theme.choose(scheme)
        await quiet()
        assert_current(surface, f"the change to {scheme} on {name}")
    gui.window.toast.show_message("Something happened here.", action="Undo", act=lambda: None)
    await quiet()
    assert_current(surface, f"a toast on {name}")
    gui.window.toast.dismiss()
    await quiet()
    assert_current(surface, f"a toast that left {name}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("folders", [False, True], ids=["by day", "folders"])
def test_chat_list_is_repainted_after_each_action(
    run: Run, open_gui: OpenGui, profile: Profile, scheme: str, folders: bool
) -> None:
    async def story() -> None:
        await fill(profile, folders=folders)
        async with open_gui(Script(answer=b"So many words.", step_s=0.01), theme=scheme) as gui:
            surface = await lived_in(gui)
            await exercise(surface, gui.chats, "the chats")
            for key in (Qt.Key.Key_PageDown, Qt.Key.Key_Down, Qt.Key.Key_End, Qt.Key.Key_Up, Qt.Key.Key_Home):
                gui.chats.setFocus()
                QTest.keyClick(gui.chats, key)
                assert_current(surface, f"{key} in the chats")
            gui.chats.rename("c9")
            wheel(gui.chats.viewport(), 2)
            assert_current(surface, "the wheel while a title is edited")
            gui.chats.setFocus()
            gui.chats.selectAll()
            await quiet()
            assert_current(surface, "choosing all chats")
            await exercise(surface, gui.chats, "the chosen chats")
            gui.chats.leave_multi_selection()
            type_and_send(gui, "Another one")
            await until(lambda: gui.rows and gui.rows[-1].state == "complete")
            assert_current(surface, "a chat that began")
            gui.chats.requests.delete_requested.emit(("c3",))
            await quiet()
            assert_current(surface, "a chat that was deleted")
            await change_around(gui, surface, "the chats")

    run(story())


def test_search_results_and_palette_are_repainted_after_each_action(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui() as gui:
            surface = await lived_in(gui)
            gui.window.sidebar.search.setFocus()
            gui.window.sidebar.search.setText("lighthouse")
            found = gui.window.sidebar._results
            assert found is not None
            await until(lambda: found.isVisible() and found.model().rowCount() > 20)
            await quiet()
            await exercise(surface, found, "what was found")
            await change_around(gui, surface, "what was found")
            gui.window.sidebar.search.clear()
            await until(lambda: not found.isVisible())
            palette = gui.window.findChild(CommandPalette)
            assert palette is not None
            palette.open()
            await quiet()
            assert_current(surface, "opening the palette")
            await exercise(surface, palette._list, "the palette")
            for letter in "light":
                QTest.keyClicks(palette._field, letter)
                await quiet()
                assert_current(surface, f"typing {letter} in the palette")
            for _ in range(9):
                QTest.keyClick(palette._field, Qt.Key.Key_Down)
                assert_current(surface, "Down in the palette")
            palette.close_palette()
            assert_current(surface, "closing the palette")

    run(story())


def test_transcript_is_repainted_after_each_action(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile, 8)
        async with open_gui() as gui:
            surface = await lived_in(gui, 7)
            gui.chats.requests.open_requested.emit("c1")
            await until(lambda: len(gui.rows) == 2)
            await quiet()
            page = gui.transcript
            await exercise(surface, page, "the transcript")
            page.open_find()
            page.finder.bar.edit.setText("the")
            await quiet()
            assert_current(surface, "finding")
            page.finder.bar.stepped.emit(1)
            assert_current(surface, "the next match")
            page.finder.close()
            page.edit(gui.rows[0].id)
            await quiet()
            assert_current(surface, "opening the editor")
            wheel(page.viewport(), 3)
            assert_current(surface, "the wheel beside an open editor")
            page.editing.close()
            await quiet()
            page.verticalScrollBar().setValue(60)
            QTest.mousePress(page.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 60))
            QTest.mouseMove(page.viewport(), QPoint(300, 200))
            QTest.mouseRelease(page.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
            assert_current(surface, "selecting")
            await change_around(gui, surface, "the transcript")

    run(story())


LINE = "The keeper of the lighthouse wrote down what he saw, and it was little. "
SHAPES = {
    "paragraphs": (LINE * 4 + "\n\n") * 12,
    "one paragraph": LINE * 60,
    "code": "```python\n" + "".join(f"line_{n} = {n}  # what it holds\n" for n in range(120)),
    "list": "".join(f"- point {n}: {LINE}\n" for n in range(40)),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("end", ["stopped", "complete", "cut", "failed"])
def test_answer_longer_than_the_view_is_fully_painted_when_it_ends(
    view: TranscriptView, messages: MessageList, shape: str, end: str
) -> None:
    surface, text = Surface(view), SHAPES[shape]
    question = ChatMessage("q", "c", None, "user", "What did he see?", "complete", 0.0)
    answer = ChatMessage("m", "c", "q", "assistant", "", "streaming", 0.0)
    messages.append(question, answer)
    step = len(text) // 12
    for length in range(step, len(text) + 1, step):
        messages.replace(replace(answer, text=text[:length]))
        view.updates.refresh()
        assert_current(surface, f"{length} letters")
    assert view.verticalScrollBar().maximum() > view.viewport().height()
    messages.replace(replace(answer, text=text + " And the last words.", state=end))  # type: ignore[arg-type]
    view.updates.refresh()
    assert_current(surface, f"the end of the answer, {end}")


@pytest.mark.parametrize("above", [40, 400], ids=["near the end", "far from it"])
def test_answer_growing_below_the_visible_part_is_fully_painted(
    view: TranscriptView, messages: MessageList, above: int
) -> None:
    surface, text = Surface(view), SHAPES["paragraphs"]
    answer = ChatMessage("m", "c", None, "assistant", text[:2_000], "streaming", 0.0)
    messages.append(answer)
    wheel(view.viewport(), -1)
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() - above)
    for length in range(2_000, len(text), 90):
        messages.replace(replace(answer, text=text[:length]))
        view.updates.refresh()
        wheel(view.viewport(), 1 if length % 180 else -1)
        assert_current(surface, f"{length} letters")
    messages.replace(replace(answer, text=text, state="stopped"))
    view.updates.refresh()
    assert_current(surface, "the stop")


def test_stopped_answer_is_fully_painted(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=SHAPES["paragraphs"].encode(), step_s=0.002)) as gui:
            await until(lambda: gui.ready)
            gui.window.resize(*SIZE)
            surface = Surface(gui.window)
            type_and_send(gui, "Tell me of the sea")
            await until(lambda: len(gui.rows[-1].text) > 1_600)
            assert_current(surface, "the first words")
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            await until(lambda: gui.rows[-1].state == "stopped")
            await until(lambda: not gui.transcript.updates.throttle._timer.isActive())
            await quiet()
            assert_current(surface, "the stop")

    run(story())


def test_models_page_is_repainted_after_each_action(
    run: Run,
    open_gui: OpenGui,
    profile: Profile,
    hub: FakeHub,
    tmp_path: Path,
) -> None:
    test_gallery_models.write_models(tmp_path / "models")
    settings = SettingsFile(profile.settings)
    settings.change(model_folders=[str(tmp_path / "models")])
    settings.save()

    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            gui.window.resize(*SIZE)
            page = await test_gallery_models.open_page(gui, 5)
            await quiet()
            surface = Surface(gui.window)
            await exercise(surface, page, "the models page")
            await exercise(surface, page.local_models.view, "the models on disk")
            await exercise(surface, page.recommended.view, "the suggested models")
            page.downloads.show_states(DOWNLOADS)
            await quiet()
            assert_current(surface, "downloads that began")
            await exercise(surface, page, "the models page with downloads")
            page.action_requested.emit("settings", test_gallery_models.rows(page)[1])
            await quiet()
            assert_current(surface, "opening the sheet of a model")
            for area in areas_of(page.sheet):
                await exercise(surface, area, "the sheet of a model")
            await change_around(gui, surface, "the models page")
            page.header.search.setText("gemma")
            page.header.search.search_requested.emit("gemma")
            await until(lambda: len(page.hub_results._list or ()) == 4)
            await quiet()
            await exercise(surface, page.hub_results.view, "the models of the hub")

    run(story())


def test_endpoint_settings_and_help_pages_are_repainted_after_each_action(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    async def story() -> None:
        await fill(profile, 8)
        async with open_gui() as gui:
            surface, window = await lived_in(gui, 7), gui.window
            for name in ("endpoint", "settings", "help"):
                window.show_page(name)
                await quiet()
                assert_current(surface, f"going to {name}")
                areas = [area for area in areas_of(window.pages.currentWidget()) if area.isVisible()]
                for area in areas:
                    await exercise(surface, area, f"{type(area).__name__} of {name}")
                await change_around(gui, surface, name)
            window.show_page("chat")
            await quiet()
            assert_current(surface, "going back to the chat")

    run(story())


def test_chat_settings_and_overflow_card_are_repainted_after_each_action(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    async def story() -> None:
        await fill_long(profile)
        async with open_gui() as gui:
            window = gui.window
            card = await open_long(gui)
            window.resize(*SIZE)
            surface = Surface(window)
            window.chat_page.composer.settings_requested.emit()
            await quiet()
            assert_current(surface, "opening the settings of a chat")
            sheet = window.chat_page.settings_sheet
            assert sheet is not None
            for area in areas_of(sheet):
                await exercise(surface, area, f"{type(area).__name__} of the chat's settings")
            await change_around(gui, surface, "the chat's settings")
            sheet.close_sheet()
            assert_current(surface, "closing the settings of a chat")
            type_and_send(gui, "long " * 200)
            await until(card.isVisible)
            await quiet()
            assert_current(surface, "what would be left out")
            for area in areas_of(card):
                await exercise(surface, area, "what would be left out")
            await change_around(gui, surface, "what would be left out")

    run(story())


def test_endpoint_page_with_active_request_is_repainted_after_each_action(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, Script(answer=SHAPES["paragraphs"].encode(), step_s=0.002)) as gui:
            gui.window.resize(*SIZE)
            surface, client = Surface(gui.window), Client(gui, gui.endpoint_page._state.key)
            asking = asyncio.create_task(client.ask("Tell me of the sea"))
            view = gui.endpoint_page.requests.view
            await until(lambda: view.model().rowCount() == 1 and client.chunks)
            for _ in range(5):
                await quiet()
                assert_current(surface, "words of a request")
            await exercise(surface, view, "the requests")
            gui.endpoint_page.requests.stop_all.click()
            await asking
            await quiet()
            assert_current(surface, "the end of a request")
            await exercise(surface, gui.endpoint_page, "the page of the endpoint")

    run(story())


def test_comparison_of_answers_is_repainted_after_each_action(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=SHAPES["paragraphs"].encode()[:1_500], step_s=0.001)) as gui:
            await until(lambda: gui.ready)
            gui.window.resize(*SIZE)
            surface = Surface(gui.window)
            type_and_send(gui, "Tell me of the sea")
            await until(lambda: gui.rows[-1].state == "complete")
            gui.transcript.alternatives_requested.emit(gui.rows[-1].id)
            for n_letters in (100, 400, 900):
                await until(lambda n=n_letters: len(gui.rows[-1].text) > n)  # type: ignore[misc]
                gui.transcript.updates.refresh()  # this call lays out the text that was received since the last refresh
                assert_current(surface, f"{n_letters} letters side by side")
            gui.window.chat_page.composer.stop_requested.emit()
            await until(lambda: gui.rows[-1].state != "streaming")
            await until(lambda: not gui.transcript.updates.throttle._timer.isActive())
            assert_current(surface, "the stop of all answers")
            await exercise(surface, gui.transcript, "answers side by side")
            gui.transcript.picked.emit(gui.rows[-1].id)
            await quiet()
            assert_current(surface, "the choice of one answer")
            gui.transcript.delete_requested.emit(gui.rows[-1].id)
            await quiet()
            assert_current(surface, "a deleted answer")

    run(story())


@pytest.mark.qt_log_ignore("This plugin does not support", "systemTrayWindowChanged")
def test_quick_ask_is_repainted_after_each_action(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=SHAPES["paragraphs"].encode(), step_s=0.001)) as gui:
            await until(lambda: gui.ready)
            wiring = child_of_window(gui, QuickAskController)
            wiring.open()
            small = wiring.quick_window
            surface = Surface(small)
            QTest.keyClicks(small.field, "Tell me of the sea")
            QTest.keyClick(small.field, Qt.Key.Key_Return)
            await until(lambda: small._message is not None and len(small._message.text) > 900)
            await quiet()
            assert_current(surface, "the first words in the small window")
            for area in areas_of(small):
                if area.isVisible() and area.viewport().height() > 20:
                    await exercise(surface, area, f"{type(area).__name__} of the small window")
            small.hide()

    run(story())


def areas_of(widget: QWidget) -> list[QAbstractScrollArea]:
    found = [widget] if isinstance(widget, QAbstractScrollArea) else []
    return found + [area for area in widget.findChildren(QAbstractScrollArea) if area.isVisible()]
