"""Tests of picking a word of an answer, by mouse or keyboard, to see other words that were likely there."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.chat.message_list import MessageList
from desktop.transcript.view import TranscriptView
from tests.desktop.transcript.support import centre_of, message

CONTROL = Qt.KeyboardModifier.ControlModifier


def test_click_on_a_word_requests_its_alternatives(qtbot: QtBot, view: TranscriptView, messages: MessageList) -> None:
    text = "A **fine** word, a `fine` code and a [fine](https://fine.example) 🙂 link, finely."
    messages.show([message(0, "fine"), message(1, text.replace("https://fine.example", "https://b.example"))])
    source = messages[1].text
    for nth in range(2):
        with qtbot.waitSignal(view.token_alternatives_requested) as emitted:
            QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=centre_of(view, 1, "fine", nth))
        message_id, start, end, box = emitted.args
        assert (message_id, source[start:end]) == ("m1", "fine")
        assert start == [4, 20][nth]
        assert view.viewport().mapFromGlobal(box.center()) == centre_of(view, 1, "fine", nth)
        assert view.cache.items["m1"].marked_word is not None
        view.clear_word_mark()
        assert view.cache.items["m1"].marked_word is None


@pytest.mark.parametrize("row", [0, 1])
def test_click_on_a_word_that_cannot_be_picked_requests_nothing(
    qtbot: QtBot, view: TranscriptView, messages: MessageList, row: int
) -> None:
    """Words cannot be picked in user messages, in streaming answers, or if their place in the source is ambiguous."""
    messages.show([message(0, "Hello"), message(1, "Hello there", "streaming")])
    with qtbot.assertNotEmitted(view.token_alternatives_requested, wait=350):
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=centre_of(view, row, "Hello"))
        if row:
            messages.show([message(0, "Hi"), message(1, "there [there](https://there.example)")])
            QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=centre_of(view, 1, "there"))


def test_double_click_selects_a_word_and_requests_no_alternatives(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(0, "Hi"), message(1, "Hello there")])
    at = centre_of(view, 1, "there")
    with qtbot.assertNotEmitted(view.token_alternatives_requested, wait=350):
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
        QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert view.selected_text == "there"


def test_word_marked_by_keyboard_is_picked_with_enter(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(0, "Hi"), message(1, "One two three")])
    for key in (Qt.Key.Key_W, Qt.Key.Key_Left):
        QTest.keyClick(view, key)
    with qtbot.waitSignal(view.token_alternatives_requested) as emitted:
        QTest.keyClick(view, Qt.Key.Key_Return)
    assert emitted.args[1:3] == [4, 7]
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.cache.items["m1"].marked_word is None


@pytest.mark.parametrize("keys", ["Hello", "What", "why (so)?", "ww"])
def test_text_typed_while_no_word_is_being_picked_is_emitted(
    view: TranscriptView, messages: MessageList, keys: str
) -> None:
    """W starts picking words. If another character follows, the W is emitted as typed text, too."""
    typed: list[str] = []
    view.typed.connect(typed.append)
    messages.show([message(0, "Hi"), message(1, "One two three")])
    QTest.keyClicks(view, keys)
    assert "".join(typed) == keys.replace(" ", "")
    assert view.cache.items["m1"].marked_word is None
    for key, held in (
        (Qt.Key.Key_X, Qt.KeyboardModifier.ControlModifier),
        (Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier),
    ):
        before = list(typed)
        QTest.keyClick(view, key, held)
        assert typed == before
    messages.show([])
    typed.clear()
    QTest.keyClick(view, Qt.Key.Key_W)
    assert typed == ["w"]
