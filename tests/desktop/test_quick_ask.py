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

from desktop.calling import Listener, show_other
from desktop.settings import SettingsFile
from desktop.widgets.answer_view import HIGHEST
from desktop.windows.notifying import LONG_S, Notifying
from desktop.windows.quick_wiring import QuickAskWiring
from desktop.windows.tray import Tray
from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.test_gallery import ANSWER, GALLERY
from tests.desktop.test_window import answered, titles, type_and_send
from tests.fakes import Script

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", "systemTrayWindowChanged")
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
ROOT = Path(__file__).parents[2]


def only(house: House, kind: type[QObject]) -> Any:
    (found,) = [child for child in house.window.children() if isinstance(child, kind)]
    return found


def small_of(house: House) -> Any:
    return only(house, QuickAskWiring).small


def answer_of(house: House) -> Any:
    return small_of(house)._message


def ask_quickly(house: House, question: str) -> None:
    field = small_of(house).field
    QTest.keyClicks(field, question)
    QTest.keyClick(field, Qt.Key.Key_Return)


def entry(house: House, words: str) -> QAction:
    menu: QMenu = only(house, Tray).menu
    return next(each for each in menu.actions() if each.text() == words)


async def has_ended(house: House) -> None:
    await until(lambda: answer_of(house) is not None and answer_of(house).state != "streaming")


def test_a_quick_question_begins_a_chat_beside_the_open_one(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        script = Script(answer=b"It is **wide** and blue.", step_s=0.01)
        async with open_house(script) as house:
            await until(lambda: house.ready)
            type_and_send(house, "An open chat")
            await answered(house)
            assert small_of(house) is None  # nothing of it is made before it is wanted
            QTest.keyClick(house.window, Qt.Key.Key_Space, CONTROL | SHIFT)
            small = small_of(house)
            assert small.isVisible()
            assert small.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
            assert not small._open.isVisible()
            ask_quickly(house, "   ")
            small.field.clear()
            ask_quickly(house, "The sea?")
            await until(lambda: "wide" in small.answer.shown_text)
            assert house.rows[0].text == "An open chat"
            assert small._stop.isVisible()
            assert small.field.selectedText() == "The sea?"
            QTest.keyClicks(small.field, "Not while it writes")
            QTest.keyClick(small.field, Qt.Key.Key_Return)
            await has_ended(house)
            assert small.answer.shown_text == "It is wide and blue."
            assert small.answer.accessibleDescription() == "It is **wide** and blue."
            assert small.field.text() == "Not while it writes"
            small._copy.click()
            assert QGuiApplication.clipboard().text() == "It is **wide** and blue."
            assert titles(house).count("The sea?") == 1
            small._open.click()
            await until(lambda: house.rows[0].text == "The sea?")
            assert [each.state for each in house.rows] == ["complete", "complete"]
            assert not small.isVisible()

    run(story())


def test_escape_closes_it_and_the_answer_is_written_all_the_same(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"A long answer. " * 8, step_s=0.005)) as house:
            await until(lambda: house.ready)
            only(house, QuickAskWiring).open()
            small = small_of(house)
            ask_quickly(house, "The sea?")
            await until(lambda: small.answer.shown_text)
            QTest.keyClick(small.field, Qt.Key.Key_Escape)
            assert not small.isVisible()
            only(house, QuickAskWiring).open()
            assert answer_of(house) is not None  # what is being written is in sight again
            await has_ended(house)
            QTest.keyClick(small.field, Qt.Key.Key_Escape)
            only(house, QuickAskWiring).open()
            assert answer_of(house) is None
            ask_quickly(house, "And the sky?")
            await until(lambda: small.answer.shown_text)
            small._stop.click()
            await has_ended(house)
            assert answer_of(house).state == "stopped"
            assert len(titles(house)) >= 2

    run(story())


def test_each_part_has_a_name(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"Yes.")) as house:
            await until(lambda: house.ready)
            only(house, QuickAskWiring).open()
            ask_quickly(house, "Is it?")
            await has_ended(house)
            small = small_of(house)
            for widget in (small.field, small._close, small.answer, small._copy):
                assert widget.accessibleName(), widget
            assert small._open.text() == "Open as chat"

    run(story())


