"""How the chats are grouped in the sidebar. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum

from desktop.store.records import Chat


class Section(Enum):
    """In the order in which they stand."""

    PINNED = "pinned"
    TODAY = "today"
    WEEK = "week"
    MONTH = "month"
    EARLIER = "earlier"


def section_of(chat: Chat, now: datetime) -> Section:
    """`now` is local time; a week and a month are the seven and thirty days before today."""
    if chat.pinned:
        return Section.PINNED
    age = now.date() - datetime.fromtimestamp(chat.updated_s).date()
    if age <= timedelta(0):
        return Section.TODAY
    if age <= timedelta(days=7):
        return Section.WEEK
    return Section.MONTH if age <= timedelta(days=30) else Section.EARLIER


def arranged(chats: Iterable[Chat], now: datetime) -> list[Section | Chat]:
    """Each section that is not empty, followed by its chats, the most recent first."""
    groups: dict[Section, list[Chat]] = {section: [] for section in Section}
    for chat in sorted(chats, key=lambda chat: chat.updated_s, reverse=True):
        groups[section_of(chat, now)].append(chat)
    rows: list[Section | Chat] = []
    for section, members in groups.items():
        if members:
            rows += [section, *members]
    return rows
