"""Stops PySide from reading the source of every imported module."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import PySide6.QtCore  # noqa: F401  (installs PySide's import hook)


def ignore_features() -> None:
    """Tells PySide that no module uses its `__feature__` switches, such as `snake_case`. Idempotent.

    After each import, PySide's import hook reads the module's source to find out whether it contains "PySide6". This
    takes 0.14 ms per module. It also inspects modules that are not complete yet: pydantic's attribute lookup then
    failed in one start of eight, and with it the endpoint."""
    try:
        features: Any = importlib.import_module("shibokensupport.feature")
    except ImportError:  # a PySide without this hook
        return
    if hasattr(features, "_mod_uses_pyside"):
        features._mod_uses_pyside = _uses_no_feature


def _uses_no_feature(module: ModuleType) -> bool:
    return False
