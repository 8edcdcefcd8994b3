"""Tests of the chat with a real model: continued answers, alternative answers and alternative words reuse the cached
prompt."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRect, Qt
from PySide6.QtTest import QTest

from tests.desktop.chat.test_token_alternatives import spans
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, click_chat, titles, type_and_send
from tests.desktop.transcript.test_token_alternatives_popup import visible_popup

QUESTION = "Tell me a very long story of the sea, of the people who live beside it, and of the ships that pass by. " * 3


def test_answer_continued_after_restart_reuses_cached_prompt(run: Run, open_gui: OpenGui, model_path: Path) -> None:
    async def story() -> None:
        async with open_gui(real=model_path) as gui:
            type_and_send(gui, QUESTION)
            await until(lambda: len(gui.rows[-1].text) > 40, 60)
        async with open_gui(real=model_path) as gui:
            await until(lambda: len(titles(gui)) == 2 and gui.ready, 60)
            click_chat(gui, titles(gui)[1])
            await until(lambda: len(gui.rows) == 2)
            cut = gui.rows[1]
            gui.transcript.continue_requested.emit(cut.id)
            await until(lambda: len(gui.rows[1].text) > len(cut.text) + 20, 60)
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            await answered(gui)
            continued = gui.rows[1]
            assert continued.text.startswith(cut.text)
            n_total = continued.n_prompt + cut.n_output
            assert n_total - continued.n_cached <= 8, (
                f"{n_total - continued.n_cached} of {n_total} tokens were computed again"
            )

    run(story())


def test_alternative_answers_and_words_reuse_cached_prompt(run: Run, open_gui: OpenGui, model_path: Path) -> None:
    async def story() -> None:
        async with open_gui(real=model_path) as gui:
            type_and_send(gui, "Invent a name for a ship and say where it sails.")
            await until(lambda: gui.rows[-1].text, 60)
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            await answered(gui)
            messages = gui.transcript.messages
            gui.transcript.alternatives_requested.emit(gui.rows[1].id)
            row = gui.rows[1].id
            await until(lambda: all(len(each.text) > 10 for each in messages.alternatives(row)), 60)
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            await until(lambda: not gui.window.chat_page.composer._answering, 60)
            group = messages.alternatives(gui.rows[1].id)
            assert len({each.text for each in group}) > 1, "the answers have different seeds"
            assert all(each.n_cached >= each.n_prompt - 1 for each in group)
            gui.transcript.picked.emit(group[1].id)
            text = group[1].text
            start, end = spans(text)[1]
            gui.transcript.token_alternatives_requested.emit(group[1].id, start, end, QRect(300, 200, 60, 20))
            popup = visible_popup(gui)
            assert popup is not None
            await until(lambda: popup.current >= 0, 60)
            chosen = popup.rows[popup.current].choice
            assert chosen is not None
            QTest.keyClick(popup, Qt.Key.Key_Return)
            expected_start = text[:start] + chosen.word
            await until(
                lambda: gui.rows[1].text.startswith(expected_start) and len(gui.rows[1].text) > len(expected_start), 60
            )
            assert messages.versions(gui.rows[1].id) == (5, 5)

    run(story())
