"""Erases deleted chats and messages from all files of the profile. Runs on the store's thread (the one that owns the
SQLite connection).

SQLite overwrites deleted rows (`secure_delete`), but FTS5 only marks the entries of its index as deleted. Therefore the
segments of the index are merged into one, which drops such entries. The FTS5 option `secure-delete` would drop them at
once. But it gives the index a format that SQLite before 3.42 cannot read, and a profile may be moved to another
machine.

In WAL mode, an erasure first changes only the WAL. The database file and older frames of the WAL contain the text until
a checkpoint, which therefore follows each erasure.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from desktop.store.schema import STEPS

FTS_TABLES = ("message_search", "title_search")
PAGES = 200
"""Number of index pages per merge statement. One such statement takes 20 ms (measured)."""

DAMAGED_FILE_AGE_S = 30 * 86_400.0
"""Damaged database files are kept so that an expert can recover more from them. Files older than this are deleted when
the next chat is erased."""


@dataclass(frozen=True, slots=True)
class ErasedRows:
    """Ids of the rows that were erased: whole chats, and single messages of other chats. `changed_ids` are the ids of
    those other chats."""

    chat_ids: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    changed_ids: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.chat_ids or self.message_ids)


def erase_deleted(connection: sqlite3.Connection) -> ErasedRows:
    """Deletes the rows that are marked as deleted, in one transaction, and records that the search indexes must be
    purged."""
    chats = [row[0] for row in connection.execute("SELECT id FROM chats WHERE deleted_s IS NOT NULL")]
    found = connection.execute("SELECT id, chat_id FROM messages WHERE deleted_s IS NOT NULL").fetchall()
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("DELETE FROM messages WHERE deleted_s IS NOT NULL")
        connection.execute("DELETE FROM chats WHERE deleted_s IS NOT NULL")
        # `chat_id` of a draft is the id of a chat or of an edited message; "" is the draft of a new chat.
        known = "SELECT id FROM chats UNION ALL SELECT id FROM messages"
        connection.execute(f"DELETE FROM drafts WHERE chat_id <> '' AND chat_id NOT IN ({known})")
        if chats or found:
            connection.executemany(
                "INSERT OR IGNORE INTO unfinished (name) VALUES (?)", [(each,) for each in FTS_TABLES]
            )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.rollback()
        raise
    message_ids, changed = tuple(row[0] for row in found), {row[1] for row in found}
    return ErasedRows(tuple(chats), message_ids, tuple(changed.difference(chats)))


def purge_index(connection: sqlite3.Connection, until_s: float, clock: Callable[[], float] = time.monotonic) -> bool:
    """Merges the segments of the search indexes that must be purged, until `clock` reaches `until_s`, then empties the
    WAL. Returns True if nothing is left to purge. Otherwise the next call continues, also after a restart."""
    names = [row[0] for row in connection.execute("SELECT name FROM unfinished")]
    for name in names:
        if name in FTS_TABLES and not _merge(connection, name, until_s, clock):
            return False
    if names and not empty_wal(connection):
        return False
    connection.execute("DELETE FROM unfinished")
    return True


def empty_wal(connection: sqlite3.Connection) -> bool:
    """Writes the WAL into the database file and truncates it, so that neither contains erased text. Returns False if
    another connection reads the database at this moment, which is not waited for."""
    timeout_ms = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        is_busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        connection.execute(f"PRAGMA busy_timeout = {timeout_ms}")
    return not is_busy


def erase_in_copies(path: Path, erased: ErasedRows, now_s: float) -> None:
    """Erases the rows in `erased` from copies of the database at `path`. Each restore of a backup leaves such a copy in
    the profile. Also deletes the copies made by migrations, and old damaged files. Backup files that the user made are
    not changed."""
    for copy in path.parent.glob(f"{path.name}.layout-*"):
        with suppress(OSError):
            copy.unlink()
    for damaged in path.parent.glob(f"{path.name}.damaged-*"):
        with suppress(OSError):
            if now_s - damaged.stat().st_mtime > DAMAGED_FILE_AGE_S:
                damaged.unlink()
    for copy in path.parent.glob(f"before-restore*/{path.name}"):
        with suppress(sqlite3.Error):
            _erase_rows(copy, erased)


def erase_marked_rows(path: Path) -> None:
    """Erases the rows that are marked as deleted from `path`, a copy of the database. A copy of another schema version
    is not changed. Raises sqlite3.Error."""
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        if copy.execute("PRAGMA user_version").fetchone()[0] != len(STEPS):
            return
        _prepare(copy)
        if erase_deleted(copy):
            purge_index(copy, float("inf"))


def _merge(connection: sqlite3.Connection, name: str, until_s: float, clock: Callable[[], float]) -> bool:
    pages = -PAGES  # in FTS5, a negative number starts a merge and a positive one continues it
    while True:
        before = connection.total_changes
        connection.execute(f"INSERT INTO {name} ({name}, rank) VALUES ('merge', ?)", (pages,))
        pages = PAGES
        if connection.total_changes - before < 2:  # in FTS5, fewer than 2 changes mean: merge complete
            return True
        if clock() > until_s:
            return False


def _erase_rows(path: Path, erased: ErasedRows) -> None:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=1)) as copy:
        _prepare(copy)
        tables = {row[0] for row in copy.execute("SELECT name FROM sqlite_master")}
        if "drafts" in tables:
            _delete(copy, "drafts", "chat_id", erased.chat_ids)
        _delete(copy, "messages", "id", erased.message_ids)
        _delete(copy, "chats", "id", erased.chat_ids)
        for name in FTS_TABLES:
            if name in tables:
                copy.execute(f"INSERT INTO {name} ({name}) VALUES ('optimize')")


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")


def _delete(connection: sqlite3.Connection, table: str, column: str, ids: Sequence[str]) -> None:
    listed = json.dumps(list(ids))
    connection.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (listed,))
