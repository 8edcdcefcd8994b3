"""The child process that reads an import file and writes its chats to standard output, one line of JSON for each.

There are two reasons for a separate process: parsing a document of 100 MB holds the GIL for seconds, which would freeze
the window, and the memory of a child process can be limited.

If reading fails, the last line is a JSON list with the class name of the error, its file name and its reason.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from desktop.platform.child_memory import bound_memory
from desktop.platform.surrogates import well_formed

if TYPE_CHECKING:
    from desktop.import_export.errors import ImportExportError

READ_OPTION = "--read-chats"
"""Command line option that makes a packaged Inglenook run as the reader process. The package contains no separate
Python interpreter that could run it."""

BASE_BYTES = 384 << 20
"""Memory in bytes for Python, its modules and a small document."""

BYTES_PER_FILE_BYTE = 60
"""Memory limit in bytes per byte of the import file. An export unpacks to about ten times its compressed size. Reading
takes up to six times the unpacked size, because the bytes, the decoded text and the objects of one chat are in memory
at the same time."""

MAX_BYTES = 6 << 30


def reader_command(path: Path) -> list[str]:
    """Returns the command line of the reader process for this file or folder."""
    packaged = getattr(sys, "frozen", False)
    return [sys.executable, *([READ_OPTION] if packaged else ["-m", __name__]), str(path)]


def run_as_reader(arguments: Sequence[str]) -> int | None:
    """If a packaged Inglenook was started with `READ_OPTION`, runs the reader and returns the exit code. Otherwise
    returns None."""
    if not getattr(sys, "frozen", False) or list(arguments[:1]) != [READ_OPTION]:
        return None
    main(arguments[1])
    return 0


def main(path: str) -> None:
    # Imported here because the app imports this module before its first paint.
    from desktop.import_export.errors import ImportExportError, Problem, UnreadableFile
    from desktop.import_export.formats import inglenook
    from desktop.import_export.reader import read

    out = sys.stdout
    out.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    source = Path(path)
    bound_memory(memory_limit(source))
    try:
        for item in read(source):
            out.write(inglenook.line(item) + "\n")
    except ImportExportError as error:
        out.write(_error_line(error))
    except MemoryError:
        out.write(_error_line(UnreadableFile(well_formed(source.name), Problem.TOO_LARGE)))


def memory_limit(path: Path) -> int:
    """Returns the memory limit in bytes for reading this file, or the largest file in this folder.

    The limit stops archives of a few kilobytes that unpack to gigabytes."""
    half_of_memory = int(psutil.virtual_memory().total) // 2
    return max(BASE_BYTES, min(BASE_BYTES + BYTES_PER_FILE_BYTE * _largest_file(path), MAX_BYTES, half_of_memory))


def _error_line(error: ImportExportError) -> str:
    return json.dumps([type(error).__name__, error.name, error.reason]) + "\n"


def _largest_file(path: Path) -> int:
    largest = 0
    with contextlib.suppress(OSError):
        if not path.is_dir():
            return path.stat().st_size
        for folder, _, names in os.walk(path):
            for name in names:
                with contextlib.suppress(OSError):
                    largest = max(largest, Path(folder, name).stat().st_size)
    return largest


if __name__ == "__main__":
    main(sys.argv[1])