def test_without_a_model_it_says_so(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(model=False) as house:
            await until(lambda: house.window.greeting._choose.isVisible())
            only(house, QuickAskWiring).open()
            ask_quickly(house, "The sea?")
            await has_ended(house)
            assert answer_of(house).state == "failed"
            assert "No model is loaded" in answer_of(house).note

    run(story())


def test_a_wish_reaches_the_app_that_runs(qtbot: QtBot, tmp_path: Path) -> None:
    listener = Listener(tmp_path)
    try:
        with qtbot.waitSignal(listener.quick_ask_asked), qtbot.assertNotEmitted(listener.show_asked):
            assert show_other(tmp_path, wish="quick-ask")
        with qtbot.waitSignal(listener.show_asked):
            assert show_other(tmp_path)
    finally:
        listener.close()


def test_the_command_opens_it_in_the_app_that_runs(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    from desktop.instance import InstanceLock

    async def story() -> None:
        lock = InstanceLock(profile.root / "window.lock")
        assert lock.acquire()
        async with open_house() as house:
            command = [sys.executable, "-m", "desktop", "--quick-ask", "--profile", str(profile.root)]
            second = await asyncio.to_thread(subprocess.run, command, check=False, timeout=30, cwd=ROOT)
            assert second.returncode == 0
            await until(lambda: small_of(house) is not None and small_of(house).isVisible())
        lock.release()

    run(story())


def test_the_trays_menu_does_what_it_says(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"Yes.")) as house:
            await until(lambda: house.ready)
            type_and_send(house, "Is it?")
            await answered(house)
            assert not only(house, Tray).icon.isVisible()  # no tray here; the menu works all the same
            assert not only(house, Tray).icon.icon().isNull()
            house.window.showMinimized()
            entry(house, "New chat").trigger()
            assert not house.window.isMinimized()
            assert house.rows == []
            entry(house, "Quick ask").trigger()
            assert small_of(house).isVisible()
            house.window.showMinimized()
            entry(house, "Show the window").trigger()
            assert not house.window.isMinimized()
            assert not entry(house, "Endpoint").isChecked()
            entry(house, "Endpoint").trigger()
            await until(lambda: house.endpoint_page._state.stage in ("on", "failed"))
            on = house.endpoint_page._state.stage == "on"
            assert entry(house, "Endpoint").isChecked() == on
            entry(house, "Quit Inglenook").trigger()
            assert house.window.closing

    run(story())


def test_closing_may_leave_it_in_the_tray(
    run: Run, open_house: OpenHouse, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with open_house() as house:
            await until(lambda: house.ready)
            card = house.window.settings_page.background
            assert not card.switches["stays"].isEnabled()  # nothing could call it back
        monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: True))
        async with open_house() as house:
            card = house.window.settings_page.background
            card.switches["stays"].click()
            house.window.close()
            assert (house.window.isVisible(), house.window.closing) == (False, False)
            entry(house, "Show the window").trigger()
            assert house.window.isVisible()
            card.switches["tray"].click()
            assert not card.switches["stays"].isEnabled()
            assert not only(house, Tray).icon.isVisible()
        kept = SettingsFile(profile.settings).value
        assert (kept.tray, kept.stays, kept.notifies) == (False, True, True)

    run(story())


def test_a_tray_that_comes_or_goes_later_is_noticed(
    run: Run, open_house: OpenHouse, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    trays: list[bool] = [False]
    said: list[str] = []
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: trays[0]))
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", staticmethod(lambda: True))
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda icon, title, words, *more: said.append(words))

    async def story() -> None:
        async with open_house() as house:
            await until(lambda: house.ready)
            tray, card = only(house, Tray), house.window.settings_page.background
            tray.say("An answer is ready", "Before", lambda: None)
            house.window.sidebar._settings.click()
            assert not card.switches["stays"].isEnabled()
            house.window.show_chat_page()
            trays[0] = True
            tray.say("An answer is ready", "After", lambda: None)
            assert said == ["After"]
            house.window.sidebar._settings.click()
            assert card.switches["stays"].isEnabled()
            card.switches["stays"].click()
            house.window.close()
            assert (house.window.isVisible(), house.window.closing) == (False, False)
            house.window.come_forward()
            trays[0] = False
            house.window.close()
            assert house.window.closing, "nothing could call it back"
        trays[0] = False
        async with open_house() as house:
            await until(lambda: house.ready)
            trays[0] = True
            house.window.close()  # it is to stay, as it was chosen
            assert not house.window.closing
            assert only(house, Tray).icon.isVisible()
            house.window.quit()

    run(story())


