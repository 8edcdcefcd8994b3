"""Copies everything readable from a damaged chat database into a new one. Runs on the store's thread (the one that owns
the SQLite connection)."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from desktop.store.page_reader import PageReader
from desktop.store.records import Chat, ChatMessage, Role, State
from desktop.store.rows import (
    CHAT_COLUMNS,
    FOLDER_COLUMNS,
    MESSAGE_COLUMNS,
    chat_from_row,
    chat_row,
    message_from_row,
    message_row,
)

MAX_FAILED_READS = 20_000
"""Number of failed reads of one table after which the rest of the table is skipped."""

NOT_DELETED, DELETED = "deleted_s IS NULL", "deleted_s IS NOT NULL"

JSON_COLUMNS = {"settings": "{}", "calls": "[]", "attachments": "[]"}

_UNTITLED = "Recovered chat"


@dataclass(frozen=True, slots=True)
class Recovered:
    n_chats: int = 0
    n_messages: int = 0


def recover(damaged: Path, connection: sqlite3.Connection) -> Recovered:
    """Fills `connection`, an empty database of the current schema version, with the rows of the file `damaged`. The
    file is not changed.

    Rows that SQL cannot reach are read from the pages of the file. Rows marked as deleted are not copied. Raises
    sqlite3.Error only if `connection` cannot be written."""
    with tempfile.TemporaryDirectory(dir=damaged.parent, prefix="recovering-") as folder:
        copy = Path(folder) / "copy.sqlite3"
        _copy(damaged, copy)
        chats, messages = _rows_on_pages(copy.read_bytes())
        with closing(sqlite3.connect(copy)) as source:
            source.execute("PRAGMA writable_schema = ON")  # without this, SQLite rejects a truncated file
            source.text_factory = lambda data: data.decode("utf-8", "replace")
            chats |= {chat.id: chat for row in _rows(source, "chats", CHAT_COLUMNS) if (chat := _chat(row))}
            found = [message for row in _rows(source, "messages", MESSAGE_COLUMNS) if (message := _message(row))]
            messages |= {message.id: message for message in found}
            others = {name: list(_rows(source, name, columns)) for name, columns in OTHERS.items()}
            deleted = {row["id"] for name in ("chats", "messages") for row in _rows(source, name, ["id"], DELETED)}
    chats = {id: chat for id, chat in chats.items() if id not in deleted}
    kept = _with_known_parents({id: each for id, each in messages.items() if not {id, each.chat_id} & deleted})
    for message in kept:
        if message.chat_id not in chats:
            chats[message.chat_id] = _placeholder_chat(message)
    connection.execute("BEGIN IMMEDIATE")
    _put(connection, "chats", CHAT_COLUMNS, [chat_row(chat) for chat in chats.values()])
    _put(connection, "messages", MESSAGE_COLUMNS, [message_row(message) for message in kept])
    for name, columns in OTHERS.items():
        _put(connection, name, columns, [tuple(row.values()) for row in others[name] if None not in row.values()])
    connection.execute("COMMIT")
    return Recovered(len(chats), len(kept))


def _rows_on_pages(data: bytes) -> tuple[dict[str, Chat], dict[str, ChatMessage]]:
    """Returns the chats and messages on all leaf pages of the file, by id.

    If a record is on several pages, the one on the last page is used. The file does not record which one is the
    newest."""
    chats: dict[str, Chat] = {}
    messages: dict[str, ChatMessage] = {}
    for row in PageReader.of(data).rows():
        columns = LAYOUTS.get(len(row))
        if columns is None:
            continue
        values: dict[str, Any] = dict(zip(columns, row, strict=True))
        if values.pop("deleted_s", None) is not None:
            continue
        for name, value in values.items():
            if name.endswith("_s") and isinstance(value, int):
                values[name] = float(value)  # SQLite stores whole numbers in REAL columns as integers
        if "chat_id" not in values:
            if (chat := _chat(values)) is not None:
                chats[chat.id] = chat
        elif (message := _message(values)) is not None:
            messages[message.id] = message
    return chats, messages


_FIRST_CHAT = CHAT_COLUMNS[: CHAT_COLUMNS.index("leaf_id") + 1]
_SECOND_CHAT = ("settings", "titled_by")
_FIRST_MESSAGE = MESSAGE_COLUMNS[: MESSAGE_COLUMNS.index("note") + 1]
_SECOND_MESSAGE = MESSAGE_COLUMNS[: MESSAGE_COLUMNS.index("group_id") + 1]
_DRAFTS = ("n_drafted", "n_accepted")
LAYOUTS = {
    len(columns): columns
    for columns in (
        (*_FIRST_CHAT, "deleted_s"),
        (*_FIRST_CHAT, "deleted_s", *_SECOND_CHAT),
        (*_FIRST_CHAT, "deleted_s", *CHAT_COLUMNS[len(_FIRST_CHAT) :]),
        _FIRST_MESSAGE,
        (*_SECOND_MESSAGE, "deleted_s"),
        (*_SECOND_MESSAGE, "deleted_s", *_DRAFTS),
        (*_SECOND_MESSAGE, "deleted_s", *MESSAGE_COLUMNS[len(_SECOND_MESSAGE) :]),
    )
}
"""Column names of the tables of chats and messages in each schema version. Each key is the number of these columns. No
two entries have the same number."""

OTHERS = {
    "drafts": ("chat_id", "text", "attachments"),
    "presets": ("name", "settings"),
    "folders": FOLDER_COLUMNS,
}


def _copy(damaged: Path, copy: Path) -> None:
    """Copies a database and its WAL, which may contain the newest messages. The copy is needed because SQLite changes
    files when it opens them."""
    for ending in ("", "-wal"):
        side = damaged.with_name(damaged.name + ending)
        if side.exists():
            shutil.copyfile(side, copy.with_name(copy.name + ending))


def _rows(
    source: sqlite3.Connection, table: str, columns: Sequence[str], condition: str = NOT_DELETED
) -> Iterator[dict[str, Any]]:
    """Yields every readable row of a table in rowid order, as a dict with those `columns` that the table has."""
    try:
        there = [row[1] for row in source.execute(f"PRAGMA table_info({table})")]
    except sqlite3.Error:
        return
    names = [name for name in columns if name in there]
    if not names or (condition == DELETED and "deleted_s" not in there):
        return
    where = f"{condition} AND " if "deleted_s" in there else ""
    readable = _Table(source, f"SELECT rowid, {', '.join(names)} FROM {table} NOT INDEXED WHERE {where}")
    for row in sorted(readable.rows().items()):
        yield dict(zip(names, row[1], strict=True))


class _Table:
    """Reads the readable rows of a table with damaged pages. A range of rowids is read from both ends up to the first
    error; the rest is then bisected."""

    def __init__(self, source: sqlite3.Connection, select: str) -> None:
        self._source = source
        self._select = select
        self._tries = 0
        self._found: dict[int, tuple[Any, ...]] = {}

    def rows(self) -> dict[int, tuple[Any, ...]]:
        ranges = [(1, self._last())]
        while ranges and self._tries < MAX_FAILED_READS:
            low, high = ranges.pop()
            if low > high:
                continue
            after, is_complete = self._read(low, high, "ASC")
            if is_complete:
                continue
            before, _ = self._read(after + 1, high, "DESC")
            low, high = after + 1, before - 1
            if low < high:
                middle = (low + high) // 2
                ranges += [(low, middle), (middle + 1, high)]
        return self._found

    def _read(self, low: int, high: int, order: str) -> tuple[int, bool]:
        """Reads a range of rowids until the first error. Returns the last rowid that was read, and whether the whole
        range was read.

        If no row was read, the returned rowid is the one just before the range in reading order."""
        at = low - 1 if order == "ASC" else high + 1
        try:
            for rowid, *values in self._source.execute(
                f"{self._select} rowid BETWEEN ? AND ? ORDER BY rowid {order}", (low, high)
            ):
                self._found[rowid] = tuple(values)
                at = rowid
        except (sqlite3.Error, OverflowError):
            self._tries += 1
            return at, False
        return at, True

    def _last(self) -> int:
        """Returns the highest rowid of the table. If it cannot be read, returns an upper bound. This is the file size
        divided by 16, because a row takes at least 16 bytes."""
        table = self._select.partition(" FROM ")[2].split()[0]
        try:
            return int(self._source.execute(f"SELECT max(rowid) FROM {table}").fetchone()[0] or 0)
        except sqlite3.Error:
            path = self._source.execute("PRAGMA database_list").fetchone()[2]
            return max(1_024, int(Path(path).stat().st_size) // 16)


def _with_valid_json(row: dict[str, Any]) -> dict[str, Any]:
    """Replaces invalid JSON in `row` by empty values."""
    for name, empty in JSON_COLUMNS.items():
        if name in row:
            try:
                json.loads(row[name])
            except (ValueError, TypeError, RecursionError):
                row[name] = empty
    return row


def _chat(row: dict[str, Any]) -> Chat | None:
    plain = dict(zip(CHAT_COLUMNS, chat_row(Chat("", "", 0.0, 0.0)), strict=True))
    try:
        chat = chat_from_row([(plain | _with_valid_json(row))[name] for name in CHAT_COLUMNS])
    except (ValueError, TypeError, AttributeError):
        return None
    has_types = _have_type(str, chat.id, chat.title, chat.titled_by, chat.folder_id) and _have_type(
        float, chat.created_s, chat.updated_s
    )
    return chat if has_types and chat.id else None


def _message(row: dict[str, Any]) -> ChatMessage | None:
    plain = dict(zip(MESSAGE_COLUMNS, message_row(ChatMessage("", "", None, "user", "", "cut", 0.0)), strict=True))
    try:
        message = message_from_row([(plain | _with_valid_json(row))[name] for name in MESSAGE_COLUMNS])
    except (ValueError, TypeError, AttributeError):
        return None
    has_types = _have_type(str, message.id, message.chat_id, message.text) and _have_type(float, message.created_s)
    known = message.role in get_args(Role) and message.state in get_args(State)
    return message if has_types and known and message.id and message.chat_id else None


def _have_type(kind: type, *values: object) -> bool:
    return all(isinstance(value, kind) for value in values)


def _with_known_parents(messages: dict[str, ChatMessage]) -> list[ChatMessage]:
    """Sorts the messages of each chat by time. A message whose parent is lost becomes a child of the message before it,
    so that the chat is still shown as one branch."""
    ordered = sorted(messages.values(), key=lambda message: (message.chat_id, message.created_s))
    before: ChatMessage | None = None
    joined = []
    for message in ordered:
        if message.parent_id is not None and message.parent_id not in messages:
            same = before is not None and before.chat_id == message.chat_id
            message = replace(message, parent_id=before.id if before is not None and same else None)
        joined.append(message)
        before = message
    return joined


def _placeholder_chat(message: ChatMessage) -> Chat:
    """Creates a chat for a message whose chat row is lost. The text of the message becomes the title."""
    line = " ".join(message.text.split())[:48]
    return Chat(message.chat_id, line or _UNTITLED, message.created_s, message.created_s, titled_by="person")


def _put(connection: sqlite3.Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    placeholders = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({placeholders})", rows)
