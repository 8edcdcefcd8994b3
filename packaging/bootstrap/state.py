"""The record of what set-up has installed. It is a file in .venv, and lets the next start skip set-up quickly."""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import build_fingerprint
from .paths import DEBIAN_PACKAGES, DEFAULT_MODEL, LOCKS, ROOT, VENV

FILE = VENV / "set-up.json"


def checkout_id() -> str:
    """An identifier of this checkout and this Python version. A .venv contains paths of both, so it works only with
    them."""
    return f"{ROOT} {sys.version_info[0]}.{sys.version_info[1]}"


def digest() -> str:
    """A digest of everything that set-up depends on."""
    parts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = [parts.get("project"), parts.get("build-system"), parts.get("tool", {}).get("hatch")]
    sha256 = hashlib.sha256(json.dumps([checkout_id(), build_fingerprint.native_build_digest(), project]).encode())
    sources = sorted(Path(__file__).parent.glob("*.py"))
    for path in (*sorted(LOCKS.glob("*.txt")), DEBIAN_PACKAGES, DEFAULT_MODEL, *sources):
        sha256.update(path.read_bytes())
    return sha256.hexdigest()


@dataclass
class State:
    """What set-up has done in .venv. `done` maps each installed part ("runtime", "dev", "window") to a digest of its
    inputs.

    `working` is true while set-up changes .venv. If it is true when set-up starts, the previous set-up was interrupted.
    """

    made_by: str = ""
    working: bool = False
    done: dict[str, str] = field(default_factory=dict)
    wheel: str = ""
    """The ready-built wheel that was installed, if any."""

    compiled: str = ""
    """The `native_build_digest` with which llama.cpp was compiled."""

    model: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls) -> State:
        """The saved state; an empty one if the file is missing or damaged."""
        try:
            return cls(**json.loads(FILE.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return cls()

    def save(self) -> None:
        temporary = FILE.with_suffix(".part")
        temporary.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        temporary.replace(FILE)

    def has(self, parts: tuple[str, ...]) -> bool:
        """Whether all given parts are installed and up to date."""
        if self.working or self.made_by != checkout_id():
            return False
        current = digest()
        return all(self.done.get(part) == current for part in parts)
