"""Checks the key of a request: the endpoint's own key, or a named key for a single client program.

The endpoint's own key is created at the first start, and stored in a file that only its owner can read. Of named keys
only hashes are stored. All comparisons take constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from api.errors import InvalidKey
from engine.files.atomic_write import write_atomic
from engine.files.profile import Profile

KEY_VARIABLE = "INGLENOOK_API_KEY"
"""The environment variable for the endpoint's own key. If it is set, the stored key is not used."""

ENDPOINT_KEY_NAME = "inglenook"
"""Name of the endpoint's own key."""

MAX_NAME_CHARS = 64


@dataclass(frozen=True, slots=True)
class EndpointKey:
    """The endpoint's own key. `path`: the file that stores it, or None if it comes from the environment."""

    value: str = field(repr=False)
    path: Path | None


def find_key(profile: Profile, environ: Mapping[str, str] = os.environ) -> EndpointKey:
    """Returns the endpoint's own key: from the environment variable, else from the profile. Creates the key in the
    profile if there is none.

    Raises OSError if the profile can be neither read nor written."""
    if given := environ.get(KEY_VARIABLE, "").strip():
        return EndpointKey(given, None)
    path = profile.ensure().endpoint_key
    return EndpointKey(_stored_key(path), path)


def key_matches(presented: Iterable[bytes], key: str) -> bool:
    """Whether one of the keys in a request is `key`. The comparison takes constant time."""
    expected = key.encode()
    return any(hmac.compare_digest(candidate, expected) for candidate in presented)


def _new_key() -> str:
    return f"ink-{secrets.token_urlsafe(32)}"


