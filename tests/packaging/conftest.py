"""What the tests of set-up share."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.packaging.checkout import ROOT, Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a check out")


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Imports a module of set-up by its name. `packaging` is no package, so its folder is put on the path."""
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    return lambda name: importlib.import_module(f"bootstrap.{name}")


@pytest.fixture
def ship(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """The same for a module of what makes installers."""
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    return lambda name: importlib.import_module(f"ship.{name}")
