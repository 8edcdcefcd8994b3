"""Tests of toasts, which can be clicked on every page, cover no field, and are removed when they no longer apply."""

from __future__ import annotations

import asyncio
import errno
import json
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from desktop.error_messages import error_message
from desktop.import_export.wiring import ImportExportWiring
from desktop.launch import show_restored
from desktop.models.download_manager import DownloadState
from desktop.models.page import ModelsPage
from desktop.models.wiring import ModelsWiring
from desktop.platform.theme import Theme
from desktop.shell.main_window import MainWindow
from desktop.store.errors import StoreFull
from desktop.widgets import toast as toast_module
from desktop.widgets.toast import Toast
from engine.files.profile import Profile
from engine.library.hub_errors import HubUnreachable
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.import_export import foreign_exports
from tests.desktop.shell.test_gallery import fill, open_chat
from tests.desktop.shell.test_main_window import free_port

SIZES = ((1_200, 800), (1_000, 600), (620, 480))


def show_everywhere(window: MainWindow) -> dict[str, Callable[[], None]]:
    def chat_settings() -> None:
        window.show_page("chat")
        assert window.chat_page.settings_sheet is not None
        window.chat_page.settings_sheet.open_sheet()

    def model_sheet() -> None:
        window.show_page("models")
        page = window.view("models", ModelsPage)
        assert page is not None
        page.sheet.open_sheet()

    return {
        "models": lambda: window.show_page("models"),
        "model sheet": model_sheet,
        "endpoint": lambda: window.show_page("endpoint"),
        "settings": lambda: window.show_page("settings"),
        "help": lambda: window.show_page("help"),
        "chat": lambda: window.show_page("chat"),
        "chat settings": chat_settings,
    }


def rect_in_window(widget: QWidget) -> QRect:
    """The part of a widget that its parents do not clip, in coordinates of the window."""
    rect, inner = widget.rect(), widget
    while not inner.isWindow() and (outer := inner.parentWidget()) is not None:
        rect = rect.translated(inner.pos()).intersected(outer.rect())
        inner = outer
    return rect


def is_in_front(toast: Toast) -> bool:
    """Whether a click in the middle or near a corner of the toast would reach the toast."""
    window, box = toast.window(), toast.rect().adjusted(14, 8, -14, -8)
    spots = (box.topLeft(), box.topRight(), box.bottomLeft(), box.bottomRight(), box.center())
    hit = [window.childAt(toast.mapTo(window, spot)) for spot in spots]
    return all(each is not None and (each is toast or toast.isAncestorOf(each)) for each in hit)


def covered(window: MainWindow) -> list[QWidget]:
    """The fields and buttons that the toast covers, except the button to the end of the chat."""
    box = rect_in_window(window.toast)
    controls = [each for kind in (QLineEdit, QPlainTextEdit, QAbstractButton) for each in window.findChildren(kind)]
    return [
        each
        for each in controls
        if each.isVisible() and not window.toast.isAncestorOf(each) and rect_in_window(each).intersects(box)
        if each.objectName() != "toEnd"
    ]


async def at_rest() -> None:
    for _ in range(3):
        await asyncio.sleep(0.01)


def close_sheets(window: MainWindow) -> None:
    assert window.chat_page.settings_sheet is not None
    models = window.view("models", ModelsPage)
    assert models is not None
    window.chat_page.settings_sheet.close_sheet()
    models.sheet.close_sheet()


@pytest.mark.parametrize("size", SIZES)
def test_toast_is_in_front_and_clickable_on_every_page(
    run: Run, open_gui: OpenGui, profile: Profile, size: tuple[int, int]
) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui() as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)
            window: MainWindow = gui.window
            QTest.keyClick(window, Qt.Key.Key_F1)
            window.resize(*size)
            await open_chat(gui, "c3")
            window.toast.show_message(
                "The import failed, and this says why in a sentence.", action="Do it", act=lambda: None
            )
            for name, show in show_everywhere(window).items():
                show()
                await at_rest()
                assert is_in_front(window.toast), name
                assert rect_in_window(window.toast).size() == window.toast.size(), name
                assert not covered(window), name
                close_sheets(window)
            for name, show in show_everywhere(window).items():
                done: list[str] = []
                show()
                window.toast.show_message("A question?", action="Yes", act=partial(done.append, name))
                await at_rest()
                assert is_in_front(window.toast), name
                assert not covered(window), name
                button = window.toast._action
                at = button.mapTo(window, button.rect().center())
                target = window.childAt(at)
                assert target is button
                QTest.mouseClick(target, Qt.MouseButton.LeftButton, pos=target.mapFrom(window, at))
                assert done == [name]
                close_sheets(window)

    run(story())


