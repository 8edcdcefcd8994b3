"""The endpoint's key: made at the first start, kept where only its owner reads it, compared in constant time."""

from __future__ import annotations

import hmac
import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.files.profile import Profile

KEY_VARIABLE = "INGLENOOK_API_KEY"


@dataclass(frozen=True, slots=True)
class EndpointKey:
    """The key that tools must send, and the file that holds it; None where the environment gave it."""

    value: str = field(repr=False)
    path: Path | None


def find_key(profile: Profile, environ: Mapping[str, str] = os.environ) -> EndpointKey:
    """From the environment, else from the profile, where it is made if missing.

    Raises OSError where the profile can be neither read nor written."""
    if given := environ.get(KEY_VARIABLE, "").strip():
        return EndpointKey(given, None)
    path = profile.ensure().endpoint_key
    return EndpointKey(_stored_key(path), path)


def key_matches(presented: Iterable[bytes], key: str) -> bool:
    """Whether one of the keys that a request carries is `key`; the time it takes tells nothing of `key`."""
    expected = key.encode()
    return any(hmac.compare_digest(candidate, expected) for candidate in presented)


def _stored_key(path: Path) -> str:
    try:
        key = path.read_text("utf-8-sig").strip()
    except FileNotFoundError:
        key = ""
    if not key:
        return _make_key(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return key


def _make_key(path: Path) -> str:
    """A new key, on disk whole or not at all. Of two programs that make one at once, the first one's stays."""
    key = f"ink-{secrets.token_urlsafe(32)}"
    # mkstemp creates the file with mode 0600.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{key}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            if found := path.read_text("utf-8-sig").strip():
                return found
            draft.replace(path)  # an empty file
        except OSError:
            draft.replace(path)  # a file system without hard links
    finally:
        draft.unlink(missing_ok=True)
    return key
