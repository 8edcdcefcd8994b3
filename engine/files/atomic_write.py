"""Writes files atomically: readers see either the old content or the new one, never a part."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.files.display_name import display_name
from engine.files.private_files import open_private

PART_SUFFIX = ".part"
"""Suffix of temporary files. A temporary file has the name of the file that it will replace, plus this suffix."""


def write_atomic(path: Path, content: str | Sequence[bytes | memoryview], *, durable: bool = False) -> None:
    """Writes text as UTF-8, or blocks of bytes, to a file with mode 0600. With `durable`, the file is synced to disk.
    Raises OSError.

    After an error, `path` has its old content and no temporary file remains."""
    blocks = [content.encode()] if isinstance(content, str) else content
    with atomic_replace(path) as part, open(part, "wb", opener=open_private) as file:
        file.writelines(blocks)
        if durable:
            file.flush()
            os.fsync(file.fileno())


@contextlib.contextmanager
def atomic_replace(path: Path) -> Iterator[Path]:
    """Yields the path of a temporary file in the same folder. After the `with` block, the temporary file replaces
    `path`. If the block raises an error or deletes the temporary file, `path` keeps its content. Raises OSError."""
    part = path.with_name(display_name(path.name) + PART_SUFFIX)
    try:
        yield part
        with contextlib.suppress(FileNotFoundError):
            part.replace(path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def replace_durably(part: Path, path: Path) -> None:
    """Syncs the file `part` to disk and renames it to `path`. Raises OSError."""
    with part.open("r+b") as file:
        os.fsync(file.fileno())
    part.replace(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
