"""A chat that has become too long: what would be left out is shown before anything is sent, and the person chooses."""

from __future__ import annotations

import time

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest

from desktop.compose.overflow import overflow, surely_fits
from desktop.compose.prompt import messages_of, prompt_for
from desktop.store.records import Chat, ChatMessage, ChatSettings
from desktop.store.store import Store
from desktop.widgets.overflow_card import OverflowCard
from engine.library.profile import Profile
from engine.prompt.overflow import Fit, fit
from engine.requests import Message
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.test_window import answered, click_chat, type_and_send
from tests.fakes import Script

N_TURNS = 5


def row(number: int, role: str, text: str) -> ChatMessage:
    parent = f"m{number - 1}" if number else None
    return ChatMessage(f"m{number}", "long", parent, role, text, "complete", time.time() + number)  # type: ignore[arg-type]


def branch() -> list[ChatMessage]:
    """Some 3,600 bytes, so as many tokens of the fake, that reads 4,096."""
    rows = []
    for turn in range(N_TURNS):
        rows += [row(2 * turn, "user", f"Question {turn}\n{'q' * 340}"), row(2 * turn + 1, "assistant", "a" * 350)]
    return rows


async def fill(profile: Profile) -> None:
    store = Store(profile.chats)
    await store.open()
    settings = ChatSettings(system="Be kind.")
    await store.save(Chat("long", "A long chat", 1.0, 1.0, leaf_id=branch()[-1].id, settings=settings), branch())
    await store.aclose()


async def open_long(house: House) -> OverflowCard:
    await until(lambda: house.ready and house.chats.model().rowCount() == 2)
    click_chat(house, "A long chat")
    await until(lambda: len(house.rows) == 2 * N_TURNS)
    assert house.window.overflow_card is not None
    return house.window.overflow_card


def long_words() -> str:
    return "And this? " + "n" * 600


async def refused(house: House) -> OverflowCard:
    card = await open_long(house)
    house.window.composer.begin_with(long_words())
    QTest.keyClick(house.window.composer._edit, Qt.Key.Key_Return)
    await until(card.isVisible)
    return card


def read_by_model(house: House) -> str:
    slots = house.opener.backends[-1].slots.values()
    return "\n".join(bytes(token for token in held if token < 256).decode() for held in slots)


def test_what_would_be_left_out_is_told_by_turns() -> None:
    settings = ChatSettings(system="Be kind.")
    fitted = Fit(9_310, 8_192, (1, 2, 3, 4), 8_070, True)
    found = overflow(branch(), settings, fitted)
    assert found is not None
    assert (found.kind, found.n_left_out, found.has_instructions) == ("turns", 1_240, True)
    assert [turn.first_line for turn in found.turns] == ["Question 0", "Question 1"]
    assert found.last_row_id == "m3"
    leaves_out = ChatSettings(system="Be kind.", leaves_out=True)
    assert overflow(branch(), leaves_out, fitted) is None
    alone = overflow(branch(), leaves_out, Fit(9_310, 8_192, (1,), 9_000, False))
    assert alone is not None
    assert (alone.kind, alone.n_prompt) == ("message", 9_000)
    assert overflow(branch(), settings, Fit(10, 8_192, (), 10, True)) is None
    assert surely_fits(branch(), settings, 20_000)
    assert not surely_fits(branch(), settings, 4_096)


def test_long_question_without_answer_can_be_left_out() -> None:
    rows = [row(0, "user", "q" * 5_000), row(1, "assistant", ""), row(2, "user", "Hello")]
    messages = messages_of(rows, ChatSettings())
    found = overflow(rows, ChatSettings(), fit(messages, lambda kept: sum(len(each.content) for each in kept), 4_096))
    assert found is not None
    assert found.kind == "turns"
    assert [turn.first_line for turn in found.turns] == ["q" * 5_000]
    assert prompt_for(rows, ChatSettings(), (0,)) == (Message("user", "Hello"),)


