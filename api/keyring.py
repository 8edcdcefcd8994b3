"""The keys that open the endpoint: its own, and one for each tool that a person has named."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from api.errors import InvalidKey
from api.keys import key_matches
from engine.files.atomic_write import write_atomic

ENDPOINT_KEY_NAME = "inglenook"
"""What the endpoint's own key is called."""

MAX_NAME = 64


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """The owner of the key of a request. `id` belongs to the key: a later key of the same name has another one."""

    name: str
    id: str = ""
    """"" for the endpoint's own key."""

    @property
    def sees_all(self) -> bool:
        """The endpoint's own key is the person's; every other one is of a single tool."""
        return not self.id

    def owns(self, owner_id: str) -> bool:
        """Whether it may see and end what belongs to `owner_id`."""
        return self.sees_all or self.id == owner_id


@dataclass(frozen=True, slots=True)
class NamedKey:
    """StoredResponse as its hash alone. The keys have 256 random bits, so a plain hash of them cannot be guessed
    back."""

    name: str
    sha256: str
    made_at: float
    """Unix time."""


class KeyFile:
    """The named keys on disk, readable by their owner alone. Small, read and written whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[NamedKey, ...]:
        """Raises OSError, and ValueError for what is not ours: a damaged file opens nothing."""
        try:
            text = self._path.read_text("utf-8-sig")
        except FileNotFoundError:
            return ()
        try:
            found = json.loads(text)
            return tuple(NamedKey(str(key["name"]), str(key["sha256"]), float(key["made_at"])) for key in found["keys"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError("the file of keys is damaged") from error

    def add(self, name: str) -> str:
        """A new key, which is shown this once. Raises OSError, and ValueError for a name that is taken or unfit."""
        keys = self.read()
        if not name.isprintable() or not 0 < len(name) <= MAX_NAME or name == ENDPOINT_KEY_NAME:
            raise ValueError(f"{name!r} cannot be a key's name")
        if any(key.name == name for key in keys):
            raise ValueError(f"there is a key named {name!r} already")
        value = f"ink-{secrets.token_urlsafe(32)}"
        self._write([*keys, NamedKey(name, hashlib.sha256(value.encode()).hexdigest(), time.time())])
        return value

    def revoke(self, name: str) -> None:
        """Raises OSError, and ValueError where there is none of this name."""
        keys = self.read()
        kept = [key for key in keys if key.name != name]
        if len(kept) == len(keys):
            raise ValueError(f"there is no key named {name!r}")
        self._write(kept)

    def _write(self, keys: Sequence[NamedKey]) -> None:
        text = json.dumps({"keys": [asdict(key) for key in keys]}, indent=1)
        write_atomic(self._path, text, durable=True)


class KeyRing:
    """Which key a request carries. A key that is revoked while the endpoint runs opens nothing from then on."""

    def __init__(self, own: str, path: Path | None = None) -> None:
        self._own = own
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._named: tuple[NamedKey, ...] = ()

    def holder_of(self, presented: Iterable[bytes]) -> KeyHolder:
        """The holder of the key among `presented`. Raises InvalidKey. The time it takes tells nothing of the keys."""
        candidates = list(presented)
        if key_matches(candidates, self._own):
            return KeyHolder(ENDPOINT_KEY_NAME)
        hashes = [hashlib.sha256(candidate).hexdigest() for candidate in candidates]
        for key in self._keys():
            if any(hmac.compare_digest(each, key.sha256) for each in hashes):
                return KeyHolder(key.name, key.sha256)
        raise InvalidKey

    def is_valid(self, holder: KeyHolder) -> bool:
        """Whether the key has not been revoked."""
        return holder.sees_all or any(key.sha256 == holder.id for key in self._keys())

    def _keys(self) -> tuple[NamedKey, ...]:
        if self._path is None:
            return ()
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_ino, found.st_size)
            if seen != self._seen:
                self._named, self._seen = KeyFile(self._path).read(), seen
        except (OSError, ValueError):
            self._named, self._seen = (), None
        return self._named
