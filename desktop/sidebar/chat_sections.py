"""Computes the rows of the chat list: pinned chats, folders, the other chats by date, and the archive. Does not use
Qt."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from operator import attrgetter

from desktop.store.records import Chat, Folder


class Section(Enum):
    """A section of the chat list. The members are in display order."""

    PINNED = "pinned"
    FOLDERS = "folders"
    TODAY = "today"
    WEEK = "week"
    MONTH = "month"
    EARLIER = "earlier"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class FolderRow:
    """The row of a folder. The rows of its `n_chats` chats follow it, unless the folder is folded (collapsed)."""

    folder: Folder
    n_chats: int


@dataclass(frozen=True, slots=True)
class ArchiveRow:
    """The heading of the archive. The rows of its `n_chats` chats follow it, unless the archive is folded
    (collapsed)."""

    n_chats: int
    folded: bool


Row = Section | FolderRow | ArchiveRow | Chat


def key_of(row: Row) -> str:
    """Returns the key of a row. The key stays the same when the content of the row changes."""
    if isinstance(row, Chat):
        return row.id
    if isinstance(row, FolderRow):
        return f"/folder/{row.folder.id}"
    return f"/{(row if isinstance(row, Section) else Section.ARCHIVE).value}"


def arrange(
    chats: Iterable[Chat], now: datetime, folders: Sequence[Folder] = (), archive_folded: bool = True
) -> list[Row]:
    """Returns all rows of the chat list. Each heading and folder is followed by its chats, most recent first.

    Sections without chats have no heading. Archived chats are listed only in the archive. Pinned chats that are not
    archived are listed only under the pinned ones. `now` is local time."""
    archived: list[Chat] = []
    pinned: list[Chat] = []
    members: dict[str, list[Chat]] = {folder.id: [] for folder in folders}
    days: list[tuple[Section, list[Chat], float]] = [(section, [], since_s) for section, since_s in _day_starts(now)]
    next_days = iter(days)
    _, group, since_s = next(next_days)
    for chat in sorted(chats, key=attrgetter("updated_s"), reverse=True):
        if chat.archived:
            archived.append(chat)
        elif chat.pinned:
            pinned.append(chat)
        elif chat.folder_id and chat.folder_id in members:
            members[chat.folder_id].append(chat)
        else:
            while chat.updated_s < since_s:
                _, group, since_s = next(next_days)
            group.append(chat)
    rows: list[Row] = [Section.PINNED, *pinned] if pinned else []
    if folders:
        rows.append(Section.FOLDERS)
    for folder in folders:
        rows.append(FolderRow(folder, len(members[folder.id])))
        rows += [] if folder.folded else members[folder.id]
    for section, group, _ in days:
        rows += [section, *group] if group else []
    if archived:
        rows.append(ArchiveRow(len(archived), archive_folded))
        rows += [] if archive_folded else archived
    return rows


def _day_starts(now: datetime) -> list[tuple[Section, float]]:
    """Returns the sections by date, and the Unix time at which each starts. A week and a month are the 7 and 30 days
    before today."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    since = [(Section.TODAY, 0), (Section.WEEK, 7), (Section.MONTH, 30)]
    return [(part, (today - timedelta(days=n)).timestamp()) for part, n in since] + [(Section.EARLIER, float("-inf"))]


def section_of(row: Row, folder_ids: Container[str]) -> Section | str:
    """Returns the section of a row. For a folder or a chat listed in a folder, returns the id of the folder instead.
    For rows in the sections by date, returns ""."""
    match row:
        case Chat(archived=True) | ArchiveRow():
            return Section.ARCHIVE
        case Chat(pinned=True):
            return Section.PINNED
        case Chat(folder_id=folder_id):
            return folder_id if folder_id in folder_ids else ""
        case FolderRow(folder=folder):
            return folder.id
        case Section.PINNED | Section.FOLDERS:
            return row
    return ""