def test_page_has_its_full_height_again_after_toast_is_dismissed(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            window = gui.window
            window.show_page("settings")
            await at_rest()
            height = window.view("settings").height()
            window.toast.show_message("Something happened.")
            await until(lambda: window.view("settings").height() < height)
            window.toast.dismiss()
            await until(lambda: window.view("settings").height() == height)

    run(story())


@pytest.fixture
def toast(qtbot: QtBot, theme: Theme) -> Toast:
    home = QWidget()
    qtbot.addWidget(home)
    home.resize(800, 400)
    made = Toast(theme, home.rect, home)
    with qtbot.waitExposed(home):
        home.show()
    home.activateWindow()
    return made


def test_earlier_toast_is_shown_again_after_newer_one_is_removed(qtbot: QtBot, toast: Toast) -> None:
    toast.show_message("May I look for updates?", action="Yes")
    toast.show_message("Saved.", for_ms=30)
    assert toast.text == "Saved."
    qtbot.waitUntil(lambda: toast.text == "May I look for updates?")
    toast.dismiss()
    assert toast.isHidden()


def test_earlier_toast_whose_time_is_over_is_not_shown_again(qtbot: QtBot, toast: Toast) -> None:
    toast.show_message("Deleted.", action="Undo", for_ms=20)
    message = toast._messages[0]
    toast.show_message("A question?", action="Yes")
    qtbot.waitUntil(lambda: message.ends_s < time.monotonic())
    toast.dismiss()
    assert toast.isHidden()


def test_alert_toast_that_stays_is_shown_again_after_newer_ones_are_dismissed(toast: Toast) -> None:
    toast.show_message("Nothing is saved.", alert=True, stays=True)
    for number in range(2 * toast_module.MAX_WAITING):
        toast.show_message(f"Message {number}", action="Do it")
    for _ in range(toast_module.MAX_WAITING):
        toast.dismiss()
    assert toast.text == "Nothing is saved."


def test_toast_with_two_actions_runs_the_clicked_one(toast: Toast) -> None:
    done: list[str] = []
    for number in range(2):
        other = "Second", lambda: done.append("second")
        toast.show_message("Which?", action="First", act=lambda: done.append("first"), other_action=other)
        assert not toast._other_action.isHidden()
        toast._actions[number].click()
        assert toast.isHidden()
    assert done == ["first", "second"]
    toast.show_message("Only one.", action="First")
    assert toast._other_action.isHidden()


def test_newer_toast_replaces_earlier_one_of_same_topic(toast: Toast) -> None:
    toast.show_message("The import failed.", alert=True, topic="import")
    toast.show_message("A question?", action="Yes")
    toast.show_message("One chat imported.", topic="import")
    toast.dismiss()
    assert toast.text == "A question?"
    toast.dismiss()
    assert toast.isHidden()
    toast.show_message("The model could not be loaded.", alert=True, action="Load it again", topic="model")
    toast.clear("model")
    assert toast.isHidden()


def test_alert_toast_is_removed_when_its_time_is_over_or_page_changes(
    qtbot: QtBot, toast: Toast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toast_module, "ALERT_S", 0.05)
    monkeypatch.setattr(toast, "isActiveWindow", lambda: True)
    toast.show_message("pic.png is no text.", alert=True)
    qtbot.waitUntil(toast.isHidden)
    monkeypatch.setattr(toast_module, "ALERT_S", 600.0)
    toast.show_message("pic.png is no text.", alert=True)
    toast.show_message("A question?", action="Yes")
    toast.show_message("The disk is full.", alert=True, stays=True)
    toast.move_on()
    assert len(toast._messages) == 3, "nobody can have read it yet"
    monkeypatch.setattr(toast_module, "READ_S", 0.0)
    toast.move_on()
    assert [each.text for each in toast._messages] == ["A question?", "The disk is full."]


def test_alert_toast_is_kept_while_window_is_inactive_or_mouse_is_over_it(
    qtbot: QtBot, toast: Toast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toast_module, "ALERT_S", 0.02)
    active = False
    monkeypatch.setattr(toast, "isActiveWindow", lambda: active)
    toast.show_message("The import failed.", alert=True)
    ends = toast._messages[0].ends_s
    qtbot.waitUntil(lambda: toast._messages[0].ends_s > ends)
    assert toast.isVisible()
    active = True
    at = QPoint(5, 5).toPointF()
    QApplication.sendEvent(toast, QEnterEvent(at, at, at))
    assert not toast._fade.isActive()
    toast.leaveEvent(QEnterEvent(at, at, at))
    qtbot.waitUntil(toast.isHidden)


def test_alert_toast_is_removed_when_another_chat_or_page_is_opened(
    run: Run, open_gui: OpenGui, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toast_module, "READ_S", 0.0)

    async def story() -> None:
        await fill(profile)
        async with open_gui() as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)
            gui.window.toast.show_message("pic.png is no text.", alert=True)
            await open_chat(gui, "c3")
            assert gui.window.toast.text == ""
            gui.window.toast.show_message("pic.png is no text.", alert=True)
            gui.window.show_page("models")
            assert gui.window.toast.text == ""

    run(story())


