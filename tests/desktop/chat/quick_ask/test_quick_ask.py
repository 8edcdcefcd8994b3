"""Tests of the quick-ask window."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.chat.quick_ask.controller import QuickAskController
from desktop.platform.instance_server import InstanceServer, signal_running_instance
from desktop.transcript.answer_view import MAX_HEIGHT
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_gallery import ANSWER, GALLERY
from tests.desktop.shell.test_main_window import answered, titles, type_and_send
from tests.fakes import Script

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", "systemTrayWindowChanged")
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
ROOT = Path(__file__).parents[4]


def child_of_window(gui: Gui, kind: type[QObject]) -> Any:
    (found,) = [child for child in gui.window.children() if isinstance(child, kind)]
    return found


def quick_window(gui: Gui) -> Any:
    return child_of_window(gui, QuickAskController).quick_window


def quick_answer(gui: Gui) -> Any:
    return quick_window(gui)._message


def submit_question(gui: Gui, question: str) -> None:
    field = quick_window(gui).field
    QTest.keyClicks(field, question)
    QTest.keyClick(field, Qt.Key.Key_Return)


async def answer_ended(gui: Gui) -> None:
    await until(lambda: quick_answer(gui) is not None and quick_answer(gui).state != "streaming")


def test_quick_question_starts_new_chat_and_leaves_other_chat_open(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        script = Script(answer=b"It is **wide** and blue.", step_s=0.01)
        async with open_gui(script) as gui:
            await until(lambda: gui.ready)
            type_and_send(gui, "An open chat")
            await answered(gui)
            assert quick_window(gui) is None  # the quick-ask window is made when it is first opened
            QTest.keyClick(gui.window, Qt.Key.Key_Space, CONTROL | SHIFT)
            window = quick_window(gui)
            assert window.isVisible()
            assert window.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
            assert not window._open.isVisible()
            submit_question(gui, "   ")
            window.field.clear()
            submit_question(gui, "The sea?")
            await until(lambda: "wide" in window.answer.shown_text)
            assert gui.rows[0].text == "An open chat"
            assert window._stop.isVisible()
            assert window.field.selectedText() == "The sea?"
            QTest.keyClicks(window.field, "Not while it writes")
            QTest.keyClick(window.field, Qt.Key.Key_Return)
            await answer_ended(gui)
            # Drawing is throttled, so the text appears a little later.
            await until(lambda: window.answer.shown_text == "It is wide and blue.")
            assert window.answer.accessibleDescription() == "It is **wide** and blue."
            assert window.field.text() == "Not while it writes"
            window._copy.click()
            assert QGuiApplication.clipboard().text() == "It is **wide** and blue."
            assert titles(gui).count("The sea?") == 1
            window._open.click()
            await until(lambda: gui.rows[0].text == "The sea?")
            assert [each.state for each in gui.rows] == ["complete", "complete"]
            assert not window.isVisible()

    run(story())


def test_escape_hides_quick_ask_window_and_answer_continues(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"A long answer. " * 8, step_s=0.005)) as gui:
            await until(lambda: gui.ready)
            child_of_window(gui, QuickAskController).open()
            window = quick_window(gui)
            submit_question(gui, "The sea?")
            await until(lambda: window.answer.shown_text)
            QTest.keyClick(window.field, Qt.Key.Key_Escape)
            assert not window.isVisible()
            child_of_window(gui, QuickAskController).open()
            assert quick_answer(gui) is not None  # an answer that is still being written is shown again
            await answer_ended(gui)
            QTest.keyClick(window.field, Qt.Key.Key_Escape)
            child_of_window(gui, QuickAskController).open()
            assert quick_answer(gui) is None
            submit_question(gui, "And the sky?")
            await until(lambda: window.answer.shown_text)
            window._stop.click()
            await answer_ended(gui)
            assert quick_answer(gui).state == "stopped"
            assert len(titles(gui)) >= 2

    run(story())


def test_quick_ask_widgets_have_accessible_names(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Yes.")) as gui:
            await until(lambda: gui.ready)
            child_of_window(gui, QuickAskController).open()
            submit_question(gui, "Is it?")
            await answer_ended(gui)
            window = quick_window(gui)
            for widget in (window.field, window._close, window.answer, window._copy):
                assert widget.accessibleName(), widget
            assert window._open.text() == "Open as chat"

    run(story())


def test_quick_question_without_loaded_model_gets_failed_answer_with_note(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(model=False) as gui:
            await until(lambda: gui.window.chat_page.greeting._choose.isVisible())
            child_of_window(gui, QuickAskController).open()
            submit_question(gui, "The sea?")
            await answer_ended(gui)
            assert quick_answer(gui).state == "failed"
            assert "No model is loaded" in quick_answer(gui).note

    run(story())


def test_second_start_of_app_sends_its_request_to_running_instance(qtbot: QtBot, tmp_path: Path) -> None:
    listener = InstanceServer(tmp_path)
    try:
        with qtbot.waitSignal(listener.quick_ask_requested), qtbot.assertNotEmitted(listener.show_requested):
            assert signal_running_instance(tmp_path, request="quick-ask")
        with qtbot.waitSignal(listener.show_requested):
            assert signal_running_instance(tmp_path)
    finally:
        listener.close()


def test_quick_ask_option_opens_window_of_running_instance(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    from desktop.platform.instance_lock import InstanceLock

    async def story() -> None:
        lock = InstanceLock(profile.root / "window.lock")
        assert lock.acquire()
        async with open_gui() as gui:
            command = [sys.executable, "-m", "desktop", "--quick-ask", "--profile", str(profile.root)]
            second = await asyncio.to_thread(subprocess.run, command, check=False, timeout=30, cwd=ROOT)
            assert second.returncode == 0
            await until(lambda: quick_window(gui) is not None and quick_window(gui).isVisible())
        lock.release()

    run(story())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_gallery_screenshots_of_quick_ask_window_are_saved(run: Run, open_gui: OpenGui, scheme: str) -> None:
    async def story() -> None:
        GALLERY.mkdir(parents=True, exist_ok=True)
        async with open_gui(Script(answer=ANSWER.encode(), step_s=0.003), theme=scheme) as gui:
            await until(lambda: gui.ready)
            child_of_window(gui, QuickAskController).open()
            window = quick_window(gui)
            window.grab().save(str(GALLERY / f"quick-ask-{scheme}.png"))
            submit_question(gui, "How do I parse a CSV whose fields hold quotes and commas?")
            await until(lambda: len(window.answer.shown_text) > 120)
            window.grab().save(str(GALLERY / f"quick-ask-writing-{scheme}.png"))
            await answer_ended(gui)
            await asyncio.sleep(0.1)  # the window needs time to draw before the screenshot
            window.grab().save(str(GALLERY / f"quick-ask-answered-{scheme}.png"))
            assert window.answer.height() <= MAX_HEIGHT

    run(story())


def test_unsent_quick_question_is_kept_when_window_is_opened_again(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Wide.")) as gui:
            await until(lambda: gui.ready)
            child_of_window(gui, QuickAskController).open()
            window = quick_window(gui)
            QTest.keyClicks(window.field, "How wide")
            QTest.keyClick(window, Qt.Key.Key_Escape)
            child_of_window(gui, QuickAskController).open()
            assert window.field.text() == "How wide"
            QTest.keyClick(window.field, Qt.Key.Key_Return)
            await answer_ended(gui)
            QTest.keyClick(window, Qt.Key.Key_Escape)
            child_of_window(gui, QuickAskController).open()
            assert window.field.text() == "", "it was submitted"

    run(story())
