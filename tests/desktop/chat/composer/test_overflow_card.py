"""Tests of the overflow card: the turns that would be left out of a long chat, and the choices of the user."""

from __future__ import annotations

import time

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest

from desktop.chat.composer.overflow import certainly_fits, find_overflow
from desktop.chat.composer.overflow_card import OverflowCard
from desktop.chat.prompt import prompt_messages, unmerged_messages
from desktop.store.records import Chat, ChatMessage, ChatSettings
from desktop.store.store import Store
from engine.files.profile import Profile
from engine.prompt.context_fit import ContextFit, fit_to_context
from engine.requests import Message
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, click_chat, type_and_send
from tests.fakes import Script

N_TURNS = 5


def row(number: int, role: str, text: str) -> ChatMessage:
    parent = f"m{number - 1}" if number else None
    return ChatMessage(f"m{number}", "long", parent, role, text, "complete", time.time() + number)  # type: ignore[arg-type]


def branch() -> list[ChatMessage]:
    """Messages of about 3,600 bytes in total. The fake model has one token per byte, and a context of 4,096 tokens."""
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


async def open_long(gui: Gui) -> OverflowCard:
    await until(lambda: gui.ready and gui.chats.model().rowCount() == 2)
    click_chat(gui, "A long chat")
    await until(lambda: len(gui.rows) == 2 * N_TURNS)
    assert gui.window.chat_page.overflow_card is not None
    return gui.window.chat_page.overflow_card


def long_words() -> str:
    return "And this? " + "n" * 600


async def refused(gui: Gui) -> OverflowCard:
    card = await open_long(gui)
    gui.window.chat_page.composer.begin_with(long_words())
    QTest.keyClick(gui.window.chat_page.composer._edit, Qt.Key.Key_Return)
    await until(card.isVisible)
    return card


def read_by_model(gui: Gui) -> str:
    slots = gui.opener.backends[-1].slots.values()
    return "\n".join(bytes(token for token in held if token < 256).decode() for held in slots)


def test_find_overflow_lists_turns_that_would_be_left_out_of_prompt() -> None:
    settings = ChatSettings(system="Be kind.")
    fitted = ContextFit(9_310, 8_192, (1, 2, 3, 4), 8_070, True)
    found = find_overflow(branch(), settings, fitted)
    assert found is not None
    assert (found.kind, found.n_left_out, found.has_instructions) == ("turns", 1_240, True)
    assert [turn.first_line for turn in found.turns] == ["Question 0", "Question 1"]
    assert found.last_row_id == "m3"
    leaves_out = ChatSettings(system="Be kind.", leaves_out=True)
    assert find_overflow(branch(), leaves_out, fitted) is None
    alone = find_overflow(branch(), leaves_out, ContextFit(9_310, 8_192, (1,), 9_000, False))
    assert alone is not None
    assert (alone.kind, alone.n_prompt) == ("message", 9_000)
    assert find_overflow(branch(), settings, ContextFit(10, 8_192, (), 10, True)) is None
    assert certainly_fits(branch(), settings, 20_000)
    assert not certainly_fits(branch(), settings, 4_096)


def test_long_question_without_answer_can_be_left_out_of_prompt() -> None:
    rows = [row(0, "user", "q" * 5_000), row(1, "assistant", ""), row(2, "user", "Hello")]
    messages = unmerged_messages(rows, ChatSettings())
    found = find_overflow(
        rows, ChatSettings(), fit_to_context(messages, lambda kept: sum(len(each.content) for each in kept), 4_096)
    )
    assert found is not None
    assert found.kind == "turns"
    assert [turn.first_line for turn in found.turns] == ["q" * 5_000]
    assert prompt_messages(rows, ChatSettings(), (0,)) == (Message("user", "Hello"),)


