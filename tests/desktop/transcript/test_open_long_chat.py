"""Opening a long chat: only the visible messages are laid out, and every other message costs next to nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from desktop.chat.conversation import Conversation
from desktop.chat.message_list import MessageList
from desktop.store.records import ChatMessage
from desktop.transcript.view import TranscriptView

N = 3_000
TEXT = "The tide comes in twice a day and nobody has ever seen it hurry. " * 8


def long_chat() -> list[ChatMessage]:
    return [
        ChatMessage(f"m{n}", "c", f"m{n - 1}" if n else None, "assistant" if n % 2 else "user", TEXT, "complete", n)
        for n in range(N)
    ]


def n_calls(run: Callable[[], object]) -> int:
    """The number of Python functions that are called while `run` runs."""
    count = 0

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


def test_opening_a_long_chat_lays_out_only_visible_messages(view: TranscriptView, messages: MessageList) -> None:
    rows = long_chat()
    assert n_calls(lambda: messages.show(rows)) < 5 * N
    assert len(view.cache.items) < 20
    assert view.at_end


def test_edit_draft_is_restored_without_a_look_at_each_message(view: TranscriptView, messages: MessageList) -> None:
    asked: list[str] = []

    def draft_of(message_id: str) -> str:
        asked.append(message_id)
        return "Another question" if message_id == "m2998" else ""

    view.edit_draft = draft_of
    view.edit_draft_keys = lambda: {"other chat", "m2998", "m2"}
    messages.show(long_chat())
    assert asked == ["m2998"]
    assert view.editing.editor is not None
    assert view.editing.editor.message_id == "m2998"


def test_building_a_long_conversation_calls_few_functions() -> None:
    rows = long_chat()
    assert n_calls(lambda: Conversation(rows, rows[-1].id).versions()) < N


@pytest.mark.parametrize("change", ["put", "add", "remove", "step"])
def test_branch_follows_each_change(change: str) -> None:
    question = ChatMessage("q", "c", None, "user", "Why?", "complete", 0.0)
    answers = [ChatMessage(each, "c", "q", "assistant", each, "complete", 1.0) for each in ("a", "b")]
    conversation = Conversation([question, *answers])
    assert [row.text for row in conversation.branch()] == ["Why?", "b"]
    match change:
        case "put":
            conversation.put(ChatMessage("b", "c", "q", "assistant", "new", "complete", 1.0))
            expected = ["Why?", "new"]
        case "add":
            conversation.put(ChatMessage("d", "c", "b", "user", "And?", "complete", 2.0))
            expected = ["Why?", "b", "And?"]
        case "remove":
            conversation.restore(conversation.remove("b"))
            conversation.remove("b")
            expected = ["Why?", "a"]
        case _:
            conversation.step("b", -1)
            expected = ["Why?", "a"]
    assert [row.text for row in conversation.branch()] == expected
    conversation.branch().clear()
    assert len(conversation.branch()) == len(expected)


def test_streaming_answer_is_found_in_rows_and_alternatives(messages: MessageList) -> None:
    rows = long_chat()[:2]
    messages.show(rows)
    assert not messages.is_any_in_state("streaming")
    beside = ChatMessage("x", "c", "m0", "assistant", "", "streaming", 1.0)
    messages.show_alternatives("m1", (rows[1], beside))
    assert messages.is_any_in_state("streaming")