def test_disk_full_toast_is_removed_when_saving_works_again(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            chats = chats_of(gui)
            saves, full = chats.sessions.store.save_all, True

            async def save_all(*given: object) -> None:
                if full:
                    raise StoreFull
                await saves(*given)

            chats.sessions.store.save_all = save_all
            chats.sessions.write_queue._retry_s = 0.02
            chats.send("Is there room?")
            await until(lambda: gui.window.toast.text)
            gui.window.show_page("models")
            assert gui.window.toast.text
            full = False
            await until(lambda: not gui.window.toast.text)

    run(story())


def chats_of(gui: Gui) -> Any:
    (wiring,) = [child for child in gui.window.children() if isinstance(child, ImportExportWiring)]
    return wiring._chats


def test_toast_about_failed_endpoint_is_shown_on_other_pages_until_endpoint_runs_again(
    run: Run, open_gui: OpenGui
) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                taken.listen()
                gui.endpoint_page.port_requested.emit(taken.getsockname()[1])
                await until(lambda: gui.endpoint_page._state.stage == "failed")
                assert gui.window.toast.text == gui.endpoint_page._alert.text.text()
                gui.window.toast._action.click()
                assert gui.window.pages.currentWidget() is gui.endpoint_page
            gui.endpoint_page.port_requested.emit(free_port())
            await until(lambda: gui.endpoint_page._state.stage == "on")
            assert gui.window.toast.text == ""

    run(story())


def test_failed_download_shows_one_toast_on_other_pages(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            (wiring,) = [child for child in gui.window.children() if isinstance(child, ModelsWiring)]
            downloads = wiring._library.downloads
            failed = DownloadState("a/1", "Qwen3 4B", "failed", error=HubUnreachable())
            downloads.changed.emit((replace(failed, stage="fetching", error=None),))
            assert gui.window.toast.text == ""
            downloads.changed.emit((failed,))
            assert gui.window.toast.text.startswith("The download of Qwen3 4B stopped: Hugging Face cannot")
            gui.window.toast.dismiss()
            downloads.changed.emit((failed,))
            assert gui.window.toast.text == ""
            downloads.changed.emit((replace(failed, key="a/2"), failed))
            assert gui.window.toast.text
            downloads.changed.emit(())
            assert gui.window.toast.text == ""

    run(story())


@pytest.mark.parametrize("alert", [False, True])
def test_toast_is_announced_to_screen_reader(toast: Toast, monkeypatch: pytest.MonkeyPatch, alert: bool) -> None:
    given: list[tuple[str, QAccessible.AnnouncementPoliteness]] = []

    class Reader:
        AnnouncementPoliteness = QAccessible.AnnouncementPoliteness

        @staticmethod
        def isActive() -> bool:
            return True

        @staticmethod
        def updateAccessibility(event: QAccessibleAnnouncementEvent) -> None:
            given.append((event.message(), event.politeness()))

    monkeypatch.setattr(toast_module, "QAccessible", Reader)
    toast.show_message("The import failed.", alert=alert)
    polite = QAccessible.AnnouncementPoliteness
    assert given == [("The import failed.", polite.Assertive if alert else polite.Polite)]


def test_import_alert_is_removed_by_the_next_import(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    (tmp_path / "conversations.json").write_text(json.dumps(foreign_exports.CHATGPT))

    async def story() -> None:
        async with open_gui() as gui:
            gui.window.show_page("settings")
            (wiring,) = [child for child in gui.window.children() if isinstance(child, ImportExportWiring)]
            wiring.start_import(tmp_path / "nowhere.json")
            await until(lambda: "nowhere.json" in gui.window.toast.text)
            wiring.start_import(tmp_path / "conversations.json")
            assert gui.window.toast.text == ""
            card = wiring._card
            assert card is not None
            await until(lambda: card._import_status.text() == "One chat imported.")

    run(story())


def test_toast_about_unsaved_chats_is_kept_when_page_changes(
    run: Run, open_gui: OpenGui, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toast_module, "READ_S", 0.0)
    profile.ensure()
    profile.chats.mkdir()  # a folder in place of the database, which therefore cannot be opened

    async def story() -> None:
        async with open_gui() as gui:
            toast = gui.window.toast
            await until(lambda: toast.text.startswith("Chats are not saved"))
            toast.move_on()
            assert toast.text.startswith("Chats are not saved")

    run(story())


def test_system_error_is_shown_without_its_error_number() -> None:
    assert error_message(OSError(errno.ENOSPC, "No space left on device")).endswith(": No space left on device")


def test_restored_backup_shows_toast_with_folder_of_old_data(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            show_restored(gui.window.toast, Path("profile") / "before-restore-2026-01-02-030405")
            assert "The backup is restored" in gui.window.toast.text
            assert "before-restore-2026-01-02-030405" in gui.window.toast.text

    run(story())
