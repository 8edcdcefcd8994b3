"""The keys of connections: in the system's keyring, or in a private file where no keyring works."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal, Protocol

from engine.files.atomic_write import write_atomic

log = logging.getLogger(__name__)

SERVICE = "Inglenook"
"""The name under which the keyring lists the keys."""

KeyPlace = Literal["", "keyring", "file"]
"""Where the key of a connection is stored; "" if it has none."""


class Keyring(Protocol):
    """The part of `keyring.backend.KeyringBackend` that is used."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


def system_keyring() -> Keyring:
    """The keyring of the system. Its import takes long, and its first use may ask for a password."""
    import keyring

    return keyring.get_keyring()


class ConnectionKeys:
    """Stores a key for each connection, by its id. All methods block: a keyring may ask for its password. They may be
    called on any thread, and raise OSError if the file cannot be read or written."""

    def __init__(self, file: Path, keyring: Callable[[], Keyring] = system_keyring) -> None:
        self._file, self._keyring = file, keyring
        self._lock = threading.Lock()

    def read(self, connection_id: str) -> tuple[str, KeyPlace]:
        """The key and its place; two empty texts if there is none."""
        with self._lock:
            if key := self._read_file().get(connection_id):
                return key, "file"
            key = self._in_keyring(connection_id)
            return (key, "keyring") if key else ("", "")

    def write(self, connection_id: str, key: str) -> KeyPlace:
        """Stores a key in place of the one before, and returns where. An empty key removes it."""
        with self._lock:
            if not key:
                self._remove(connection_id)
                return ""
            if self._put_in_keyring(connection_id, key):
                self._put_in_file(connection_id, None)
                return "keyring"
            self._put_in_file(connection_id, key)
            return "file"

    def remove(self, connection_id: str) -> None:
        with self._lock:
            self._remove(connection_id)

    def _remove(self, connection_id: str) -> None:
        self._put_in_file(connection_id, None)
        with suppress(Exception):  # backends raise errors of any type, also if there is no such key
            self._keyring().delete_password(SERVICE, connection_id)

    def _in_keyring(self, connection_id: str) -> str:
        try:
            return self._keyring().get_password(SERVICE, connection_id) or ""
        except Exception as error:  # backends raise errors of any type
            log.info("the keyring cannot be read: %s", type(error).__name__)
            return ""

    def _put_in_keyring(self, connection_id: str, key: str) -> bool:
        """Whether the keyring stored the key. Some backends store nothing and raise no error."""
        try:
            keyring = self._keyring()
            keyring.set_password(SERVICE, connection_id, key)
            return keyring.get_password(SERVICE, connection_id) == key
        except Exception as error:  # backends raise errors of any type
            log.info("the keyring cannot be used: %s", type(error).__name__)
            return False

    def _read_file(self) -> dict[str, str]:
        try:
            found = json.loads(self._file.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        items = found.items() if isinstance(found, dict) else ()
        return {name: key for name, key in items if isinstance(key, str)}

    def _put_in_file(self, connection_id: str, key: str | None) -> None:
        before = self._read_file()
        after = {name: each for name, each in before.items() if name != connection_id}
        if key is not None:
            after[connection_id] = key
        if after and after != before:
            write_atomic(self._file, json.dumps(after), durable=True)
        elif not after:
            self._file.unlink(missing_ok=True)
