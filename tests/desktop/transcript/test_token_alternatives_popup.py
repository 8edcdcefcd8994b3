"""Tests of the popup with other words that the model could have written in place of a word of an answer."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.chat.token_alternatives import TokenAlternative
from desktop.platform.theme import Theme
from desktop.transcript.token_alternatives_popup import TokenAlternativesPopup, percent
from tests.desktop.chat.test_token_alternatives import spans
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_gallery import ANSWER, SIZES, show
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.fakes import Script

SCRIPT = Script(answer=None, has_close_alternatives=True, step_s=0.001)


FOUND = [
    TokenAlternative("spreadsheet", 0.46),
    TokenAlternative("database", 0.27),
    TokenAlternative("Windows", 0.14),
    TokenAlternative("colleague", 0.004),
]


def visible_popup(gui: Gui) -> TokenAlternativesPopup | None:
    return next((popup for popup in gui.window.findChildren(TokenAlternativesPopup) if popup.isVisible()), None)


def test_choosing_another_word_starts_a_new_version_of_the_answer(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(SCRIPT) as gui:
            type_and_send(gui, "Go on and on")
            await until(lambda: len(gui.rows) and len(gui.rows[-1].text) > 60)
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            await answered(gui)
            old = gui.rows[1]
            start, end = spans(old.text)[2]
            gui.transcript.token_alternatives_requested.emit(old.id, start, end, QRect(300, 200, 60, 20))
            popup = visible_popup(gui)
            assert popup is not None
            assert popup.accessibleName() == f"Instead of “{old.text[start:end]}”"
            assert popup._note.text() == "Looking for other words…"
            assert popup.current == -1
            await until(lambda: popup.current >= 0)
            assert popup._note.text() == "Choose one to go on from there"
            chosen = popup.rows[popup.current].choice
            assert chosen is not None
            assert chosen.word != old.text[start:end]
            QTest.keyClick(popup, Qt.Key.Key_Return)
            assert visible_popup(gui) is None
            expected_start = old.text[:start] + chosen.word
            await until(lambda: len(gui.rows[1].text) > len(expected_start) + 5)
            assert gui.rows[1].text.startswith(expected_start)
            assert gui.transcript.messages.versions(gui.rows[1].id) == (2, 2)
            gui.transcript.version_requested.emit(gui.rows[1].id, -1)
            assert gui.rows[1] == old
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            await until(lambda: not gui.window.chat_page.composer._answering)

    run(story())


def test_escape_closes_alternatives_popup_without_changing_the_chat(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"So it is.", step_s=0.02)) as gui:
            type_and_send(gui, "Is it?")
            await answered(gui)
            message = gui.rows[1]
            gui.transcript.token_alternatives_requested.emit(message.id, 3, 5, QRect(300, 200, 60, 20))
            popup = visible_popup(gui)
            assert popup is not None
            QTest.keyClick(popup, Qt.Key.Key_Escape)
            assert visible_popup(gui) is None
            assert gui.rows == [gui.rows[0], message]
            gui.transcript.token_alternatives_requested.emit(message.id, 2, 3, QRect(300, 200, 60, 20))
            assert visible_popup(gui) is None, "a space is no word"

    run(story())


def test_engine_failure_closes_alternatives_popup_and_shows_toast(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        script = Script(answer=b"So it is.")
        async with open_gui(script) as gui:
            type_and_send(gui, "Is it?")
            await answered(gui)
            script.fail_after = 0
            gui.transcript.token_alternatives_requested.emit(gui.rows[1].id, 3, 5, QRect(300, 200, 60, 20))
            await until(lambda: visible_popup(gui) is None)
            assert "stopped working" in gui.window.toast.text

    run(story())


@pytest.fixture
def popup(qtbot: QtBot, theme: Theme) -> TokenAlternativesPopup:
    window = QWidget()
    window.resize(600, 400)
    window.show()
    qtbot.addWidget(window)
    popup = TokenAlternativesPopup("spreadsheet", theme, window)
    popup.open_at(QRect(100, 100, 80, 20))
    return popup


def test_arrow_keys_and_mouse_choose_a_word_in_the_alternatives_popup(
    qtbot: QtBot, popup: TokenAlternativesPopup
) -> None:
    QTest.keyClick(popup, Qt.Key.Key_Down)
    assert popup.current == -1, "nothing to choose yet"
    popup.show_alternatives(FOUND)
    assert popup.current == 1, "the first that is another word"
    assert popup.accessibleDescription() == "database, 27%"
    for key, at in (
        (Qt.Key.Key_Down, 2),
        (Qt.Key.Key_Tab, 3),
        (Qt.Key.Key_Down, 0),
        (Qt.Key.Key_Up, 3),
        (Qt.Key.Key_Home, 0),
        (Qt.Key.Key_End, 3),
    ):
        QTest.keyClick(popup, key)
        assert popup.current == at
    QTest.mouseMove(popup.rows[2])
    with qtbot.waitSignal(popup.chosen) as chosen:
        QTest.mouseClick(popup.rows[2], Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    assert chosen.args == ["Windows"]
    assert not popup.isVisible()


def test_popup_without_alternatives_shows_that_no_other_word_was_likely(popup: TokenAlternativesPopup) -> None:
    popup.show_alternatives(FOUND[:1])
    assert popup._note.text() == "Nothing else was likely here"
    popup.show_alternatives([])
    assert popup.current == -1
    QTest.keyClick(popup, Qt.Key.Key_Return)
    assert popup.isVisible()
    popup.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screenshots_of_alternatives_popup_are_saved(run: Run, open_gui: OpenGui, scheme: str) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=ANSWER.encode()), theme=scheme) as gui:
            type_and_send(gui, "How do I parse a CSV whose fields hold quotes and commas?")
            await answered(gui)
            for name, choices in (("looking", None), ("words", FOUND), ("no-words", FOUND[:1])):
                for width, height in SIZES[:2]:
                    gui.window.resize(width, height)
                    popup = TokenAlternativesPopup("spreadsheet", gui.window.theme, gui.window)
                    corner = gui.window.mapToGlobal(QPoint(width // 3, height - 330))
                    popup.open_at(QRect(corner, corner + QPoint(90, 20)))
                    if choices is not None:
                        popup.show_alternatives(choices)
                    await show(gui, name, scheme, ((width, height),))
                    popup.close()

    run(story())


def test_probability_below_one_percent_is_shown_as_less_than_one_percent() -> None:
    assert [percent(choice) for choice in FOUND] == ["46%", "27%", "14%", "<1%"]
    assert percent(TokenAlternative("a", math.exp(-20))) == "<1%"
