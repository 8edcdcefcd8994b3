"""Tests of the comparison of several answers side by side: picking one answer, streaming, and the change to a single
answer."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QRect
from pytestqt.qtbot import QtBot

from desktop.chat.message_list import MessageList
from desktop.store.records import ChatMessage
from desktop.transcript.view import TranscriptView
from tests.desktop.transcript.support import LONG, message


def alternatives(state: str = "complete") -> tuple[ChatMessage, ...]:
    return tuple(
        replace(message(1, f"Title {n}", state), id=f"a{n}", first_token_s=0.4, decode_s=1.0) for n in range(3)
    )


def test_click_on_a_card_picks_its_answer(qtbot: QtBot, view: TranscriptView, messages: MessageList) -> None:
    three = alternatives()
    messages.show([message(0, "Hi"), three[0]], {}, {"a0": three})
    controls = view.cache.controls["a0"]
    names = [card.accessibleName() for card in controls._cards.values()]  # type: ignore[attr-defined]
    assert names == ["Answer 1, kept", "Keep answer 2", "Keep answer 3"]
    with qtbot.waitSignal(view.picked) as picked:
        controls._cards["a2"].click()  # type: ignore[attr-defined]
    assert picked.args == ["a2"]
    wide = view.cache.items["a0"].boxes()  # type: ignore[attr-defined]
    assert len({box.top() for box in wide}) == 1
    view.resize(420, 600)
    narrow: list[QRect] = view.cache.items["a0"].boxes()  # type: ignore[attr-defined]
    assert len({box.left() for box in narrow}) == 1
    assert all(not one.intersects(two) for one in narrow for two in narrow if one is not two)


def test_comparison_grows_while_streaming_and_then_becomes_a_single_message(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    live = alternatives("streaming")
    messages.show([message(0, "Hi"), live[0]])
    messages.show_alternatives("a0", live)
    qtbot.waitUntil(lambda: hasattr(view.cache.items.get("a0"), "boxes"))
    height = view.cache.items["a0"].height
    messages.show_alternatives("a0", (live[0], replace(live[1], text=LONG), live[2]))
    qtbot.waitUntil(lambda: view.cache.items["a0"].height > height + 200)
    messages.show_alternatives("a0", ())
    qtbot.waitUntil(lambda: not hasattr(view.cache.items.get("a0"), "boxes"))
