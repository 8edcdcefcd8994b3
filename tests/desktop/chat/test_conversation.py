"""The conversation and its arrangement, without a screen."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from desktop.chat.conversation import Conversation
from desktop.chat.prompt import prompt_messages
from desktop.chat.titles import MAX_TITLE_COLUMNS, columns, title_of
from desktop.sidebar.chat_sections import Section, arrange, key_of
from desktop.store.records import Chat, ChatMessage, ChatSettings, Role, State
from engine.requests import Message

NOW = datetime(2026, 11, 22, 12, 0)


def message(
    name: str, parent: str | None, role: Role = "user", text: str = "words", state: State = "complete"
) -> ChatMessage:
    return ChatMessage(name, "c", parent, role, text, state, 0.0)


def test_branch_ends_at_leaf() -> None:
    tree = Conversation([message("a", None), message("b", "a"), message("c", "a")], leaf_id="b")
    assert [node.id for node in tree.branch()] == ["a", "b"]
    tree.put(message("d", "c"))
    assert [node.id for node in tree.branch()] == ["a", "c", "d"]
    tree.put(message("a", None, text="other"))
    assert tree.leaf_id == "d"
    assert tree.branch()[0].text == "other"


def test_branch_of_broken_tree_stops_at_missing_parent_or_cycle() -> None:
    assert [node.id for node in Conversation([message("a", "gone")]).branch()] == ["a"]
    ring = Conversation([message("a", "b"), message("b", "a")], leaf_id="missing")
    assert [node.id for node in ring.branch()] == ["a", "b"]
    assert Conversation().branch() == []


def test_prompt_merges_consecutive_user_messages() -> None:
    branch = [
        message("a", None, text="One"),
        message("b", "a", "assistant", "", "failed"),
        message("c", "b", text="Two"),
        message("d", "c", "assistant", "Three", "stopped"),
    ]
    assert prompt_messages(branch, ChatSettings()) == (Message("user", "One\n\nTwo"), Message("assistant", "Three"))


@given(st.text())
def test_title_is_one_short_line(text: str) -> None:
    title = title_of(text)
    assert columns(title) <= MAX_TITLE_COLUMNS + 1
    assert len(title.splitlines()) <= 1


def test_long_title_is_cut_at_word_boundary() -> None:
    assert title_of("\n  Parse   a CSV\nwith quotes") == "Parse a CSV"
    assert title_of("word " * 20) == "word word word word word word…"


def chat(name: str, days: float, pinned: bool = False) -> Chat:
    at = (NOW - timedelta(days=days)).timestamp()
    return Chat(name, name, at, at, pinned)


def test_chats_are_grouped_by_age() -> None:
    chats = [chat("old", 90), chat("now", 0), chat("pin", 50, True), chat("week", 6), chat("month", 20), chat("m", 0.3)]
    assert [row if isinstance(row, Section) else key_of(row) for row in arrange(chats, NOW)] == [
        Section.PINNED, "pin", Section.TODAY, "now", "m", Section.WEEK, "week",
        Section.MONTH, "month", Section.EARLIER, "old",
    ]  # fmt: skip
    assert arrange([], NOW) == []
