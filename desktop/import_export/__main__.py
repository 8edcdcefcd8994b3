"""Reads one file or folder in a process of its own and writes its chats to standard output, one a line.

A process of its own, because reading a document of a hundred megabytes holds Python's lock for seconds, and the
window would stand still. What went wrong comes as the last line, a JSON list of the error's name and its fields."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from desktop.import_export.errors import ImportExportError, UnreadableFile
from desktop.import_export.formats import inglenook
from desktop.import_export.memory_limits import TOO_LARGE, memory_for
from desktop.import_export.reader import read
from desktop.platform.child_memory import bound_memory
from desktop.platform.surrogates import well_formed


def main(path: str) -> None:
    out = sys.stdout
    out.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    place = Path(path)
    bound_memory(memory_for(place))
    try:
        for piece in read(place):
            out.write(inglenook.line(piece) + "\n")
    except ImportExportError as error:
        out.write(_error_line(error))
    except MemoryError:
        out.write(_error_line(UnreadableFile(well_formed(place.name), TOO_LARGE)))


def _error_line(error: ImportExportError) -> str:
    return json.dumps([type(error).__name__, error.name, error.reason]) + "\n"


if __name__ == "__main__":
    main(sys.argv[1])
