"""What makes the chat: several answers, another word, a cut answer gone on with after a restart. With the real model,
by real keys, and nothing is read twice."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRect, Qt
from PySide6.QtTest import QTest

from tests.desktop.chat.test_token_alternatives import spans, words_in
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, click_chat, titles, type_and_send

QUESTION = "Tell me a very long story of the sea, of the people who live beside it, and of the ships that pass by. " * 3


def test_a_cut_answer_is_gone_on_with_at_once_after_a_restart(run: Run, open_gui: OpenGui, model_path: Path) -> None:
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
            more = gui.rows[1]
            assert more.text.startswith(cut.text)
            n_all = more.n_prompt + cut.n_output
            assert n_all - more.n_cached <= 8, f"{n_all - more.n_cached} of {n_all} tokens were read again"

    run(story())


def test_several_answers_and_another_word(run: Run, open_gui: OpenGui, model_path: Path) -> None:
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
            assert len({each.text for each in group}) > 1, "each has a seed of its own"
            assert all(each.n_cached >= each.n_prompt - 1 for each in group)
            gui.transcript.picked.emit(group[1].id)
            text = group[1].text
            start, end = spans(text)[1]
            gui.transcript.token_alternatives_requested.emit(group[1].id, start, end, QRect(300, 200, 60, 20))
            card = words_in(gui)
            assert card is not None
            await until(lambda: card.current >= 0, 60)
            chosen = card.rows[card.current].choice
            assert chosen is not None
            QTest.keyClick(card, Qt.Key.Key_Return)
            begins = text[:start] + chosen.word
            await until(lambda: gui.rows[1].text.startswith(begins) and len(gui.rows[1].text) > len(begins), 60)
            assert messages.versions(gui.rows[1].id) == (5, 5)

    run(story())
