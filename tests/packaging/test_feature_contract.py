"""The import contract between the features of a package, its base packages and its composition root."""

from __future__ import annotations

import tomllib
from types import ModuleType

import grimp
import pytest

from tests.packaging.checkout import ROOT

APP, BASE, CHAT, SERVICES = "desktop.app", "desktop.platform", "desktop.chat", "desktop.services"


@pytest.fixture
def contract(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    from contracts import features

    return features


def problems(contract: ModuleType, *imports: tuple[str, str]) -> list[str]:
    graph = grimp.ImportGraph()
    for module in ("desktop", APP, BASE, CHAT, SERVICES):
        graph.add_module(module)
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported)
    found: list[str] = contract.find_problems(graph, "desktop", base=(BASE,), root=(APP,), others=(SERVICES,))
    return found


def test_root_may_import_features_and_features_may_import_base_packages(contract: ModuleType) -> None:
    assert problems(contract, (APP, CHAT), (APP, SERVICES), (CHAT, SERVICES), (CHAT, BASE), (SERVICES, BASE)) == []


def test_new_feature_that_imports_the_root_is_reported(contract: ModuleType) -> None:
    assert problems(contract, ("desktop.new", APP)) == ["desktop.new -> desktop.app"]


def test_module_inside_a_feature_that_imports_the_root_is_reported(contract: ModuleType) -> None:
    assert problems(contract, ("desktop.chat.page", APP)) == ["desktop.chat.page -> desktop.app"]


@pytest.mark.parametrize("imported", [CHAT, "desktop.new", APP, SERVICES])
def test_base_package_that_imports_a_module_outside_the_base_is_reported(contract: ModuleType, imported: str) -> None:
    assert problems(contract, (BASE, imported)) == [f"{BASE} -> {imported}"]


def test_indirect_import_of_the_root_is_reported(contract: ModuleType) -> None:
    assert problems(contract, (CHAT, "engine.x"), ("engine.x", APP)) == ["desktop.chat -> engine.x -> desktop.app"]


def test_listed_module_that_does_not_exist_is_reported(contract: ModuleType) -> None:
    graph = grimp.ImportGraph()
    graph.add_module("desktop")
    graph.add_module(APP)
    found = contract.find_problems(graph, "desktop", base=(BASE,), root=(APP,), others=())
    assert found == ["desktop.platform does not exist"]


def test_imports_of_the_project_satisfy_the_feature_contract(contract: ModuleType) -> None:
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [options] = [one for one in configured if one["type"] == "features"]
    lists = {kind: tuple(f"desktop.{name}" for name in options[kind]) for kind in ("base", "root", "others")}
    assert contract.find_problems(grimp.build_graph("engine", "api", "desktop"), "desktop", **lists) == []