def _stored_key(path: Path) -> str:
    key = _read_key(path)
    if not key:
        return _create_key(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return key


def _read_key(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig").strip()
    except FileNotFoundError:
        return ""


def _create_key(path: Path) -> str:
    """Creates and stores a key. If two programs do that at once, both return the key that was stored first."""
    key = _new_key()
    temporary = path.with_name(f"{path.name}{secrets.token_hex(4)}.new")
    write_atomic(temporary, f"{key}\n", durable=True)
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        if found := _read_key(path):
            return found
        temporary.replace(path)  # an existing file without a key is replaced
    except OSError:
        temporary.replace(path)  # some file systems have no hard links
    finally:
        temporary.unlink(missing_ok=True)
    return key


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """Limits of a named key. None: no limit."""

    n_requests: int | None = None
    """Requests in progress at the same time."""
    tokens_per_day: int | None = None
    """Prompt and answer tokens of the requests that ended since midnight (UTC). Counted anew when the endpoint
    starts."""
    models: tuple[str, ...] | None = None
    """Ids of the models, as /v1/models lists them."""

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> KeyLimits:
        """Reads the limits in a file of keys. Raises ValueError, TypeError."""
        n_requests, n_tokens, models = (stored.get(name) for name in ("n_requests", "tokens_per_day", "models"))
        return cls(
            None if n_requests is None else int(n_requests),
            None if n_tokens is None else int(n_tokens),
            None if models is None else tuple(map(str, models)),
        )


NO_LIMITS = KeyLimits()


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Identifies the owner of a request's key. If a key is revoked and a new key gets the same name, the holders of the
    two keys have different `id`s."""

    name: str
    id: str = ""
    """The hash of a named key; empty for the endpoint's own key."""
    limits: KeyLimits = field(default=NO_LIMITS, compare=False)

    @property
    def sees_all(self) -> bool:
        """True for the endpoint's own key. The holder of a named key sees only its own requests."""
        return not self.id

    def may_use(self, model: str) -> bool:
        """Whether the key may use the model with this id."""
        return self.limits.models is None or model in self.limits.models

    def owns(self, owner_id: str) -> bool:
        """Whether the holder may see and cancel the requests of the holder with the id `owner_id`."""
        return self.sees_all or self.id == owner_id


OWNER = KeyHolder(ENDPOINT_KEY_NAME)
"""The holder of the endpoint's own key."""


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A named key, stored as a plain hash: a key has 256 random bits, so it cannot be guessed from its hash."""

    name: str
    sha256: str
    made_at: float
    """Unix time at which the key was created."""
    limits: KeyLimits = NO_LIMITS


class KeyFile:
    """The file that stores the named keys. Only its owner can read it (mode 0600). It is read and written as a
    whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[NamedKey, ...]:
        """Returns the named keys. Raises OSError, and ValueError for a damaged file."""
        try:
            text = self._path.read_text("utf-8-sig")
        except FileNotFoundError:
            return ()
        try:
            keys = json.loads(text)["keys"]
            return tuple(map(_named_key, keys))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError("the file of keys is damaged") from error

    def add(self, name: str) -> str:
        """Creates and returns a key, which cannot be read from the file later.

        Raises OSError, and ValueError for a name that is already used or not allowed."""
        keys = self.read()
        if not name.isprintable() or not 0 < len(name) <= MAX_NAME_CHARS or name == ENDPOINT_KEY_NAME:
            raise ValueError(f"{name!r} cannot be a key's name")
        if any(key.name == name for key in keys):
            raise ValueError(f"there is a key named {name!r} already")
        value = _new_key()
        self._write([*keys, NamedKey(name, hashlib.sha256(value.encode()).hexdigest(), time.time())])
        return value

    def limit(self, name: str, limits: KeyLimits) -> None:
        """Replaces the limits of the key `name`. Raises OSError, and ValueError if no key has this name."""
        keys = self.read()
        if not any(key.name == name for key in keys):
            raise ValueError(f"there is no key named {name!r}")
        self._write([replace(key, limits=limits) if key.name == name else key for key in keys])

    def revoke(self, name: str) -> None:
        """Deletes the key `name`. Raises OSError, and ValueError if no key has this name."""
        keys = self.read()
        kept = [key for key in keys if key.name != name]
        if len(kept) == len(keys):
            raise ValueError(f"there is no key named {name!r}")
        self._write(kept)

    def _write(self, keys: Sequence[NamedKey]) -> None:
        write_atomic(self._path, json.dumps({"keys": [asdict(key) for key in keys]}, indent=1), durable=True)


def _named_key(stored: Mapping[str, Any]) -> NamedKey:
    limits = KeyLimits.read(stored.get("limits") or {})
    return NamedKey(str(stored["name"]), str(stored["sha256"]), float(stored["made_at"]), limits)


class KeyRing:
    """Checks the keys of requests. Reads the file of named keys again when it changes, so that a revoked key is refused
    at once."""

    def __init__(self, endpoint_key: str, named_keys: Path | None = None) -> None:
        self._endpoint_key = endpoint_key
        self._path = named_keys
        self._file_state: tuple[int, int, int] | None = None
        self._named: tuple[NamedKey, ...] = ()

    def holder_of(self, presented: Iterable[bytes]) -> KeyHolder:
        """Returns the holder of a valid key among `presented`. Raises InvalidKey if there is none."""
        candidates = list(presented)
        if key_matches(candidates, self._endpoint_key):
            return OWNER
        hashes = [hashlib.sha256(candidate).hexdigest() for candidate in candidates]
        for key in self._keys():
            if any(hmac.compare_digest(each, key.sha256) for each in hashes):
                return KeyHolder(key.name, key.sha256, key.limits)
        raise InvalidKey

    def is_valid(self, holder: KeyHolder) -> bool:
        """Whether the holder's key is still valid: False once it has been revoked."""
        return holder.sees_all or any(key.sha256 == holder.id for key in self._keys())

    def _keys(self) -> tuple[NamedKey, ...]:
        if self._path is None:
            return ()
        try:
            found = self._path.stat()
            state = (found.st_mtime_ns, found.st_ino, found.st_size)
            if state != self._file_state:
                self._named, self._file_state = KeyFile(self._path).read(), state
        except (OSError, ValueError):
            self._named, self._file_state = (), None
        return self._named
