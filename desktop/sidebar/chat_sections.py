"""How the chats stand in the sidebar: pinned ones, folders, then by day, and what is put away. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from operator import attrgetter

from desktop.store.records import Chat, Folder


class Section(Enum):
    """In the order in which they stand."""

    PINNED = "pinned"
    FOLDERS = "folders"
    TODAY = "today"
    WEEK = "week"
    MONTH = "month"
    EARLIER = "earlier"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class FolderRow:
    """The name of a folder; its chats follow unless it is folded. `n_chats` are those that would."""

    folder: Folder
    n_chats: int


@dataclass(frozen=True, slots=True)
class ArchiveRow:
    """The last of all; what is put away follows unless it is folded."""

    n_chats: int
    folded: bool


Row = Section | FolderRow | ArchiveRow | Chat


def key_of(row: Row) -> str:
    """What a row is known by, whatever it says."""
    if isinstance(row, Chat):
        return row.id
    if isinstance(row, FolderRow):
        return f"/folder/{row.folder.id}"
    return f"/{(row if isinstance(row, Section) else Section.ARCHIVE).value}"


def arranged(
    chats: Iterable[Chat], now: datetime, folders: Sequence[Folder] = (), archive_folded: bool = True
) -> list[Row]:
    """Each part that is not empty, and each folder, followed by its chats, the most recent first. `now` is local time.

    A chat stands once: what is put away under the archive, else what is pinned among the pinned, else in its folder."""
    away: list[Chat] = []
    pinned: list[Chat] = []
    members: dict[str, list[Chat]] = {folder.id: [] for folder in folders}
    days: list[tuple[Section, list[Chat], float]] = [(section, [], since_s) for section, since_s in _days(now)]
    coming = iter(days)
    _, group, since_s = next(coming)
    for chat in sorted(chats, key=attrgetter("updated_s"), reverse=True):
        if chat.archived:
            away.append(chat)
        elif chat.pinned:
            pinned.append(chat)
        elif chat.folder_id and chat.folder_id in members:
            members[chat.folder_id].append(chat)
        else:
            while chat.updated_s < since_s:
                _, group, since_s = next(coming)
            group.append(chat)
    rows: list[Row] = [Section.PINNED, *pinned] if pinned else []
    if folders:
        rows.append(Section.FOLDERS)
    for folder in folders:
        rows.append(FolderRow(folder, len(members[folder.id])))
        rows += [] if folder.folded else members[folder.id]
    for section, group, _ in days:
        rows += [section, *group] if group else []
    if away:
        rows.append(ArchiveRow(len(away), archive_folded))
        rows += [] if archive_folded else away
    return rows


def _days(now: datetime) -> list[tuple[Section, float]]:
    """Since when, in Unix time, a chat belongs to which part; a week and a month are the seven and thirty days before
    today."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    since = [(Section.TODAY, 0), (Section.WEEK, 7), (Section.MONTH, 30)]
    return [(part, (today - timedelta(days=n)).timestamp()) for part, n in since] + [(Section.EARLIER, float("-inf"))]