def test_nothing_is_sent_until_the_person_chooses(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_house(Script(answer=b"Yes.")) as house:
            card = await refused(house)
            assert "Your next message does not fit. It needs" in card.text
            assert "the model reads 4,096" in card.text
            assert "your instructions stay" in card.text
            assert len(house.rows) == 2 * N_TURNS
            assert house.window.composer.text == long_words()
            QTest.mouseClick(card.show_turns, Qt.MouseButton.LeftButton)
            assert card.overflow is not None
            assert card._turns.count() == len(card.overflow.turns)
            assert card._turns.isVisible()
            assert "Question 0" in card._turns.item(0).text()
            QTest.keyClick(house.window, Qt.Key.Key_Escape)
            assert not card.isVisible()
            assert house.window.composer.text == long_words()
            assert len(house.rows) == 2 * N_TURNS

    run(story())


def test_a_notice_leaves_the_card_free(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_house(Script(answer=b"Yes.")) as house:
            window, notice = house.window, house.window.notice
            window.notice.tell("cat.png is no text.")
            card = await refused(house)
            await until(lambda: notice.geometry().bottom() < card.mapTo(window.pages, QPoint(0, 0)).y())
            low = notice.y()
            QTest.mouseClick(card.show_turns, Qt.MouseButton.LeftButton)
            await until(lambda: notice.y() < low)
            assert not notice.geometry().intersects(QRect(card.mapTo(window.pages, QPoint(0, 0)), card.size()))
            QTest.keyClick(window, Qt.Key.Key_Escape)
            assert notice.y() > low
            window.resize(420, 380)
            assert window.pages.rect().contains(notice.geometry())

    run(story())


def test_turns_are_left_out_when_the_person_says_so(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_house(Script(answer=b"Yes.")) as house:
            card = await refused(house)
            QTest.mouseClick(card.leave_out, Qt.MouseButton.LeftButton)
            await until(lambda: len(house.rows) == 2 * N_TURNS + 2)
            await answered(house)
            assert house.rows[-1].text == "Yes."
            assert not card.isVisible()
            assert house.window.composer.text == ""
            read = read_by_model(house)
            assert "Be kind." in read
            assert "Question 0" not in read
            assert f"Question {N_TURNS - 1}" in read
            type_and_send(house, "And again? " + "n" * 500)  # remembered: nobody asks again
            await until(lambda: len(house.rows) == 2 * N_TURNS + 4)
            await answered(house)

    run(story())


def test_turns_are_summarised_and_the_message_is_sent(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_house(Script(answer=b"They asked things.")) as house:
            card = await refused(house)
            QTest.mouseClick(card.summarise, Qt.MouseButton.LeftButton)
            assert card.is_summarising
            await until(lambda: len(house.rows) == 2 * N_TURNS + 2)
            await answered(house)
            read = read_by_model(house)
            assert "Be kind.\n\nSummary of the conversation up to here:\nThey asked things." in read
            assert house.window.chat_settings is not None
            assert house.window.chat_settings.form.settings.summary == "They asked things."

    run(story())


def test_a_summary_can_be_cancelled(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_house(Script(answer=None, step_s=0.01)) as house:
            card = await refused(house)
            QTest.mouseClick(card.summarise, Qt.MouseButton.LeftButton)
            await until(lambda: card._progress.value() > 0)
            QTest.mouseClick(card.cancel, Qt.MouseButton.LeftButton)
            await until(lambda: not card.is_summarising)
            assert card.isVisible()
            assert house.window.composer.text == long_words()
            assert len(house.rows) == 2 * N_TURNS

    run(story())


def test_a_chat_is_started_afresh_with_the_same_words(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_house(Script(answer=b"Yes.")) as house:
            card = await refused(house)
            QTest.mouseClick(card.afresh, Qt.MouseButton.LeftButton)
            assert house.rows == []
            assert house.window.composer.text == long_words()
            assert not card.isVisible()
            click_chat(house, "A long chat")
            await until(lambda: len(house.rows) == 2 * N_TURNS)
            assert house.window.composer.text == ""

    run(story())


def test_a_message_too_long_by_itself_says_so(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house() as house:
            await until(lambda: house.ready)
            card = house.window.overflow_card
            assert card is not None
            house.window.composer.begin_with("word " * 1_000)
            QTest.keyClick(house.window.composer._edit, Qt.Key.Key_Return)
            await until(card.isVisible)
            assert "This message is too long for the model. It takes 5," in card.text
            assert "the model reads 4,096" in card.text
            assert house.rows == []
            assert not card.leave_out.isVisible()
            house.window.composer.begin_with("short")
            house.window.composer.show_text("short")
            assert not card.isVisible()

    run(story())


def test_message_too_long_keeps_focus_in_text(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house() as house:
            await until(lambda: house.ready)
            window, card = house.window, house.window.overflow_card
            assert card is not None
            window.composer.begin_with("word " * 1_000)
            QTest.keyClick(window.composer._edit, Qt.Key.Key_Return)
            await until(card.isVisible)
            assert window.focusWidget() is window.composer._edit
            QTest.keySequence(window.focusWidget(), "Ctrl+A")
            QTest.keyClick(window.focusWidget(), Qt.Key.Key_Delete)
            await until(lambda: not card.isVisible())
            assert window.composer.text == ""

    run(story())


def test_hiding_card_returns_focus_to_text(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house() as house:
            await until(lambda: house.ready)
            window, card = house.window, house.window.overflow_card
            assert card is not None
            window.composer.begin_with("word " * 1_000)
            QTest.keyClick(window.composer._edit, Qt.Key.Key_Return)
            await until(card.isVisible)
            card._close.setFocus()
            window.composer.show_text("short")
            assert not card.isVisible()
            assert window.focusWidget() is window.composer._edit

    run(story())
