"""Tests of the tray icon, its menu, and the notifications about answers."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from desktop.settings.settings_file import SettingsFile
from desktop.shell.notifications import LONG_S, AnswerNotifier
from desktop.shell.tray import Tray
from engine.files.profile import Profile
from tests.desktop.chat.quick_ask.test_quick_ask import quick_window
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.fakes import Script

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", "systemTrayWindowChanged")


def child_of_window(gui: Gui, kind: type[QObject]) -> Any:
    (found,) = [child for child in gui.window.children() if isinstance(child, kind)]
    return found


def menu_entry(gui: Gui, text: str) -> QAction:
    menu: QMenu = child_of_window(gui, Tray).menu
    return next(each for each in menu.actions() if each.text() == text)


def test_each_entry_of_the_tray_menu_runs_its_action(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Yes.")) as gui:
            await until(lambda: gui.ready)
            type_and_send(gui, "Is it?")
            await answered(gui)
            assert not child_of_window(gui, Tray).icon.isVisible()  # the menu must work even if there is no tray
            assert not child_of_window(gui, Tray).icon.icon().isNull()
            gui.window.showMinimized()
            menu_entry(gui, "New chat").trigger()
            assert not gui.window.isMinimized()
            assert gui.rows == []
            menu_entry(gui, "Quick ask").trigger()
            assert quick_window(gui).isVisible()
            gui.window.showMinimized()
            menu_entry(gui, "Show the window").trigger()
            assert not gui.window.isMinimized()
            assert not menu_entry(gui, "Endpoint").isChecked()
            menu_entry(gui, "Endpoint").trigger()
            await until(lambda: gui.endpoint_page._state.stage in ("on", "failed"))
            on = gui.endpoint_page._state.stage == "on"
            assert menu_entry(gui, "Endpoint").isChecked() == on
            menu_entry(gui, "Quit Inglenook").trigger()
            assert gui.window.closing

    run(story())


def test_closing_the_window_to_the_tray_keeps_the_app_running(
    run: Run, open_gui: OpenGui, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            page = gui.window.view("settings")
            # The setting is disabled, because without a tray the user could not show the window again.
            assert not page.row("stays").switch.isEnabled()
        monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: True))
        async with open_gui() as gui:
            page = gui.window.view("settings")
            page.row("stays").switch.click()
            gui.window.close()
            assert (gui.window.isVisible(), gui.window.closing) == (False, False)
            menu_entry(gui, "Show the window").trigger()
            assert gui.window.isVisible()
            page.row("tray").switch.click()
            assert not page.row("stays").switch.isEnabled()
            assert not child_of_window(gui, Tray).icon.isVisible()
        kept = SettingsFile(profile.settings).value
        assert (kept.tray, kept.stays, kept.notifies) == (False, True, True)

    run(story())


def test_closing_hides_the_window_only_while_the_desktop_has_a_tray(
    run: Run, open_gui: OpenGui, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    trays: list[bool] = [False]
    messages: list[str] = []
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: trays[0]))
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", staticmethod(lambda: True))
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda icon, title, words, *more: messages.append(words))

    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            tray, page = child_of_window(gui, Tray), gui.window.view("settings")
            tray.show_message("An answer is ready", "Before", lambda: None)
            gui.window.sidebar.page_buttons["settings"].click()
            assert not page.row("stays").switch.isEnabled()
            gui.window.show_page("chat")
            trays[0] = True
            tray.show_message("An answer is ready", "After", lambda: None)
            assert messages == ["After"]
            gui.window.sidebar.page_buttons["settings"].click()
            assert page.row("stays").switch.isEnabled()
            page.row("stays").switch.click()
            gui.window.close()
            assert (gui.window.isVisible(), gui.window.closing) == (False, False)
            gui.window.bring_to_front()
            trays[0] = False
            gui.window.close()
            assert gui.window.closing, "without a tray the window could not be shown again"
        trays[0] = False
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            trays[0] = True
            gui.window.close()  # closing only hides the window, because the setting is still on
            assert not gui.window.closing
            assert child_of_window(gui, Tray).icon.isVisible()
            gui.window.quit()

    run(story())


def test_unseen_long_answer_shows_notification_with_chat_title_only(
    run: Run, open_gui: OpenGui, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages: list[tuple[str, str]] = []
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: True))
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", staticmethod(lambda: True))
    monkeypatch.setattr(
        QSystemTrayIcon, "showMessage", lambda icon, title, words, *more: messages.append((title, words))
    )

    async def story() -> None:
        async with open_gui(Script(answer=b"A secret.")) as gui:
            await until(lambda: gui.ready)
            notifying = child_of_window(gui, AnswerNotifier)
            now_s = notifying._now_s
            notifying._now_s = lambda: now_s() + LONG_S
            gui.window.activateWindow()
            await until(gui.window.isActiveWindow)
            type_and_send(gui, "Seen")
            await answered(gui)
            assert messages == []
            gui.window.showMinimized()
            type_and_send(gui, "Unseen?")
            await until(lambda: messages)
            assert messages == [("An answer is ready", "Seen")]
            notifying._now_s = now_s
            type_and_send(gui, "Short")
            await until(lambda: len(gui.rows) == 6 and gui.rows[-1].state == "complete")
            notifying._now_s = lambda: now_s() + LONG_S
            gui.window.view("settings").row("notifies").switch.click()
            type_and_send(gui, "Not wanted")
            await until(lambda: len(gui.rows) == 8 and gui.rows[-1].state == "complete")
            assert len(messages) == 1
            gui.window.sidebar.new_chat_requested.emit()
            gui.window.showMinimized()
            child_of_window(gui, Tray).icon.messageClicked.emit()
            await until(lambda: len(gui.rows) == 8)
            assert not gui.window.isMinimized()

    run(story())


def test_actions_without_a_button_are_listed_in_the_shortcuts_card(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            edits = gui.window.view("settings").shortcuts._edits
            assert {"quick_ask", "switch_endpoint", "quit", "text_larger", "diagnostics"} <= set(edits)
            keys = {each.toString() for action in gui.window.actions() for each in action.shortcuts()}
            assert {"Ctrl+Shift+Space", "Ctrl+Q"} <= keys

    run(story())
