"""Search over all chats as one types: SQLite's full-text index, read beside the store on a thread of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from desktop.store.database import named_errors

MOST = 50
"""Hits that are given."""
RANKED_TO = 20_000
"""Words that more messages hold say little about any of them: their messages come newest first, unranked."""

_OPEN, _CLOSE = "\ue000", "\ue001"
"""Around what matched in a snippet; characters that no text has a use for."""

_TITLES = """
    SELECT chats.id, highlight(title_search, 0, ?2, ?3), chats.updated_s, chats.archived
    FROM title_search JOIN chats ON chats.rowid = title_search.rowid
    WHERE title_search MATCH ?1 AND chats.deleted_s IS NULL ORDER BY title_search.rank LIMIT ?4
"""
_MESSAGES = """
    SELECT chats.id, messages.id, snippet(message_search, 0, ?2, ?3, '…', 14), messages.created_s, chats.title,
           chats.archived
    FROM message_search JOIN messages ON messages.rowid = message_search.rowid
    JOIN chats ON chats.id = messages.chat_id
    WHERE message_search MATCH ?1 AND messages.deleted_s IS NULL AND chats.deleted_s IS NULL
    ORDER BY {order} LIMIT ?4
"""
_COUNT = "SELECT count(*) FROM (SELECT 1 FROM message_search WHERE message_search MATCH ? LIMIT ?)"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a text; `matched` where it is what was looked for."""

    text: str
    matched: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A chat whose title matched (`message_id` is "" then), or one message of it. `created_s` is Unix time."""

    chat_id: str
    message_id: str
    title: tuple[Part, ...]
    snippet: tuple[Part, ...]
    created_s: float
    archived: bool = False
    """The chat is put away."""


class Search:
    """`find` belongs to the loop's thread; the SQL runs on the search's own, so that saving waits for no search."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="search")
        self._connection: sqlite3.Connection | None = None
        self._latest = 0

    async def find(self, words: str) -> list[Hit] | None:
        """Chats whose titles, then messages whose text hold all of the words, the last one as the beginning of a word.

        None where a later call has taken this one's place. Raises StoreError."""
        self._latest += 1
        number = self._latest
        query = query_of(words)
        if not query:
            return []
        if self._connection is not None:
            self._connection.interrupt()
        hits = await asyncio.get_running_loop().run_in_executor(self._thread, self._find, query, number)
        return hits if number == self._latest else None

    async def aclose(self) -> None:
        """Ends the thread. Idempotent."""
        self._latest += 1
        if self._connection is not None:
            self._connection.interrupt()
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    # From here on everything runs on the search's thread.

    def _find(self, query: str, number: int) -> list[Hit] | None:
        if number != self._latest:
            return None
        with named_errors():
            connection = self._opened()
            try:
                return list(_hits(connection, query))
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    return None
                raise

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            address = f"{self._path.absolute().as_uri()}?mode=ro"
            self._connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def query_of(words: str) -> str:
    """FTS5's query for what a person typed: each word quoted, so that nothing in it is an operator."""
    found = "".join(letter if _is_word(letter) else " " for letter in unicodedata.normalize("NFC", words)).split()
    return " ".join(f'"{word}"' for word in found) + "*" if found else ""


def _is_word(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LNMC" and letter.isprintable()


def _hits(connection: sqlite3.Connection, query: str) -> Iterator[Hit]:
    marks = (query, _OPEN, _CLOSE, MOST)
    titles = [
        Hit(chat_id, "", _parts(title), (), updated_s, bool(archived))
        for chat_id, title, updated_s, archived in connection.execute(_TITLES, marks)
    ]
    yield from titles
    common = connection.execute(_COUNT, (query, RANKED_TO + 1)).fetchone()[0] > RANKED_TO
    order = "message_search.rowid DESC" if common else "message_search.rank"
    for row in connection.execute(_MESSAGES.format(order=order), marks):
        chat_id, message_id, snippet, created_s, title, archived = row
        parts = _parts(" ".join(snippet.split()))
        yield Hit(chat_id, message_id, (Part(title, False),), parts, created_s, bool(archived))


def _parts(marked: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    for piece in marked.split(_OPEN):
        inside, _, after = piece.rpartition(_CLOSE)
        parts += [Part(text, matched) for text, matched in ((inside, True), (after, False)) if text]
    return tuple(parts)
