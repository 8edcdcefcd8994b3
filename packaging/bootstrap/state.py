"""What set-up has done, kept in .venv, so that the next start sees at a glance that nothing needs doing."""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import compiled
from .places import DEBIAN_PACKAGES, DEFAULT_MODEL, LOCKS, ROOT, VENV

FILE = VENV / "set-up.json"


def made_by() -> str:
    """Which checkout and which Python a .venv belongs to. Scripts in it name both, so it works for no other."""
    return f"{ROOT} {sys.version_info[0]}.{sys.version_info[1]}"


def digest() -> str:
    """A digest of everything that decides what set-up makes."""
    parts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = [parts.get("project"), parts.get("build-system"), parts.get("tool", {}).get("hatch")]
    sha256 = hashlib.sha256(json.dumps([made_by(), compiled.way_and_processor(), project]).encode())
    sources = sorted(Path(__file__).parent.glob("*.py"))
    for path in (*sorted(LOCKS.glob("*.txt")), DEBIAN_PACKAGES, DEFAULT_MODEL, *sources):
        sha256.update(path.read_bytes())
    return sha256.hexdigest()


@dataclass
class State:
    """`done` maps a part ("runtime", "dev", "window") to the digest that it was made for.

    `working` is set while set-up changes .venv: found set at a start, it means that the last set-up was cut short.
    """

    made_by: str = ""
    working: bool = False
    done: dict[str, str] = field(default_factory=dict)
    wheel: str = ""
    """The ready-built one that was named, if any."""

    compiled: str = ""
    """With what and for what llama.cpp was compiled, as `compiled.way_and_processor` tells."""

    model: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls) -> State:
        """What the file says, or an empty state where it is missing or damaged."""
        try:
            return cls(**json.loads(FILE.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return cls()

    def save(self) -> None:
        temporary = FILE.with_suffix(".part")
        temporary.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        temporary.replace(FILE)

    def has(self, parts: tuple[str, ...]) -> bool:
        """Whether all these parts are as the checkout wants them."""
        if self.working or self.made_by != made_by():
            return False
        wanted = digest()
        return all(self.done.get(part) == wanted for part in parts)
