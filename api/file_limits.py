"""How many connections the process can hold open beside its other files."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

RESERVED_FILES = 64
"""Left for models, chats, keys and logs."""
MAX_BACKLOG = 128
LEAST = 8
"""Connections, however few files may be open."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """`backlog`: as many are accepted in one turn of the loop, beyond `n_connections` for a moment."""

    n_connections: int
    backlog: int


def connection_limits(wanted: int) -> ConnectionLimits:
    """At most `wanted` connections, fewer where the process may open few files (RLIMIT_NOFILE)."""
    free = _free_files()
    if free is None:
        return ConnectionLimits(wanted, MAX_BACKLOG)
    usable = max(free - RESERVED_FILES, 2 * LEAST)
    backlog = min(MAX_BACKLOG, max(usable // 4, LEAST))
    return ConnectionLimits(min(wanted, usable - backlog), backlog)


def _free_files() -> int | None:
    """None where there is no limit that matters."""
    if sys.platform == "win32":
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return None
    return limit - sum(1 for _ in Path("/dev/fd").iterdir())