def test_a_long_answer_that_nobody_saw_is_told_by_its_chats_title_alone(
    run: Run, open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, str]] = []
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: True))
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", staticmethod(lambda: True))
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda icon, title, words, *more: said.append((title, words)))

    async def story() -> None:
        async with open_house(Script(answer=b"A secret.")) as house:
            await until(lambda: house.ready)
            notifying = only(house, Notifying)
            now_s = notifying._now_s
            notifying._now_s = lambda: now_s() + LONG_S
            house.window.activateWindow()
            await until(house.window.isActiveWindow)
            type_and_send(house, "Seen")
            await answered(house)
            assert said == []
            house.window.showMinimized()
            type_and_send(house, "Unseen?")
            await until(lambda: said)
            assert said == [("An answer is ready", "Seen")]
            notifying._now_s = now_s
            type_and_send(house, "Short")
            await until(lambda: len(house.rows) == 6 and house.rows[-1].state == "complete")
            notifying._now_s = lambda: now_s() + LONG_S
            house.window.settings_page.background.switches["notifies"].click()
            type_and_send(house, "Not wanted")
            await until(lambda: len(house.rows) == 8 and house.rows[-1].state == "complete")
            assert len(said) == 1
            house.window.sidebar.new_chat_asked.emit()
            house.window.showMinimized()
            only(house, Tray).icon.messageClicked.emit()
            await until(lambda: len(house.rows) == 8)
            assert not house.window.isMinimized()

    run(story())


def test_every_action_of_it_is_in_the_palette(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house() as house:
            await until(lambda: house.ready)
            edits = house.window.settings_page.keys._edits
            assert {"quick_ask", "switch_endpoint", "quit", "text_larger", "diagnostics"} <= set(edits)
            keys = {each.key().toString() for each in house.window.findChildren(QShortcut)}
            assert {"Ctrl+Shift+Space", "Ctrl+Q"} <= keys

    run(story())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_pictured(run: Run, open_house: OpenHouse, scheme: str) -> None:
    async def story() -> None:
        GALLERY.mkdir(parents=True, exist_ok=True)
        async with open_house(Script(answer=ANSWER.encode(), step_s=0.003), theme=scheme) as house:
            await until(lambda: house.ready)
            only(house, QuickAskWiring).open()
            small = small_of(house)
            small.grab().save(str(GALLERY / f"quick-ask-{scheme}.png"))
            ask_quickly(house, "How do I parse a CSV whose fields hold quotes and commas?")
            await until(lambda: len(small.answer.shown_text) > 120)
            small.grab().save(str(GALLERY / f"quick-ask-writing-{scheme}.png"))
            await has_ended(house)
            await asyncio.sleep(0.1)  # for the eye only
            small.grab().save(str(GALLERY / f"quick-ask-answered-{scheme}.png"))
            assert small.answer.height() <= HIGHEST

    run(story())


def test_half_typed_quick_question_is_there_when_the_window_opens_again(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"Wide.")) as house:
            await until(lambda: house.ready)
            only(house, QuickAskWiring).open()
            small = small_of(house)
            QTest.keyClicks(small.field, "How wide")
            QTest.keyClick(small, Qt.Key.Key_Escape)
            only(house, QuickAskWiring).open()
            assert small.field.text() == "How wide"
            QTest.keyClick(small.field, Qt.Key.Key_Return)
            await has_ended(house)
            QTest.keyClick(small, Qt.Key.Key_Escape)
            only(house, QuickAskWiring).open()
            assert small.field.text() == "", "it was asked"

    run(story())
