"""The small window, the icon in the tray, and what is said while the window is out of sight."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QGuiApplication, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from desktop.chat.quick_ask.controller import QuickAskController
from desktop.platform.single_instance import InstanceServer, signal_running_instance
from desktop.settings.settings_file import SettingsFile
from desktop.shell.notifications import LONG_S, AnswerNotifier
from desktop.shell.tray import Tray
from desktop.transcript.answer_view import MAX_HEIGHT
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_gallery import ANSWER, GALLERY
from tests.desktop.shell.test_main_window import answered, titles, type_and_send
from tests.fakes import Script

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", "systemTrayWindowChanged")
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
ROOT = Path(__file__).parents[4]


def only(gui: Gui, kind: type[QObject]) -> Any:
    (found,) = [child for child in gui.window.children() if isinstance(child, kind)]
    return found


def small_of(gui: Gui) -> Any:
    return only(gui, QuickAskController).quick_window


def answer_of(gui: Gui) -> Any:
    return small_of(gui)._message


def ask_quickly(gui: Gui, question: str) -> None:
    field = small_of(gui).field
    QTest.keyClicks(field, question)
    QTest.keyClick(field, Qt.Key.Key_Return)


def entry(gui: Gui, words: str) -> QAction:
    menu: QMenu = only(gui, Tray).menu
    return next(each for each in menu.actions() if each.text() == words)


async def has_ended(gui: Gui) -> None:
    await until(lambda: answer_of(gui) is not None and answer_of(gui).state != "streaming")


def test_quick_question_starts_new_chat_and_keeps_open_one(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        script = Script(answer=b"It is **wide** and blue.", step_s=0.01)
        async with open_gui(script) as gui:
            await until(lambda: gui.ready)
            type_and_send(gui, "An open chat")
            await answered(gui)
            assert small_of(gui) is None  # nothing of it is made before it is wanted
            QTest.keyClick(gui.window, Qt.Key.Key_Space, CONTROL | SHIFT)
            small = small_of(gui)
            assert small.isVisible()
            assert small.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
            assert not small._open.isVisible()
            ask_quickly(gui, "   ")
            small.field.clear()
            ask_quickly(gui, "The sea?")
            await until(lambda: "wide" in small.answer.shown_text)
            assert gui.rows[0].text == "An open chat"
            assert small._stop.isVisible()
            assert small.field.selectedText() == "The sea?"
            QTest.keyClicks(small.field, "Not while it writes")
            QTest.keyClick(small.field, Qt.Key.Key_Return)
            await has_ended(gui)
            assert small.answer.shown_text == "It is wide and blue."
            assert small.answer.accessibleDescription() == "It is **wide** and blue."
            assert small.field.text() == "Not while it writes"
            small._copy.click()
            assert QGuiApplication.clipboard().text() == "It is **wide** and blue."
            assert titles(gui).count("The sea?") == 1
            small._open.click()
            await until(lambda: gui.rows[0].text == "The sea?")
            assert [each.state for each in gui.rows] == ["complete", "complete"]
            assert not small.isVisible()

    run(story())


def test_escape_hides_window_and_answer_continues(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"A long answer. " * 8, step_s=0.005)) as gui:
            await until(lambda: gui.ready)
            only(gui, QuickAskController).open()
            small = small_of(gui)
            ask_quickly(gui, "The sea?")
            await until(lambda: small.answer.shown_text)
            QTest.keyClick(small.field, Qt.Key.Key_Escape)
            assert not small.isVisible()
            only(gui, QuickAskController).open()
            assert answer_of(gui) is not None  # what is being written is in sight again
            await has_ended(gui)
            QTest.keyClick(small.field, Qt.Key.Key_Escape)
            only(gui, QuickAskController).open()
            assert answer_of(gui) is None
            ask_quickly(gui, "And the sky?")
            await until(lambda: small.answer.shown_text)
            small._stop.click()
            await has_ended(gui)
            assert answer_of(gui).state == "stopped"
            assert len(titles(gui)) >= 2

    run(story())


def test_quick_ask_widgets_have_accessible_names(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Yes.")) as gui:
            await until(lambda: gui.ready)
            only(gui, QuickAskController).open()
            ask_quickly(gui, "Is it?")
            await has_ended(gui)
            small = small_of(gui)
            for widget in (small.field, small._close, small.answer, small._copy):
                assert widget.accessibleName(), widget
            assert small._open.text() == "Open as chat"

    run(story())


def test_quick_question_without_model_fails_with_note(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(model=False) as gui:
            await until(lambda: gui.window.chat_page.greeting._choose.isVisible())
            only(gui, QuickAskController).open()
            ask_quickly(gui, "The sea?")
            await has_ended(gui)
            assert answer_of(gui).state == "failed"
            assert "No model is loaded" in answer_of(gui).note

    run(story())


def test_second_start_signals_running_instance(qtbot: QtBot, tmp_path: Path) -> None:
    listener = InstanceServer(tmp_path)
    try:
        with qtbot.waitSignal(listener.quick_ask_requested), qtbot.assertNotEmitted(listener.show_requested):
            assert signal_running_instance(tmp_path, request="quick-ask")
        with qtbot.waitSignal(listener.show_requested):
            assert signal_running_instance(tmp_path)
    finally:
        listener.close()


def test_quick_ask_option_opens_window_of_running_instance(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    from desktop.platform.single_instance import InstanceLock

    async def story() -> None:
        lock = InstanceLock(profile.root / "window.lock")
        assert lock.acquire()
        async with open_gui() as gui:
            command = [sys.executable, "-m", "desktop", "--quick-ask", "--profile", str(profile.root)]
            second = await asyncio.to_thread(subprocess.run, command, check=False, timeout=30, cwd=ROOT)
            assert second.returncode == 0
            await until(lambda: small_of(gui) is not None and small_of(gui).isVisible())
        lock.release()

    run(story())


def test_tray_menu_entries_act(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Yes.")) as gui:
            await until(lambda: gui.ready)
            type_and_send(gui, "Is it?")
            await answered(gui)
            assert not only(gui, Tray).icon.isVisible()  # no tray here; the menu works all the same
            assert not only(gui, Tray).icon.icon().isNull()
            gui.window.showMinimized()
            entry(gui, "New chat").trigger()
            assert not gui.window.isMinimized()
            assert gui.rows == []
            entry(gui, "Quick ask").trigger()
            assert small_of(gui).isVisible()
            gui.window.showMinimized()
            entry(gui, "Show the window").trigger()
            assert not gui.window.isMinimized()
            assert not entry(gui, "Endpoint").isChecked()
            entry(gui, "Endpoint").trigger()
            await until(lambda: gui.endpoint_page._state.stage in ("on", "failed"))
            on = gui.endpoint_page._state.stage == "on"
            assert entry(gui, "Endpoint").isChecked() == on
            entry(gui, "Quit Inglenook").trigger()
            assert gui.window.closing

    run(story())


def test_close_to_tray_keeps_app_running(
    run: Run, open_gui: OpenGui, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            card = gui.window.view("settings").background
            assert not card.switches["stays"].isEnabled()  # nothing could call it back
        monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: True))
        async with open_gui() as gui:
            card = gui.window.view("settings").background
            card.switches["stays"].click()
            gui.window.close()
            assert (gui.window.isVisible(), gui.window.closing) == (False, False)
            entry(gui, "Show the window").trigger()
            assert gui.window.isVisible()
            card.switches["tray"].click()
            assert not card.switches["stays"].isEnabled()
            assert not only(gui, Tray).icon.isVisible()
        kept = SettingsFile(profile.settings).value
        assert (kept.tray, kept.stays, kept.notifies) == (False, True, True)

    run(story())


def test_tray_availability_change_is_noticed(
    run: Run, open_gui: OpenGui, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    trays: list[bool] = [False]
    said: list[str] = []
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: trays[0]))
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", staticmethod(lambda: True))
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda icon, title, words, *more: said.append(words))

    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            tray, card = only(gui, Tray), gui.window.view("settings").background
            tray.say("An answer is ready", "Before", lambda: None)
            gui.window.sidebar.page_buttons["settings"].click()
            assert not card.switches["stays"].isEnabled()
            gui.window.show_page("chat")
            trays[0] = True
            tray.say("An answer is ready", "After", lambda: None)
            assert said == ["After"]
            gui.window.sidebar.page_buttons["settings"].click()
            assert card.switches["stays"].isEnabled()
            card.switches["stays"].click()
            gui.window.close()
            assert (gui.window.isVisible(), gui.window.closing) == (False, False)
            gui.window.bring_to_front()
            trays[0] = False
            gui.window.close()
            assert gui.window.closing, "nothing could call it back"
        trays[0] = False
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            trays[0] = True
            gui.window.close()  # it is to stay, as it was chosen
            assert not gui.window.closing
            assert only(gui, Tray).icon.isVisible()
            gui.window.quit()

    run(story())


def test_unseen_long_answer_notifies_with_chat_title_only(
    run: Run, open_gui: OpenGui, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, str]] = []
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: True))
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", staticmethod(lambda: True))
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda icon, title, words, *more: said.append((title, words)))

    async def story() -> None:
        async with open_gui(Script(answer=b"A secret.")) as gui:
            await until(lambda: gui.ready)
            notifying = only(gui, AnswerNotifier)
            now_s = notifying._now_s
            notifying._now_s = lambda: now_s() + LONG_S
            gui.window.activateWindow()
            await until(gui.window.isActiveWindow)
            type_and_send(gui, "Seen")
            await answered(gui)
            assert said == []
            gui.window.showMinimized()
            type_and_send(gui, "Unseen?")
            await until(lambda: said)
            assert said == [("An answer is ready", "Seen")]
            notifying._now_s = now_s
            type_and_send(gui, "Short")
            await until(lambda: len(gui.rows) == 6 and gui.rows[-1].state == "complete")
            notifying._now_s = lambda: now_s() + LONG_S
            gui.window.view("settings").background.switches["notifies"].click()
            type_and_send(gui, "Not wanted")
            await until(lambda: len(gui.rows) == 8 and gui.rows[-1].state == "complete")
            assert len(said) == 1
            gui.window.sidebar.new_chat_requested.emit()
            gui.window.showMinimized()
            only(gui, Tray).icon.messageClicked.emit()
            await until(lambda: len(gui.rows) == 8)
            assert not gui.window.isMinimized()

    run(story())


def test_background_actions_have_shortcuts(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            edits = gui.window.view("settings").keys._edits
            assert {"quick_ask", "switch_endpoint", "quit", "text_larger", "diagnostics"} <= set(edits)
            keys = {each.key().toString() for each in gui.window.findChildren(QShortcut)}
            assert {"Ctrl+Shift+Space", "Ctrl+Q"} <= keys

    run(story())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_gallery_of_quick_ask(run: Run, open_gui: OpenGui, scheme: str) -> None:
    async def story() -> None:
        GALLERY.mkdir(parents=True, exist_ok=True)
        async with open_gui(Script(answer=ANSWER.encode(), step_s=0.003), theme=scheme) as gui:
            await until(lambda: gui.ready)
            only(gui, QuickAskController).open()
            small = small_of(gui)
            small.grab().save(str(GALLERY / f"quick-ask-{scheme}.png"))
            ask_quickly(gui, "How do I parse a CSV whose fields hold quotes and commas?")
            await until(lambda: len(small.answer.shown_text) > 120)
            small.grab().save(str(GALLERY / f"quick-ask-writing-{scheme}.png"))
            await has_ended(gui)
            await asyncio.sleep(0.1)  # for the eye only
            small.grab().save(str(GALLERY / f"quick-ask-answered-{scheme}.png"))
            assert small.answer.height() <= MAX_HEIGHT

    run(story())


def test_unsent_quick_question_is_kept_when_reopened(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Wide.")) as gui:
            await until(lambda: gui.ready)
            only(gui, QuickAskController).open()
            small = small_of(gui)
            QTest.keyClicks(small.field, "How wide")
            QTest.keyClick(small, Qt.Key.Key_Escape)
            only(gui, QuickAskController).open()
            assert small.field.text() == "How wide"
            QTest.keyClick(small.field, Qt.Key.Key_Return)
            await has_ended(gui)
            QTest.keyClick(small, Qt.Key.Key_Escape)
            only(gui, QuickAskController).open()
            assert small.field.text() == "", "it was asked"

    run(story())
