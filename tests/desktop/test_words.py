"""What else a word could have been: found without reading anything twice, shown beside the word, gone on from."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.chat.words import WordChoice, word_choices
from desktop.theme import Theme
from desktop.widgets.word_choices import WordChoices, percent
from engine.engine import Engine
from engine.events import Finished
from engine.stream import RequestStream
from tests.conftest import chat
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.test_gallery import ANSWER, SIZES, show
from tests.desktop.test_window import answered, type_and_send
from tests.fakes import FakeOpener, Script
from tests.trip.test_engine_trip import real_engine

CHOOSING = Script(answer=None, runners_up=True, step_s=0.001)
FOUND = [
    WordChoice("spreadsheet", 0.46),
    WordChoice("database", 0.27),
    WordChoice("Windows", 0.14),
    WordChoice("colleague", 0.004),
]


def words_of(house: House) -> WordChoices | None:
    return next((card for card in house.window.findChildren(WordChoices) if card.isVisible()), None)


def test_the_words_are_whole_distinct_and_ranked_with_the_own_among_them(tmp_path: Path) -> None:
    async def story() -> None:
        engine = Engine(FakeOpener(CHOOSING))
        await engine.load(tmp_path / "fake.gguf")
        text, _ = await engine.submit(chat(max_tokens=120)).collect()
        for start, end in spans(text)[1:6]:
            choices = await word_choices(engine, chat(), text, start, end)
            words = [choice.word for choice in choices]
            assert text[start:end] in words
            assert len(words) == len(set(words)) > 1
            assert all(word == word.strip() and word for word in words)
            assert [choice.probability for choice in choices] == sorted((c.probability for c in choices), reverse=True)
            assert 0 < sum(choice.probability for choice in choices) <= 1
        await engine.aclose()

    asyncio.run(story())


def spans(text: str) -> list[tuple[int, int]]:
    found, at = [], 0
    for word in text.split(" "):
        if word:
            found.append((at, at + len(word)))
        at += len(word) + 1
    return found


def test_a_word_that_the_model_would_never_say_is_among_its_choices_all_the_same(tmp_path: Path) -> None:
    async def story() -> None:
        engine = Engine(FakeOpener(CHOOSING))
        await engine.load(tmp_path / "fake.gguf")
        choices = await word_choices(engine, chat(), "A Zürich", 2, 8)
        assert "Zürich" in [choice.word for choice in choices]
        await engine.aclose()

    asyncio.run(story())


@pytest.fixture
def n_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tokens that each finished request had to read."""
    read: list[int] = []
    deliver = RequestStream.deliver

    def watched(stream: RequestStream, events: object) -> None:
        read.extend(each.usage.n_prompt - each.usage.n_cached for each in events if isinstance(each, Finished))  # type: ignore[attr-defined]
        deliver(stream, events)  # type: ignore[arg-type]

    monkeypatch.setattr(RequestStream, "deliver", watched)
    return read


def test_nothing_is_read_twice(tmp_path: Path, n_read: list[int]) -> None:
    async def story() -> None:
        opener = FakeOpener(CHOOSING)
        engine = Engine(opener)
        await engine.load(tmp_path / "fake.gguf")
        request = chat("Tell me of the sea. " * 20, max_tokens=100)
        text, finished = await engine.submit(request).collect()
        assert finished.usage.n_prompt > 400
        n_read.clear()
        backend = opener.backends[0]
        backend.batch_sizes.clear()
        start, end = spans(text)[3]
        await word_choices(engine, request, text, start, end)
        await engine.aclose()
        assert sum(backend.batch_sizes) < 100, "only what is new was computed"
        assert all(n <= 3 for n in n_read)

    asyncio.run(story())


def test_the_real_model_says_words_and_reads_nothing_twice(model_path: Path, n_read: list[int]) -> None:
    async def story() -> None:
        async with real_engine(model_path) as engine:
            request = chat("Tell me of the sea. " * 20, max_tokens=40)
            text, finished = await engine.submit(request).collect()
            n_read.clear()
            for start, end in spans(text)[2:7]:
                word = text[start:end].strip(".,;:!?\n")
                end = start + len(word)
                if not word.isalpha():
                    continue
                choices = await word_choices(engine, request, text, start, end)
                words = [choice.word for choice in choices]
                assert word in words
                assert len(words) >= 2
                assert all(each.isprintable() and " " not in each for each in words)
                print(word, [(c.word, round(c.probability, 2)) for c in choices])  # noqa: T201 -- seen where it fails
            assert finished.usage.n_prompt > 100
            assert max(n_read) <= 4, "a prompt or an answer was read again"

    asyncio.run(story())


