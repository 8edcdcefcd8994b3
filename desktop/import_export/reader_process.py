"""A packaged program has no Python beside it: to read chats of other programs, it starts itself."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

READ_OPTION = "--read-chats"


def reader_command(path: Path) -> list[str]:
    """What starts the process that reads chats."""
    start = [READ_OPTION] if getattr(sys, "frozen", False) else ["-m", "desktop.import_export"]
    return [sys.executable, *start, str(path)]


def other_duty(arguments: Sequence[str]) -> int | None:
    """Reads chats where a packaged program was started for that; the exit code, else None."""
    if not getattr(sys, "frozen", False) or list(arguments[:1]) != [READ_OPTION]:
        return None
    from desktop.import_export.__main__ import main  # imports what only this process wants

    main(arguments[1])
    return 0
