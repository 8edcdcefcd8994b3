"""Sets up the log file. It records the time, place and kind of an event, and never user content.

The message of an exception or of another package may contain text of a chat, a prompt, a file name or a key. Therefore
an exception is logged with its type and traceback only, and a message of another package is replaced by its place in
the source. The app's own messages are constants, whose arguments are numbers and fixed texts; a test checks that.
"""

from __future__ import annotations

import logging
import platform
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any

from engine.files.private_files import open_private
from engine.redacted_traceback import redacted_traceback

NAME = "inglenook.log"
MAX_BYTES, N_OLD = 256 * 1024, 2
"""The log file is rotated at `MAX_BYTES`, and `N_OLD` old files are kept."""

OURS = ("desktop", "engine", "api")
log = logging.getLogger(__name__)


class LogFile:
    """Writes the log file until `close`. Errors of writing are ignored. `tail` may be called on any thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._handler = _Silent(self._path, maxBytes=MAX_BYTES, backupCount=N_OLD, encoding="utf-8", delay=True)
        self._handler.setLevel(logging.INFO)
        self._handler.setFormatter(_Discreet())
        self._levels = {name: logging.getLogger(name).level for name in OURS}
        for name in OURS:
            logging.getLogger(name).setLevel(logging.INFO)
        logging.getLogger().addHandler(self._handler)
        self._unhook = _hook()
        log.info("started, Python %s", platform.python_version())

    def close(self) -> None:
        """Stops logging and restores the previous log levels and exception hooks. Idempotent."""
        log.info("ended")
        self._unhook()
        logging.getLogger().removeHandler(self._handler)
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)
        self._handler.close()

    def tail(self, n_lines: int = 60) -> list[str]:
        """The last lines of the log file; empty if it cannot be read."""
        try:
            return self._path.read_text(encoding="utf-8", errors="replace").splitlines()[-n_lines:]
        except OSError:
            return []


class _Silent(RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        file = open(self.baseFilename, "ab", opener=open_private)  # noqa: SIM115 -- the handler closes it
        return TextIOWrapper(file, encoding="utf-8", errors="replace")

    def handleError(self, record: logging.LogRecord) -> None:
        """Ignores the error: if the disk is full, the store reports it to the user."""


class _Discreet(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).isoformat(" ", "milliseconds")
        lines = [f"{moment} {record.levelname} {record.name}: {_words(record)}"]
        if record.exc_info and record.exc_info[1] is not None:
            lines.append(redacted_traceback(record.exc_info[1]))
        return "\n".join(lines)


def _words(record: logging.LogRecord) -> str:
    if record.name.partition(".")[0] not in OURS:
        return f"at {record.module}:{record.lineno}"
    arguments = record.args if isinstance(record.args, tuple) else ()
    return str(record.msg) % tuple(map(_discreet, arguments))


def _discreet(argument: object) -> object:
    return argument if isinstance(argument, str | int | float) else type(argument).__name__


def _hook() -> Callable[[], None]:
    """Installs exception hooks that log uncaught exceptions. Returns a function that removes them."""
    before = sys.excepthook, threading.excepthook, sys.unraisablehook

    def uncaught(kind: type[BaseException], error: BaseException, way: TracebackType | None) -> None:
        log.critical("uncaught exception", exc_info=error)
        before[0](kind, error, way)

    def in_thread(seen: threading.ExceptHookArgs) -> None:
        log.critical("uncaught exception on a thread", exc_info=seen.exc_value)
        before[1](seen)

    def unraisable(seen: Any) -> None:
        log.critical("unraisable exception", exc_info=seen.exc_value)
        before[2](seen)

    def undo() -> None:
        # Hooks that another package installed later are not removed. Such hooks may call ours, and ours call the
        # previous hooks.
        ours = uncaught, in_thread, unraisable
        if (sys.excepthook, threading.excepthook, sys.unraisablehook) == ours:
            sys.excepthook, threading.excepthook, sys.unraisablehook = before

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, in_thread, unraisable
    return undo