def test_a_word_is_asked_for_chosen_and_gone_on_from(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(CHOOSING) as house:
            type_and_send(house, "Go on and on")
            await until(lambda: len(house.rows) and len(house.rows[-1].text) > 60)
            QTest.keyClick(house.window, Qt.Key.Key_Escape)
            await answered(house)
            old = house.rows[1]
            start, end = spans(old.text)[2]
            house.transcript.word_asked.emit(old.id, start, end, QRect(300, 200, 60, 20))
            card = words_of(house)
            assert card is not None
            assert card.accessibleName() == f"Instead of “{old.text[start:end]}”"
            assert card._note.text() == "Looking for other words…"
            assert card.current == -1
            await until(lambda: card.current >= 0)
            assert card._note.text() == "Choose one to go on from there"
            chosen = card.rows[card.current].choice
            assert chosen is not None
            assert chosen.word != old.text[start:end]
            QTest.keyClick(card, Qt.Key.Key_Return)
            assert words_of(house) is None
            begins = old.text[:start] + chosen.word
            await until(lambda: len(house.rows[1].text) > len(begins) + 5)
            assert house.rows[1].text.startswith(begins)
            assert house.transcript.messages.versions(house.rows[1].id) == (2, 2)
            house.transcript.version_asked.emit(house.rows[1].id, -1)
            assert house.rows[1] == old
            QTest.keyClick(house.window, Qt.Key.Key_Escape)
            await until(lambda: not house.window.composer._answering)

    run(story())


def test_the_card_closes_with_escape_and_what_was_asked_is_dropped(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"So it is.", step_s=0.02)) as house:
            type_and_send(house, "Is it?")
            await answered(house)
            message = house.rows[1]
            house.transcript.word_asked.emit(message.id, 3, 5, QRect(300, 200, 60, 20))
            card = words_of(house)
            assert card is not None
            QTest.keyClick(card, Qt.Key.Key_Escape)
            assert words_of(house) is None
            assert house.rows == [house.rows[0], message]
            house.transcript.word_asked.emit(message.id, 2, 3, QRect(300, 200, 60, 20))
            assert words_of(house) is None, "a space is no word"

    run(story())


def test_without_a_model_the_card_goes_and_says_why(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        script = Script(answer=b"So it is.")
        async with open_house(script) as house:
            type_and_send(house, "Is it?")
            await answered(house)
            script.fail_after = 0
            house.transcript.word_asked.emit(house.rows[1].id, 3, 5, QRect(300, 200, 60, 20))
            await until(lambda: words_of(house) is None)
            assert "stopped working" in house.window.notice.text

    run(story())


@pytest.fixture
def card(qtbot: QtBot, theme: Theme) -> WordChoices:
    window = QWidget()
    window.resize(600, 400)
    window.show()
    qtbot.addWidget(window)
    card = WordChoices("spreadsheet", theme, window)
    card.open_at(QRect(100, 100, 80, 20))
    return card


def test_keys_and_mouse_choose_a_word(qtbot: QtBot, card: WordChoices) -> None:
    QTest.keyClick(card, Qt.Key.Key_Down)
    assert card.current == -1, "nothing to choose yet"
    card.show_choices(FOUND)
    assert card.current == 1, "the first that is another word"
    assert card.accessibleDescription() == "database, 27%"
    for key, at in (
        (Qt.Key.Key_Down, 2),
        (Qt.Key.Key_Tab, 3),
        (Qt.Key.Key_Down, 0),
        (Qt.Key.Key_Up, 3),
        (Qt.Key.Key_Home, 0),
        (Qt.Key.Key_End, 3),
    ):
        QTest.keyClick(card, key)
        assert card.current == at
    QTest.mouseMove(card.rows[2])
    with qtbot.waitSignal(card.chosen) as chosen:
        QTest.mouseClick(card.rows[2], Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    assert chosen.args == ["Windows"]
    assert not card.isVisible()


def test_a_word_without_others_says_so(card: WordChoices) -> None:
    card.show_choices(FOUND[:1])
    assert card._note.text() == "Nothing else was likely here"
    card.show_choices([])
    assert card.current == -1
    QTest.keyClick(card, Qt.Key.Key_Return)
    assert card.isVisible()
    card.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_card_is_pictured(run: Run, open_house: OpenHouse, scheme: str) -> None:
    async def story() -> None:
        async with open_house(Script(answer=ANSWER.encode()), theme=scheme) as house:
            type_and_send(house, "How do I parse a CSV whose fields hold quotes and commas?")
            await answered(house)
            for name, choices in (("looking", None), ("words", FOUND), ("no-words", FOUND[:1])):
                for width, height in SIZES[:2]:
                    house.window.resize(width, height)
                    card = WordChoices("spreadsheet", house.window.theme, house.window)
                    corner = house.window.mapToGlobal(QPoint(width // 3, height - 330))
                    card.open_at(QRect(corner, corner + QPoint(90, 20)))
                    if choices is not None:
                        card.show_choices(choices)
                    await show(house, name, scheme, ((width, height),))
                    card.close()

    run(story())


def test_small_shares_are_not_nothing() -> None:
    assert [percent(choice) for choice in FOUND] == ["46%", "27%", "14%", "<1%"]
    assert percent(WordChoice("a", math.exp(-20))) == "<1%"