def test_message_that_does_not_fit_is_not_sent_until_user_chooses_what_to_do(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(Script(answer=b"Yes.")) as gui:
            card = await refused(gui)
            assert "Your next message does not fit. It needs" in card.text
            assert "the model reads 4,096" in card.text
            assert "your instructions stay" in card.text
            assert len(gui.rows) == 2 * N_TURNS
            assert gui.window.chat_page.composer.text == long_words()
            QTest.mouseClick(card.show_turns, Qt.MouseButton.LeftButton)
            assert card.overflow is not None
            assert card._turns.count() == len(card.overflow.turns)
            assert card._turns.isVisible()
            assert "Question 0" in card._turns.item(0).text()
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            assert not card.isVisible()
            assert gui.window.chat_page.composer.text == long_words()
            assert len(gui.rows) == 2 * N_TURNS

    run(story())


def test_toast_does_not_cover_overflow_card(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(Script(answer=b"Yes.")) as gui:
            window, toast = gui.window, gui.window.toast
            window.toast.show_message("cat.png is no text.")
            card = await refused(gui)
            await until(lambda: toast.geometry().bottom() < card.mapTo(window.pages, QPoint(0, 0)).y())
            low = toast.y()
            QTest.mouseClick(card.show_turns, Qt.MouseButton.LeftButton)
            await until(lambda: toast.y() < low)
            assert not toast.geometry().intersects(QRect(card.mapTo(window.pages, QPoint(0, 0)), card.size()))
            QTest.keyClick(window, Qt.Key.Key_Escape)
            assert toast.y() > low
            window.resize(420, 380)
            assert window.pages.rect().contains(toast.geometry())

    run(story())


def test_choosing_to_leave_turns_out_sends_message_without_oldest_turns(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(Script(answer=b"Yes.")) as gui:
            card = await refused(gui)
            QTest.mouseClick(card.leave_out, Qt.MouseButton.LeftButton)
            await until(lambda: len(gui.rows) == 2 * N_TURNS + 2)
            await answered(gui)
            assert gui.rows[-1].text == "Yes."
            assert not card.isVisible()
            assert gui.window.chat_page.composer.text == ""
            read = read_by_model(gui)
            assert "Be kind." in read
            assert "Question 0" not in read
            assert f"Question {N_TURNS - 1}" in read
            # The choice to leave turns out also applies to the next message.
            type_and_send(gui, "And again? " + "n" * 500)
            await until(lambda: len(gui.rows) == 2 * N_TURNS + 4)
            await answered(gui)

    run(story())


def test_choosing_to_summarise_sends_message_with_summary(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(Script(answer=b"They asked things.")) as gui:
            card = await refused(gui)
            QTest.mouseClick(card.summarise, Qt.MouseButton.LeftButton)
            assert card.is_summarising
            await until(lambda: len(gui.rows) == 2 * N_TURNS + 2)
            await answered(gui)
            read = read_by_model(gui)
            assert "Be kind.\n\nSummary of the conversation up to here:\nThey asked things." in read
            assert gui.window.chat_page.settings_sheet is not None
            assert gui.window.chat_page.settings_sheet.form.settings.summary == "They asked things."

    run(story())


def test_cancelling_summary_shows_choices_of_overflow_card_again(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(Script(answer=None, step_s=0.01)) as gui:
            card = await refused(gui)
            QTest.mouseClick(card.summarise, Qt.MouseButton.LeftButton)
            await until(lambda: card._progress.value() > 0)
            QTest.mouseClick(card.cancel, Qt.MouseButton.LeftButton)
            await until(lambda: not card.is_summarising)
            assert card.isVisible()
            assert gui.window.chat_page.composer.text == long_words()
            assert len(gui.rows) == 2 * N_TURNS

    run(story())


def test_choosing_new_chat_moves_draft_to_new_chat(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(Script(answer=b"Yes.")) as gui:
            card = await refused(gui)
            QTest.mouseClick(card.new_chat, Qt.MouseButton.LeftButton)
            assert gui.rows == []
            assert gui.window.chat_page.composer.text == long_words()
            assert not card.isVisible()
            click_chat(gui, "A long chat")
            await until(lambda: len(gui.rows) == 2 * N_TURNS)
            assert gui.window.chat_page.composer.text == ""

    run(story())


def test_overflow_card_reports_message_that_is_longer_than_context(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            card = gui.window.chat_page.overflow_card
            assert card is not None
            gui.window.chat_page.composer.begin_with("word " * 1_000)
            QTest.keyClick(gui.window.chat_page.composer._edit, Qt.Key.Key_Return)
            await until(card.isVisible)
            assert "This message is too long for the model. It takes 5," in card.text
            assert "the model reads 4,096" in card.text
            assert gui.rows == []
            assert not card.leave_out.isVisible()
            gui.window.chat_page.composer.begin_with("short")
            gui.window.chat_page.composer.show_text("short")
            assert not card.isVisible()

    run(story())


def test_message_longer_than_context_keeps_focus_in_text_field(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            window, card = gui.window, gui.window.chat_page.overflow_card
            assert card is not None
            window.chat_page.composer.begin_with("word " * 1_000)
            QTest.keyClick(window.chat_page.composer._edit, Qt.Key.Key_Return)
            await until(card.isVisible)
            assert window.focusWidget() is window.chat_page.composer._edit
            QTest.keySequence(window.focusWidget(), "Ctrl+A")
            QTest.keyClick(window.focusWidget(), Qt.Key.Key_Delete)
            await until(lambda: not card.isVisible())
            assert window.chat_page.composer.text == ""

    run(story())


def test_hiding_focused_overflow_card_returns_focus_to_text_field(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            window, card = gui.window, gui.window.chat_page.overflow_card
            assert card is not None
            window.chat_page.composer.begin_with("word " * 1_000)
            QTest.keyClick(window.chat_page.composer._edit, Qt.Key.Key_Return)
            await until(card.isVisible)
            card._close.setFocus()
            window.chat_page.composer.show_text("short")
            assert not card.isVisible()
            assert window.focusWidget() is window.chat_page.composer._edit

    run(story())
