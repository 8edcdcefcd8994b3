"""Searches all chats with the full-text index of SQLite while the user types."""

from __future__ import annotations

import asyncio
import sqlite3
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from desktop.store.database import translated_sqlite_errors
from desktop.store.substring_search import condition, has_unspaced_script, marked, register_functions, snippet

MAX_HITS = 50
"""Maximum number of titles, and of messages, among the results."""
MAX_RANKED = 20_000
"""If more messages than this match, they are sorted by date instead of rank. Ranking them would be slow and of little
use."""

_OPEN, _CLOSE = "\ue000", "\ue001"
"""Characters around each match in a snippet. They are private-use characters, which texts do not contain."""

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


_TITLES_WITHIN = """
    SELECT id, title, updated_s, archived FROM chats WHERE deleted_s IS NULL AND {where} ORDER BY updated_s DESC LIMIT ?
"""
_MESSAGES_WITHIN = """
    SELECT chats.id, messages.id, messages.text, messages.created_s, chats.title, chats.archived
    FROM messages JOIN chats ON chats.id = messages.chat_id
    WHERE {where} AND messages.state <> 'streaming' AND messages.deleted_s IS NULL AND chats.deleted_s IS NULL
    ORDER BY messages.rowid DESC LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class SnippetPart:
    """A piece of a title or snippet. `matched` is true if it matches a search word."""

    text: str
    matched: bool


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A chat whose title matched (`message_id` is ""), or a message whose text matched. `created_s` is the Unix time of
    the message, or of the last change of the chat."""

    chat_id: str
    message_id: str
    title: tuple[SnippetPart, ...]
    snippet: tuple[SnippetPart, ...]
    created_s: float
    archived: bool = False


class ChatSearch:
    """Searches the chat database. Call `find` on the thread of the event loop.

    SQL runs on a separate thread with its own connection, so that saving never waits for a search."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="search")
        self._connection: sqlite3.Connection | None = None
        self._latest = 0

    async def find(self, words: str) -> list[SearchHit] | None:
        """Returns the chats whose title contains all words, then the messages whose text contains them. The last word
        may be the beginning of a longer one.

        Returns None if a later call superseded this one. Raises StoreError."""
        self._latest += 1
        number = self._latest
        typed = typed_words(words)
        if not typed:
            return []
        if self._connection is not None:
            self._connection.interrupt()
        hits = await asyncio.get_running_loop().run_in_executor(self._thread, self._find, typed, number)
        return hits if number == self._latest else None

    async def aclose(self) -> None:
        """Closes the connection and ends the thread of the search. Idempotent."""
        self._latest += 1
        if self._connection is not None:
            self._connection.interrupt()
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    # The methods below run on the search thread.

    def _find(self, words: list[str], number: int) -> list[SearchHit] | None:
        if number != self._latest:
            return None
        with translated_sqlite_errors():
            connection = self._open_connection()
            try:
                if any(map(has_unspaced_script, words)):
                    return list(_substring_hits(connection, words))
                # FTS5 takes a Latin word between Chinese characters as part of a longer word, and does not find it.
                return list(_ranked_hits(connection, _query(words))) or list(_substring_hits(connection, words))
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    return None
                raise

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            address = f"{self._path.absolute().as_uri()}?mode=ro"
            self._connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
            register_functions(self._connection)
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def typed_words(typed: str) -> list[str]:
    """Splits user input into words, without punctuation."""
    return "".join(letter if _is_word(letter) else " " for letter in unicodedata.normalize("NFC", typed)).split()


def fts_query(words: str) -> str:
    """Returns the FTS5 query for user input. Each word is quoted, so that FTS5 does not take it as an operator. The
    last word is a prefix."""
    return _query(typed_words(words))


def _query(words: list[str]) -> str:
    return " ".join(f'"{word}"' for word in words) + "*" if words else ""


def _is_word(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LNMC" and letter.isprintable()


def _ranked_hits(connection: sqlite3.Connection, query: str) -> Iterator[SearchHit]:
    marks = (query, _OPEN, _CLOSE, MAX_HITS)
    titles = [
        SearchHit(chat_id, "", _parts(title), (), updated_s, bool(archived))
        for chat_id, title, updated_s, archived in connection.execute(_TITLES, marks)
    ]
    yield from titles
    is_common = connection.execute(_COUNT, (query, MAX_RANKED + 1)).fetchone()[0] > MAX_RANKED
    order = "message_search.rowid DESC" if is_common else "message_search.rank"
    for row in connection.execute(_MESSAGES.format(order=order), marks):
        chat_id, message_id, snippet, created_s, title, archived = row
        parts = _parts(" ".join(snippet.split()))
        yield SearchHit(chat_id, message_id, (SnippetPart(title, False),), parts, created_s, bool(archived))


def _substring_hits(connection: sqlite3.Connection, words: list[str]) -> Iterator[SearchHit]:
    """Yields the titles that contain the words anywhere, then the messages that contain them anywhere. Both are sorted
    by date, newest first."""
    where, values = condition("title", words)
    for chat_id, title, updated_s, archived in connection.execute(
        _TITLES_WITHIN.format(where=where), [*values, MAX_HITS]
    ):
        yield SearchHit(chat_id, "", _parts(marked(title, words, _OPEN, _CLOSE)), (), updated_s, bool(archived))
    where, values = condition("messages.text", words)
    for row in connection.execute(_MESSAGES_WITHIN.format(where=where), [*values, MAX_HITS]):
        chat_id, message_id, text, created_s, title, archived = row
        parts = _parts(" ".join(snippet(text, words, _OPEN, _CLOSE).split()))
        yield SearchHit(chat_id, message_id, (SnippetPart(title, False),), parts, created_s, bool(archived))


def _parts(text: str) -> tuple[SnippetPart, ...]:
    parts: list[SnippetPart] = []
    for piece in text.split(_OPEN):
        inside, _, after = piece.rpartition(_CLOSE)
        parts += [SnippetPart(each, matched) for each, matched in ((inside, True), (after, False)) if each]
    return tuple(parts)
