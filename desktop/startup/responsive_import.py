"""Imports a module on the GUI thread, and handles the window's events between the modules that are loaded for it."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

from PySide6.QtCore import QCoreApplication

SLICE_S = 0.008
"""Modules are loaded for at least this time before the window's events are handled. The loading of one module is never
interrupted."""


def import_responsively(name: str) -> ModuleType:
    """Imports a module with all modules that it needs. Call it on the GUI thread.

    Modules that define subclasses of Qt classes must not be imported on another thread while Qt handles events: PySide
    registers each such class in a table that the GUI thread reads without holding the GIL. With PySide6 6.11, one start
    in about fifty crashed. Raises the errors of the import."""
    finder = _EventsBetweenModules()
    sys.meta_path.insert(0, finder)
    try:
        return importlib.import_module(name)
    finally:
        sys.meta_path.remove(finder)


class _EventsBetweenModules:
    """A finder that finds no module. Python asks it before it loads a module, and it then handles events if a slice has
    passed since it did so last."""

    def __init__(self) -> None:
        self._is_handling = False
        self._handled_at = time.perf_counter()

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not self._is_handling and time.perf_counter() - self._handled_at >= SLICE_S:
            self._is_handling = True  # the handlers of these events can import modules too
            try:
                QCoreApplication.processEvents()
            finally:
                self._is_handling = False
                self._handled_at = time.perf_counter()
        return None
