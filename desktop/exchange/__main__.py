"""Reads one file or folder in a process of its own and writes its chats to standard output, one a line.

A process of its own, because reading a document of a hundred megabytes holds Python's lock for seconds, and the
window would stand still. What went wrong comes as the last line, a JSON list of the error's name and its fields."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from desktop.child_memory import bound_memory
from desktop.exchange import own
from desktop.exchange.errors import ExchangeError, Unreadable
from desktop.exchange.limits import TOO_LARGE, memory_for
from desktop.exchange.reading import read
from desktop.surrogates import well_formed


def main(path: str) -> None:
    out = sys.stdout
    out.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    place = Path(path)
    bound_memory(memory_for(place))
    try:
        for piece in read(place):
            out.write(own.line(piece) + "\n")
    except ExchangeError as error:
        out.write(_told(error))
    except MemoryError:
        out.write(_told(Unreadable(well_formed(place.name), TOO_LARGE)))


def _told(error: ExchangeError) -> str:
    return json.dumps([type(error).__name__, error.name, error.reason]) + "\n"


if __name__ == "__main__":
    main(sys.argv[1])
