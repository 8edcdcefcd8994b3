"""What makes the chat: several answers, another word, a cut answer gone on with after a restart. With the real model,
by real keys, and nothing is read twice."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRect, Qt
from PySide6.QtTest import QTest

from tests.desktop.conftest import OpenHouse, Run, until
from tests.desktop.test_window import answered, click_chat, titles, type_and_send
from tests.desktop.test_words import spans, words_of

QUESTION = "Tell me a very long story of the sea, of the people who live beside it, and of the ships that pass by. " * 3


def test_a_cut_answer_is_gone_on_with_at_once_after_a_restart(
    run: Run, open_house: OpenHouse, model_path: Path
) -> None:
    async def story() -> None:
        async with open_house(real=model_path) as house:
            type_and_send(house, QUESTION)
            await until(lambda: len(house.rows[-1].text) > 40, 60)
        async with open_house(real=model_path) as house:
            await until(lambda: len(titles(house)) == 2 and house.ready, 60)
            click_chat(house, titles(house)[1])
            await until(lambda: len(house.rows) == 2)
            cut = house.rows[1]
            house.transcript.continue_asked.emit(cut.id)
            await until(lambda: len(house.rows[1].text) > len(cut.text) + 20, 60)
            QTest.keyClick(house.window, Qt.Key.Key_Escape)
            await answered(house)
            more = house.rows[1]
            assert more.text.startswith(cut.text)
            n_all = more.n_prompt + cut.n_output
            assert n_all - more.n_cached <= 8, f"{n_all - more.n_cached} of {n_all} tokens were read again"

    run(story())


def test_several_answers_and_another_word(run: Run, open_house: OpenHouse, model_path: Path) -> None:
    async def story() -> None:
        async with open_house(real=model_path) as house:
            type_and_send(house, "Invent a name for a ship and say where it sails.")
            await until(lambda: house.rows[-1].text, 60)
            QTest.keyClick(house.window, Qt.Key.Key_Escape)
            await answered(house)
            messages = house.transcript.messages
            house.transcript.alternatives_asked.emit(house.rows[1].id)
            row = house.rows[1].id
            await until(lambda: all(len(each.text) > 10 for each in messages.alternatives(row)), 60)
            QTest.keyClick(house.window, Qt.Key.Key_Escape)
            await until(lambda: not house.window.composer._answering, 60)
            group = messages.alternatives(house.rows[1].id)
            assert len({each.text for each in group}) > 1, "each has a seed of its own"
            assert all(each.n_cached >= each.n_prompt - 1 for each in group)
            house.transcript.picked.emit(group[1].id)
            text = group[1].text
            start, end = spans(text)[1]
            house.transcript.word_asked.emit(group[1].id, start, end, QRect(300, 200, 60, 20))
            card = words_of(house)
            assert card is not None
            await until(lambda: card.current >= 0, 60)
            chosen = card.rows[card.current].choice
            assert chosen is not None
            QTest.keyClick(card, Qt.Key.Key_Return)
            begins = text[:start] + chosen.word
            await until(lambda: house.rows[1].text.startswith(begins) and len(house.rows[1].text) > len(begins), 60)
            assert messages.versions(house.rows[1].id) == (5, 5)

    run(story())
