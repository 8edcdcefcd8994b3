"""Reading what can be read of a damaged file of chats into a new one. Runs on the store's thread."""

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
"""Reads that fail, in one table, after which the rest of it is given up."""

HERE, DELETED = "deleted_s IS NULL", "deleted_s IS NOT NULL"

JSON_COLUMNS = {"settings": "{}", "calls": "[]", "attachments": "[]"}

_UNDATED = "Recovered chat"


@dataclass(frozen=True, slots=True)
class Recovered:
    n_chats: int = 0
    n_messages: int = 0


def recover(damaged: Path, connection: sqlite3.Connection) -> Recovered:
    """Fills `connection`, a fresh file of the last layout, with what can be read of `damaged`, which is not touched.

    What SQLite finds no way to is taken from the pages themselves. Deleted chats and messages stay deleted.
    Raises sqlite3.Error only where `connection` cannot be written."""
    with tempfile.TemporaryDirectory(dir=damaged.parent, prefix="recovering-") as folder:
        copy = Path(folder) / "copy.sqlite3"
        _copy(damaged, copy)
        chats, messages = _rows_on_pages(copy.read_bytes())
        with closing(sqlite3.connect(copy)) as source:
            source.execute("PRAGMA writable_schema = ON")  # else SQLite reads nothing of a file whose end is missing
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
    """Chats and messages, by their ids, that lie in the file, whether SQLite finds a way to them or not.

    Of several versions of one, that on the last page counts; which is the newest nobody knows."""
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
                values[name] = float(value)  # SQLite writes a whole number as one, also where the column is REAL
        if "chat_id" not in values:
            if (chat := _chat(values)) is not None:
                chats[chat.id] = chat
        elif (message := _message(values)) is not None:
            messages[message.id] = message
    return chats, messages


_FIRST_CHAT = CHAT_COLUMNS[: CHAT_COLUMNS.index("leaf_id") + 1]
_SECOND_CHAT = ("settings", "titled_by")
_FIRST_MESSAGE = MESSAGE_COLUMNS[: MESSAGE_COLUMNS.index("note") + 1]
LAYOUTS = {
    len(columns): columns
    for columns in (
        (*_FIRST_CHAT, "deleted_s"),
        (*_FIRST_CHAT, "deleted_s", *_SECOND_CHAT),
        (*_FIRST_CHAT, "deleted_s", *CHAT_COLUMNS[len(_FIRST_CHAT) :]),
        _FIRST_MESSAGE,
        (*MESSAGE_COLUMNS, "deleted_s"),
    )
}
"""By the number of values: the columns of a chat and of a message, in the order in which each layout has them."""

OTHERS = {
    "drafts": ("chat_id", "text", "attachments"),
    "presets": ("name", "settings"),
    "folders": FOLDER_COLUMNS,
}


def _copy(damaged: Path, copy: Path) -> None:
    """With its journal, which may hold the newest words; opening a file changes it, so only a copy is opened."""
    for ending in ("", "-wal"):
        side = damaged.with_name(damaged.name + ending)
        if side.exists():
            shutil.copyfile(side, copy.with_name(copy.name + ending))


def _rows(
    source: sqlite3.Connection, table: str, columns: Sequence[str], which: str = HERE
) -> Iterator[dict[str, Any]]:
    """Every row that can be read, with those of `columns` that the file has, in the order of rowids."""
    try:
        there = [row[1] for row in source.execute(f"PRAGMA table_info({table})")]
    except sqlite3.Error:
        return
    names = [name for name in columns if name in there]
    if not names or (which == DELETED and "deleted_s" not in there):
        return
    wanted = f"{which} AND " if "deleted_s" in there else ""
    readable = _Table(source, f"SELECT rowid, {', '.join(names)} FROM {table} NOT INDEXED WHERE {wanted}")
    for row in sorted(readable.rows().items()):
        yield dict(zip(names, row[1], strict=True))


class _Table:
    """Reads around the damage: from both ends of a range as far as it goes, then halves what is left in between."""

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
            after, whole = self._read(low, high, "ASC")
            if whole:
                continue
            before, _ = self._read(after + 1, high, "DESC")
            low, high = after + 1, before - 1
            if low < high:
                middle = (low + high) // 2
                ranges += [(low, middle), (middle + 1, high)]
        return self._found

    def _read(self, low: int, high: int, order: str) -> tuple[int, bool]:
        """The last rowid that was read (or where none was, the end it began at, one further out), and whether all of
        the range was."""
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
        """The greatest rowid, or a number that is surely not smaller: no row takes less than 16 bytes."""
        table = self._select.partition(" FROM ")[2].split()[0]
        try:
            return int(self._source.execute(f"SELECT max(rowid) FROM {table}").fetchone()[0] or 0)
        except sqlite3.Error:
            path = self._source.execute("PRAGMA database_list").fetchone()[2]
            return max(1_024, int(Path(path).stat().st_size) // 16)


def _with_valid_json(row: dict[str, Any]) -> dict[str, Any]:
    """With what is JSON put back to nothing where it cannot be read."""
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
    whole = _are(str, chat.id, chat.title, chat.titled_by, chat.folder_id) and _are(
        float, chat.created_s, chat.updated_s
    )
    return chat if whole and chat.id else None


def _message(row: dict[str, Any]) -> ChatMessage | None:
    plain = dict(zip(MESSAGE_COLUMNS, message_row(ChatMessage("", "", None, "user", "", "cut", 0.0)), strict=True))
    try:
        message = message_from_row([(plain | _with_valid_json(row))[name] for name in MESSAGE_COLUMNS])
    except (ValueError, TypeError, AttributeError):
        return None
    whole = _are(str, message.id, message.chat_id, message.text) and _are(float, message.created_s)
    known = message.role in get_args(Role) and message.state in get_args(State)
    return message if whole and known and message.id and message.chat_id else None


def _are(kind: type, *values: object) -> bool:
    return all(isinstance(value, kind) for value in values)


def _with_known_parents(messages: dict[str, ChatMessage]) -> list[ChatMessage]:
    """Parents before children. One whose parent is lost follows the one before it, so that the rest of a chat is
    still read as one."""
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
    """For messages whose chat is lost: named by the first of them."""
    line = " ".join(message.text.split())[:48]
    return Chat(message.chat_id, line or _UNDATED, message.created_s, message.created_s, titled_by="person")


def _put(connection: sqlite3.Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    places = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)
