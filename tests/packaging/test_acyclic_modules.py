"""The import contract that forbids import cycles."""

from __future__ import annotations

from types import ModuleType

import grimp
import pytest

from tests.packaging.checkout import ROOT

FIRST, SECOND, PACKAGE = "engine.first", "engine.second", "engine.package"


@pytest.fixture
def contract(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    from contracts import acyclic_modules

    return acyclic_modules


def graph(*imports: tuple[str, str]) -> grimp.ImportGraph:
    made = grimp.ImportGraph()
    for importer, imported in imports:
        made.add_import(importer=importer, imported=imported)
    return made


def test_two_modules_that_import_each_other_are_reported_as_a_cycle(contract: ModuleType) -> None:
    found = contract.find_cycle(graph((FIRST, SECOND), (SECOND, FIRST)), ("engine",))
    assert found in ([FIRST, SECOND, FIRST], [SECOND, FIRST, SECOND])


def test_import_chain_without_cycle_and_cycle_in_unlisted_package_are_accepted(contract: ModuleType) -> None:
    made = graph((FIRST, SECOND), (SECOND, PACKAGE), ("other.a", "other.b"), ("other.b", "other.a"))
    assert contract.find_cycle(made, ("engine",)) == []


def test_the_project_has_no_import_cycle(contract: ModuleType) -> None:
    packages = ("engine", "api", "desktop")
    assert contract.find_cycle(grimp.build_graph(*packages), packages) == []
