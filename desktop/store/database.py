"""Opens the chat database. A damaged or unreachable file never prevents the app from starting.

All functions run on the store's thread (the one that owns the SQLite connection).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from desktop.store.errors import StoreDamaged, StoreError, StoreFull, StoreNewer, StoreRefused, StoreUnreachable
from desktop.store.recovery import recover
from desktop.store.schema import migrate
from engine.files.private_files import make_private_file

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@contextmanager
def translated_sqlite_errors() -> Iterator[None]:
    """Raises a `StoreError` in place of an error of sqlite3."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte of an SQLite error code is the primary code
        if code == sqlite3.SQLITE_FULL:
            raise StoreFull from error
        if code in _DAMAGE:
            raise StoreDamaged from error
        if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError | sqlite3.InterfaceError):
            raise StoreRefused(str(error)) from error
        raise StoreUnreachable(str(error)) from error
    except (OverflowError, UnicodeError) as error:
        raise StoreRefused(str(error)) from error


def open_database(path: Path) -> tuple[sqlite3.Connection, StoreError | None]:
    """Opens the database at `path`. Always returns an open connection, and the error to show to the user, None if there
    was none.

    A damaged file is renamed, and a new file with everything that could be recovered takes its place. If the file is
    unreachable or was written by a newer version, it is not changed, and the connection is to an in-memory database."""
    try:
        return _connect(path), None
    except StoreDamaged:
        try:
            return _open_recovered(path)
        except (StoreError, OSError) as error:
            return _in_memory(), error if isinstance(error, StoreFull) else StoreUnreachable(str(error))
    except (StoreUnreachable, StoreFull, StoreNewer) as error:
        return _in_memory(), error


def _open_recovered(path: Path) -> tuple[sqlite3.Connection, StoreDamaged]:
    """Recovers a damaged file into a new one. The new file is complete before it replaces the damaged one, so that a
    crash in between loses nothing."""
    part = path.with_name(f"{path.name}.part")
    for ending in ("", "-wal", "-shm"):
        part.with_name(part.name + ending).unlink(missing_ok=True)
    with translated_sqlite_errors(), closing(_connect(part)) as fresh:
        # foreign keys are not checked, because `recover` writes only valid ones
        fresh.execute("PRAGMA foreign_keys = OFF")
        found = recover(path, fresh)
        fresh.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept_as = _move_damaged_file(path)
    part.rename(path)
    return _connect(path), StoreDamaged(kept_as, found.n_chats, found.n_messages)


def _connect(path: Path) -> sqlite3.Connection:
    with translated_sqlite_errors():
        with suppress(OSError):  # an OSError is ignored, because sqlite3.connect then fails, too
            make_private_file(path)  # SQLite creates the WAL file with the mode of this file
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    # With synchronous = NORMAL, WAL mode syncs only at checkpoints, so that a power cut could lose saved messages.
    connection.executescript(
        """
        PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
        PRAGMA secure_delete = ON; PRAGMA busy_timeout = 5000;
        """
    )
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise StoreDamaged
    migrate(connection, path)


def _in_memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    _prepare(connection, Path(":memory:"))
    return connection


def _move_damaged_file(path: Path) -> Path:
    """Renames a damaged database file, and returns its new path.

    The WAL and shared-memory files are renamed too, because SQLite would apply them to a new file with the old name."""
    mark = f"damaged-{datetime.now():%Y%m%d-%H%M%S-%f}"
    for ending in ("-wal", "-shm"):
        side = path.with_name(path.name + ending)
        if side.exists():
            side.rename(path.with_name(f"{path.name}.{mark}{ending}"))
    return path.rename(path.with_name(f"{path.name}.{mark}"))
