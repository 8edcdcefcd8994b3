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

from desktop.chat.token_alternatives import TokenAlternative, token_alternatives
from desktop.platform.theme import Theme
from desktop.transcript.token_alternatives_popup import TokenAlternativesPopup, percent
from engine.engine import Engine
from engine.events import Finished
from engine.stream import RequestStream
from tests.conftest import chat
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_gallery import ANSWER, SIZES, show
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.fakes import FakeOpener, Script
from tests.trip.test_engine_trip import real_engine

CHOOSING = Script(answer=None, has_close_alternatives=True, step_s=0.001)
FOUND = [
    TokenAlternative("spreadsheet", 0.46),
    TokenAlternative("database", 0.27),
    TokenAlternative("Windows", 0.14),
    TokenAlternative("colleague", 0.004),
]


def words_in(gui: Gui) -> TokenAlternativesPopup | None:
    return next((card for card in gui.window.findChildren(TokenAlternativesPopup) if card.isVisible()), None)


def test_alternatives_are_whole_distinct_ranked_words(tmp_path: Path) -> None:
    async def story() -> None:
        engine = Engine(FakeOpener(CHOOSING))
        await engine.load(tmp_path / "fake.gguf")
        text, _ = await engine.submit(chat(max_tokens=120)).collect()
        for start, end in spans(text)[1:6]:
            choices = await token_alternatives(engine, chat(), text, start, end)
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


def test_improbable_current_word_is_included(tmp_path: Path) -> None:
    async def story() -> None:
        engine = Engine(FakeOpener(CHOOSING))
        await engine.load(tmp_path / "fake.gguf")
        choices = await token_alternatives(engine, chat(), "A Zürich", 2, 8)
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


def test_alternatives_reuse_cached_prompt(tmp_path: Path, n_read: list[int]) -> None:
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
        await token_alternatives(engine, request, text, start, end)
        await engine.aclose()
        assert sum(backend.batch_sizes) < 100, "only what is new was computed"
        assert all(n <= 3 for n in n_read)

    asyncio.run(story())


def test_real_model_alternatives_reuse_cached_prompt(model_path: Path, n_read: list[int]) -> None:
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
                choices = await token_alternatives(engine, request, text, start, end)
                words = [choice.word for choice in choices]
                assert word in words
                assert len(words) >= 2
                assert all(each.isprintable() and " " not in each for each in words)
                print(word, [(c.word, round(c.probability, 2)) for c in choices])  # noqa: T201 -- seen where it fails
            assert finished.usage.n_prompt > 100
            assert max(n_read) <= 4, "a prompt or an answer was read again"

    asyncio.run(story())


def test_chosen_alternative_continues_as_new_version(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(CHOOSING) as gui:
            type_and_send(gui, "Go on and on")
            await until(lambda: len(gui.rows) and len(gui.rows[-1].text) > 60)
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            await answered(gui)
            old = gui.rows[1]
            start, end = spans(old.text)[2]
            gui.transcript.token_alternatives_requested.emit(old.id, start, end, QRect(300, 200, 60, 20))
            card = words_in(gui)
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
            assert words_in(gui) is None
            begins = old.text[:start] + chosen.word
            await until(lambda: len(gui.rows[1].text) > len(begins) + 5)
            assert gui.rows[1].text.startswith(begins)
            assert gui.transcript.messages.versions(gui.rows[1].id) == (2, 2)
            gui.transcript.version_requested.emit(gui.rows[1].id, -1)
            assert gui.rows[1] == old
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            await until(lambda: not gui.window.chat_page.composer._answering)

    run(story())


def test_escape_closes_popup_and_drops_request(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"So it is.", step_s=0.02)) as gui:
            type_and_send(gui, "Is it?")
            await answered(gui)
            message = gui.rows[1]
            gui.transcript.token_alternatives_requested.emit(message.id, 3, 5, QRect(300, 200, 60, 20))
            card = words_in(gui)
            assert card is not None
            QTest.keyClick(card, Qt.Key.Key_Escape)
            assert words_in(gui) is None
            assert gui.rows == [gui.rows[0], message]
            gui.transcript.token_alternatives_requested.emit(message.id, 2, 3, QRect(300, 200, 60, 20))
            assert words_in(gui) is None, "a space is no word"

    run(story())


def test_engine_failure_closes_popup_with_toast(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        script = Script(answer=b"So it is.")
        async with open_gui(script) as gui:
            type_and_send(gui, "Is it?")
            await answered(gui)
            script.fail_after = 0
            gui.transcript.token_alternatives_requested.emit(gui.rows[1].id, 3, 5, QRect(300, 200, 60, 20))
            await until(lambda: words_in(gui) is None)
            assert "stopped working" in gui.window.toast.text

    run(story())


@pytest.fixture
def card(qtbot: QtBot, theme: Theme) -> TokenAlternativesPopup:
    window = QWidget()
    window.resize(600, 400)
    window.show()
    qtbot.addWidget(window)
    card = TokenAlternativesPopup("spreadsheet", theme, window)
    card.open_at(QRect(100, 100, 80, 20))
    return card


def test_keys_and_mouse_select_alternative(qtbot: QtBot, card: TokenAlternativesPopup) -> None:
    QTest.keyClick(card, Qt.Key.Key_Down)
    assert card.current == -1, "nothing to choose yet"
    card.show_alternatives(FOUND)
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


def test_popup_without_alternatives_says_so(card: TokenAlternativesPopup) -> None:
    card.show_alternatives(FOUND[:1])
    assert card._note.text() == "Nothing else was likely here"
    card.show_alternatives([])
    assert card.current == -1
    QTest.keyClick(card, Qt.Key.Key_Return)
    assert card.isVisible()
    card.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_gallery_of_alternatives_popup(run: Run, open_gui: OpenGui, scheme: str) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=ANSWER.encode()), theme=scheme) as gui:
            type_and_send(gui, "How do I parse a CSV whose fields hold quotes and commas?")
            await answered(gui)
            for name, choices in (("looking", None), ("words", FOUND), ("no-words", FOUND[:1])):
                for width, height in SIZES[:2]:
                    gui.window.resize(width, height)
                    card = TokenAlternativesPopup("spreadsheet", gui.window.theme, gui.window)
                    corner = gui.window.mapToGlobal(QPoint(width // 3, height - 330))
                    card.open_at(QRect(corner, corner + QPoint(90, 20)))
                    if choices is not None:
                        card.show_alternatives(choices)
                    await show(gui, name, scheme, ((width, height),))
                    card.close()

    run(story())


def test_small_probability_is_shown_as_below_one_percent() -> None:
    assert [percent(choice) for choice in FOUND] == ["46%", "27%", "14%", "<1%"]
    assert percent(TokenAlternative("a", math.exp(-20))) == "<1%"
