"""Tests of grouping chats into the sections of the chat list."""

from __future__ import annotations

from datetime import datetime, timedelta

from desktop.sidebar.chat_sections import Section, arrange, key_of
from desktop.store.records import Chat

NOW = datetime(2026, 11, 22, 12, 0)


def chat(name: str, days: float, pinned: bool = False) -> Chat:
    at = (NOW - timedelta(days=days)).timestamp()
    return Chat(name, name, at, at, pinned)


def test_chats_are_grouped_into_sections_by_age() -> None:
    chats = [chat("old", 90), chat("now", 0), chat("pin", 50, True), chat("week", 6), chat("month", 20), chat("m", 0.3)]
    assert [row if isinstance(row, Section) else key_of(row) for row in arrange(chats, NOW)] == [
        Section.PINNED, "pin", Section.TODAY, "now", "m", Section.WEEK, "week",
        Section.MONTH, "month", Section.EARLIER, "old",
    ]  # fmt: skip
    assert arrange([], NOW) == []
