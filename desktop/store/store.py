"""Asynchronous access to the chat database. One thread, the store's thread, owns the SQLite connection."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from desktop.platform.surrogates import well_formed
from desktop.store.database import open_database, translated_sqlite_errors
from desktop.store.erasure import empty_wal, erase_deleted, erase_in_copies, purge_index
from desktop.store.errors import StoreError
from desktop.store.records import Attachment, Chat, ChatMessage, ChatSettings, Folder
from desktop.store.rows import (
    CHAT_COLUMNS,
    FOLDER_COLUMNS,
    MESSAGE_COLUMNS,
    attachments_from_json,
    attachments_json,
    chat_from_row,
    chat_row,
    folder_from_row,
    folder_row,
    message_from_row,
    message_row,
    settings_from_json,
    settings_json,
)

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

SLICE_S, PAUSE_S = 0.03, 0.2
PURGE_ON_CLOSE_S = 2.5
"""Time limit for purging the search indexes on closing. The rest is purged after the next start."""

_CHAT = ", ".join(CHAT_COLUMNS)
_MESSAGE = ", ".join(MESSAGE_COLUMNS)
_FOLDER = ", ".join(FOLDER_COLUMNS)


def _upsert(table: str, columns: str) -> str:
    names = columns.split(", ")
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name != "id")
    placeholders = ", ".join("?" * len(names))
    return f"INSERT INTO {table} ({columns}) VALUES ({placeholders}) ON CONFLICT (id) DO UPDATE SET {changes}"


_PUT_CHAT = _upsert("chats", _CHAT)
_PUT_MESSAGE = _upsert("messages", _MESSAGE)
_PUT_FOLDER = _upsert("folders", _FOLDER)


def _on_store_thread(
    method: Callable[Concatenate[Store, P], T],
) -> Callable[Concatenate[Store, P], Coroutine[Any, Any, T]]:
    """Makes a coroutine function of a method that must run on the store's thread. Lists are copied, because the caller
    may change them meanwhile."""

    @wraps(method)
    async def run(self: Store, /, *args: P.args, **kwargs: P.kwargs) -> T:
        copied = [tuple(arg) if isinstance(arg, list) else arg for arg in args]
        return await self._call(method, self, *copied, **kwargs)

    return run


class Store:
    """The chat database. Call every method on the thread of the event loop; the SQL runs on the store's thread, in the
    order of the calls.

    All methods raise StoreError. A write is completed even if its caller is cancelled.

    `on_erased` is called on the store's thread with the ids of chats that were erased, completely or in part."""

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = time.time,
        on_erased: Callable[[Sequence[str]], object] = lambda chat_ids: None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._on_erased = on_erased
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._connection: sqlite3.Connection | None = None

    @_on_store_thread
    def open(self) -> StoreError | None:
        """Opens the database as `open_database` does. Returns the error to show to the user, None if there was none.
        Never raises StoreError."""
        self._connection, notice = open_database(self._path)
        try:
            with translated_sqlite_errors():
                self._connection.execute("UPDATE messages SET state = 'cut' WHERE state = 'streaming'")
                self._erase_deleted()
        except StoreError as error:  # a full disk, for example, does not prevent reading
            return notice or error
        return notice

    @_on_store_thread
    def chats(self) -> list[Chat]:
        """Returns all chats that are not deleted, most recently updated first."""
        rows = self._sql(f"SELECT {_CHAT} FROM chats WHERE deleted_s IS NULL ORDER BY updated_s DESC, rowid DESC")
        return [chat_from_row(row) for row in rows]

    @_on_store_thread
    def messages(self, chat_id: str) -> list[ChatMessage]:
        """Returns all messages of a chat that are not deleted, on all branches, oldest first."""
        where = "chat_id = ? AND deleted_s IS NULL"
        rows = self._sql(f"SELECT {_MESSAGE} FROM messages WHERE {where} ORDER BY created_s, rowid", (chat_id,))
        return [message_from_row(row) for row in rows]

    async def save(self, chat: Chat, messages: Sequence[ChatMessage] = ()) -> None:
        """Inserts or updates a chat and these messages in one transaction. The transaction is on disk when this
        returns."""
        await self.save_all([(chat, tuple(messages))])

    @_on_store_thread
    def save_all(self, chats: Sequence[tuple[Chat, Sequence[ChatMessage]]]) -> None:
        """Inserts or updates several chats and their messages in one transaction."""
        with self._transaction():
            self._put_chats(chats)

    @_on_store_thread
    def add_chats(self, chats: Sequence[tuple[Chat, Sequence[ChatMessage]]], folders: Sequence[Folder] = ()) -> int:
        """Inserts the chats whose ids do not exist yet, in one transaction, and returns their number.

        `folders` are the folders of the chats. If a folder of the same name exists already, the chats are put into the
        existing folder."""
        exists = "SELECT 1 FROM chats WHERE id = ? AND deleted_s IS NULL"
        new = {
            chat.id: (chat, messages)
            for chat, messages in reversed(chats)
            if not self._sql(exists, (chat.id,)).fetchone()
        }
        folder_ids = {chat.folder_id for chat, _ in new.values()}
        used = [folder for folder in folders if folder.id in folder_ids]
        added, target_ids = _resolve_folders(used, self._read_folders())
        with self._transaction():
            self._put_folders(added)
            for chat, messages in reversed(new.values()):
                # A chat with the same id that is marked as deleted is replaced.
                self._sql("DELETE FROM chats WHERE id = ?", (chat.id,))
                placed = replace(chat, folder_id=target_ids.get(chat.folder_id, ""))
                self._put_chats([self._with_unique_message_ids(placed, messages)])
        return len(new)

    @_on_store_thread
    def delete(self, *chat_ids: str) -> None:
        """Hides the chats. `restore` shows them again. Closing the store erases them."""
        self._mark_deleted("chats", chat_ids, self._clock())

    @_on_store_thread
    def restore(self, *chat_ids: str) -> None:
        self._mark_deleted("chats", chat_ids, None)

    @_on_store_thread
    def delete_messages(self, message_ids: Sequence[str]) -> None:
        """Hides the messages. `restore_messages` shows them again. Closing the store erases them."""
        self._mark_deleted("messages", message_ids, self._clock())

    @_on_store_thread
    def restore_messages(self, message_ids: Sequence[str]) -> None:
        self._mark_deleted("messages", message_ids, None)

    @_on_store_thread
    def folders(self) -> list[Folder]:
        """Returns the folders in the order of the sidebar."""
        return self._read_folders()

    @_on_store_thread
    def save_folders(self, *folders: Folder) -> None:
        """Inserts or updates the folders in one transaction."""
        with self._transaction():
            self._put_folders(folders)

    @_on_store_thread
    def add_folders(self, *folders: Folder) -> int:
        """Inserts those folders of which neither the id nor the name exists yet, and returns their number."""
        added, _ = _resolve_folders(folders, self._read_folders())
        with self._transaction():
            self._put_folders(added)
        return len(added)

    @_on_store_thread
    def delete_folder(self, folder_id: str) -> None:
        """Deletes a folder. Its chats remain, outside of folders."""
        with self._transaction():
            self._sql("UPDATE chats SET folder_id = '' WHERE folder_id = ?", (folder_id,))
            self._sql("DELETE FROM folders WHERE id = ?", (folder_id,))

    @_on_store_thread
    def drafts(self) -> dict[str, tuple[str, tuple[Attachment, ...]]]:
        """Returns the text and attachments of unsent input. The key is the id of the chat ("" for a new chat), or of
        the message that is being edited."""
        rows = self._sql("SELECT chat_id, text, attachments FROM drafts")
        return {chat_id: (text, attachments_from_json(attachments)) for chat_id, text, attachments in rows}

    @_on_store_thread
    def save_draft(self, chat_id: str, text: str, attachments: Sequence[Attachment] = ()) -> None:
        """Saves unsent input, or deletes it if it is empty."""
        if text or attachments:
            values = (chat_id, text, attachments_json(attachments))
            self._sql("INSERT OR REPLACE INTO drafts (chat_id, text, attachments) VALUES (?, ?, ?)", values)
        else:
            self._sql("DELETE FROM drafts WHERE chat_id = ?", (chat_id,))

    @_on_store_thread
    def presets(self) -> dict[str, ChatSettings]:
        """Returns the chat settings of each preset by its name, sorted by name."""
        rows = self._sql("SELECT name, settings FROM presets ORDER BY name")
        return {name: settings_from_json(text) for name, text in rows}

    @_on_store_thread
    def save_preset(self, name: str, settings: ChatSettings | None) -> None:
        """Saves a preset of chat settings. With `settings` None, deletes the preset."""
        if settings is None:
            self._sql("DELETE FROM presets WHERE name = ?", (name,))
        else:
            self._sql("INSERT OR REPLACE INTO presets (name, settings) VALUES (?, ?)", (name, settings_json(settings)))

    async def purge_index(self) -> None:
        """Purges deleted text from the search indexes in slices of `SLICE_S`, with pauses in which chats can be saved.

        If this is cancelled, the next call continues."""
        while not await self._call(self._purge_for, SLICE_S):  # noqa: ASYNC110 -- pauses for writes
            await asyncio.sleep(PAUSE_S)

    async def aclose(self) -> None:
        """Erases everything that is marked as deleted, closes the database and ends the store's thread. Idempotent."""
        try:
            if self._connection is not None:
                await self._call(self._close)
        finally:
            self._thread.shutdown(wait=False)

    async def _call(self, work: Callable[..., T], *args: object, **kwargs: object) -> T:
        def guarded() -> T:
            with translated_sqlite_errors():
                return work(*args, **kwargs)

        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, guarded))

    # The methods below run on the store's thread.

    def _sql(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        if self._connection is None:
            raise StoreError("the store is not open")
        return self._connection.execute(
            statement, [well_formed(value) if isinstance(value, str) else value for value in values]
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._sql("BEGIN IMMEDIATE")
        try:
            yield
            self._sql("COMMIT")
        except BaseException:
            if self._connection is not None and self._connection.in_transaction:
                self._connection.rollback()
            raise

    def _put_chats(self, chats: Sequence[tuple[Chat, Sequence[ChatMessage]]]) -> None:
        for chat, messages in chats:
            self._sql(_PUT_CHAT, chat_row(chat))
            for message in messages:
                self._sql(_PUT_MESSAGE, message_row(message))

    def _put_folders(self, folders: Sequence[Folder]) -> None:
        for folder in folders:
            self._sql(_PUT_FOLDER, folder_row(folder))

    def _read_folders(self) -> list[Folder]:
        return [folder_from_row(row) for row in self._sql(f"SELECT {_FOLDER} FROM folders ORDER BY place, rowid")]

    def _mark_deleted(self, table: str, ids: Sequence[str], at_s: float | None) -> None:
        listed = json.dumps(ids)  # all ids in one parameter, because SQLite limits the number of parameters
        self._sql(f"UPDATE {table} SET deleted_s = ? WHERE id IN (SELECT value FROM json_each(?))", (at_s, listed))

    def _with_unique_message_ids(
        self, chat: Chat, messages: Sequence[ChatMessage]
    ) -> tuple[Chat, Sequence[ChatMessage]]:
        """Gives the messages new ids if one of their ids exists in another chat; that chat would otherwise lose its
        message.

        This occurs if a chat was duplicated in an edited export."""
        ids = json.dumps([message.id for message in messages])
        taken = "SELECT 1 FROM messages WHERE id IN (SELECT value FROM json_each(?)) LIMIT 1"
        if self._sql(taken, (ids,)).fetchone() is None:
            return chat, messages
        fresh: dict[str | None, str] = {message.id: uuid.uuid4().hex for message in messages}
        settings = replace(chat.settings, summarised_to=fresh.get(chat.settings.summarised_to, ""))
        return replace(chat, leaf_id=fresh.get(chat.leaf_id), settings=settings), [
            replace(each, id=fresh[each.id], parent_id=fresh.get(each.parent_id)) for each in messages
        ]

    def _erase_deleted(self) -> None:
        assert self._connection is not None
        if erased := erase_deleted(self._connection):
            self._on_erased((*erased.chat_ids, *erased.changed_ids))
            empty_wal(self._connection)  # if it is in use, `purge_index` repeats this
            if not self._in_memory:
                erase_in_copies(self._path, erased, self._clock())

    @property
    def _in_memory(self) -> bool:
        """Whether the database is in memory, because the file was unreachable or of a newer version. Neither the file
        nor copies of it may be changed then."""
        assert self._connection is not None
        return not self._connection.execute("PRAGMA database_list").fetchone()[2]

    def _purge_for(self, for_s: float) -> bool:
        """Purges the search indexes for at most `for_s`. Returns True if nothing is left to purge, or if the store is
        closed."""
        if self._connection is None:
            return True
        return purge_index(self._connection, time.monotonic() + for_s)

    def _close(self) -> None:
        if self._connection is not None:
            try:
                self._erase_deleted()
                self._purge_for(PURGE_ON_CLOSE_S)
            except sqlite3.Error:  # the next start erases these chats
                log.warning("deleted chats could not be erased", exc_info=True)
            finally:
                connection, self._connection = self._connection, None
                connection.close()


def _resolve_folders(incoming: Sequence[Folder], existing: Sequence[Folder]) -> tuple[list[Folder], dict[str, str]]:
    """Finds the folder for the chats of each incoming folder: an existing folder with the same id or name, otherwise
    the incoming folder itself.

    Returns the folders to add, and a mapping from the id of each incoming folder to the id of the folder for its
    chats."""
    known = {folder.id for folder in existing}
    by_name = {folder.name.casefold(): folder.id for folder in reversed(existing)}
    target_ids: dict[str, str] = {}
    added = []
    for folder in incoming:
        target_ids[folder.id] = folder.id if folder.id in known else by_name.get(folder.name.casefold(), folder.id)
        if target_ids[folder.id] == folder.id and folder.id not in known:
            added.append(folder)
            by_name[folder.name.casefold()] = folder.id
    return added, target_ids
