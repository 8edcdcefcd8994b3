"""The schema of the chat database as a list of migrations. `PRAGMA user_version` is the number of applied migrations.
Released migrations are never changed; new ones are appended."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from desktop.store.errors import StoreNewer
from engine.files.private_files import make_private_file

STEPS: tuple[str, ...] = (
    """
    CREATE TABLE chats (
        id         TEXT PRIMARY KEY,
        title      TEXT NOT NULL,
        created_s  REAL NOT NULL,
        updated_s  REAL NOT NULL,
        pinned     INTEGER NOT NULL DEFAULT 0,
        leaf_id    TEXT,
        deleted_s  REAL
    ) STRICT;
    CREATE TABLE messages (
        id             TEXT PRIMARY KEY,
        chat_id        TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
        parent_id      TEXT REFERENCES messages (id) ON DELETE CASCADE,
        role           TEXT NOT NULL,
        text           TEXT NOT NULL,
        state          TEXT NOT NULL,
        created_s      REAL NOT NULL,
        model_id       TEXT NOT NULL DEFAULT '',
        n_prompt       INTEGER NOT NULL DEFAULT 0,
        n_cached       INTEGER NOT NULL DEFAULT 0,
        n_output       INTEGER NOT NULL DEFAULT 0,
        decode_s       REAL NOT NULL DEFAULT 0,
        first_token_s  REAL NOT NULL DEFAULT 0,
        note           TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE INDEX messages_by_chat ON messages (chat_id, created_s);
    CREATE INDEX messages_by_parent ON messages (parent_id);
    """,
    """
    ALTER TABLE chats ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE chats ADD COLUMN titled_by TEXT NOT NULL DEFAULT 'start';
    ALTER TABLE messages ADD COLUMN reasoning TEXT NOT NULL DEFAULT '';
    ALTER TABLE messages ADD COLUMN reasoning_s REAL NOT NULL DEFAULT 0;
    ALTER TABLE messages ADD COLUMN calls TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE messages ADD COLUMN attachments TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE messages ADD COLUMN group_id TEXT NOT NULL DEFAULT '';
    ALTER TABLE messages ADD COLUMN deleted_s REAL;
    CREATE TABLE drafts (
        chat_id      TEXT PRIMARY KEY,
        text         TEXT NOT NULL,
        attachments  TEXT NOT NULL DEFAULT '[]'
    ) STRICT;
    CREATE TABLE presets (
        name      TEXT PRIMARY KEY,
        settings  TEXT NOT NULL
    ) STRICT;
    """,
    # A message is indexed when its generation has ended; otherwise each save would index its whole text again.
    # The indexes refer to rowids. VACUUM would change these: never run it on this database.
    """
    CREATE VIRTUAL TABLE message_search USING fts5 (
        text, content = 'messages', tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
    );
    INSERT INTO message_search (rowid, text) SELECT rowid, text FROM messages WHERE state <> 'streaming';
    CREATE TRIGGER message_put AFTER INSERT ON messages WHEN new.state <> 'streaming' BEGIN
        INSERT INTO message_search (rowid, text) VALUES (new.rowid, new.text);
    END;
    CREATE TRIGGER message_gone AFTER DELETE ON messages WHEN old.state <> 'streaming' BEGIN
        INSERT INTO message_search (message_search, rowid, text) VALUES ('delete', old.rowid, old.text);
    END;
    CREATE TRIGGER message_changed AFTER UPDATE OF text, state ON messages
    WHEN old.text <> new.text OR (old.state = 'streaming') <> (new.state = 'streaming') BEGIN
        INSERT INTO message_search (message_search, rowid, text)
        SELECT 'delete', old.rowid, old.text WHERE old.state <> 'streaming';
        INSERT INTO message_search (rowid, text) SELECT new.rowid, new.text WHERE new.state <> 'streaming';
    END;
    CREATE VIRTUAL TABLE title_search USING fts5 (
        title, content = 'chats', tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
    );
    INSERT INTO title_search (rowid, title) SELECT rowid, title FROM chats;
    CREATE TRIGGER title_put AFTER INSERT ON chats BEGIN
        INSERT INTO title_search (rowid, title) VALUES (new.rowid, new.title);
    END;
    CREATE TRIGGER title_gone AFTER DELETE ON chats BEGIN
        INSERT INTO title_search (title_search, rowid, title) VALUES ('delete', old.rowid, old.title);
    END;
    CREATE TRIGGER title_changed AFTER UPDATE OF title ON chats WHEN old.title <> new.title BEGIN
        INSERT INTO title_search (title_search, rowid, title) VALUES ('delete', old.rowid, old.title);
        INSERT INTO title_search (rowid, title) VALUES (new.rowid, new.title);
    END;
    """,
    # No foreign key to folders: a chat must be saved even if saving its folder failed.
    """
    CREATE TABLE folders (
        id      TEXT PRIMARY KEY,
        name    TEXT NOT NULL,
        place   REAL NOT NULL,
        folded  INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    ALTER TABLE chats ADD COLUMN folder_id TEXT NOT NULL DEFAULT '';
    ALTER TABLE chats ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
    """,
    # The table `unfinished` lists the search indexes that may contain deleted text. Earlier versions did not purge it.
    """
    CREATE TABLE unfinished (name TEXT PRIMARY KEY) STRICT;
    INSERT INTO unfinished (name) VALUES ('message_search'), ('title_search');
    """,
    """
    ALTER TABLE messages ADD COLUMN n_drafted INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE messages ADD COLUMN n_accepted INTEGER NOT NULL DEFAULT 0;
    """,
    """
    ALTER TABLE messages ADD COLUMN host TEXT NOT NULL DEFAULT '';
    """,
)


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[str] = STEPS) -> Path | None:
    """Applies the missing migrations, each in one transaction. A database of an earlier version is first copied to a
    file in the same folder.

    Returns the path of this copy, None if none was made. Raises StoreNewer if the schema version of the database is
    higher than `len(steps)`."""
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > len(steps):
        raise StoreNewer(found, len(steps))
    if found == len(steps):
        return None
    copy = _copy(connection, path.with_name(f"{path.name}.layout-{found}")) if found else None
    for number, step in enumerate(steps[found:], start=found + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")
    return copy


def _copy(connection: sqlite3.Connection, target: Path) -> Path:
    target.unlink(missing_ok=True)
    make_private_file(target)
    with closing(sqlite3.connect(target)) as copy:
        connection.backup(copy)
    return target
