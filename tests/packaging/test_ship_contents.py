"""The bill of materials and the licences of an installer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.packaging.checkout import ROOT

Ship = Callable[[str], ModuleType]


def test_bill_of_materials_lists_all_components(ship: Ship) -> None:
    contents = ship("bill_of_materials")
    python = [
        contents.component({"name": n, "version": "1.0", "licence": "MIT"}, "pypi") for n in ("PySide6_Essentials",)
    ]
    system = [contents.component({"name": "libssl3", "version": "3.0"}, "deb/debian")]
    bill = contents.bom(python, system)

    assert bill == contents.bom(python, system)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    purls = [each.get("purl") for each in bill["components"]]
    assert "pkg:pypi/pyside6-essentials@1.0" in purls
    assert "pkg:deb/debian/libssl3@3.0" in purls
    assert {"Qt", "llama.cpp", "CPython", "SmolLM2-135M-Instruct"} <= {each["name"] for each in bill["components"]}
    json.dumps(bill)


def test_bill_of_materials_is_copied_into_the_folder_of_the_installers(
    ship: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = ship("bill_of_materials")
    (tmp_path / "app/licences").mkdir(parents=True)
    (tmp_path / "app/licences" / contents.SBOM).write_text("{}")
    monkeypatch.setattr(contents, "APP", tmp_path / "app")
    monkeypatch.setattr(contents, "DIST", tmp_path / "dist")

    path = contents.publish()

    assert path.parent == tmp_path / "dist"
    assert path.name.startswith(f"inglenook-{ship('paths').version()}-")
    assert path.read_text() == "{}"


def test_removed_library_is_not_in_the_bill_of_materials(ship: Ship, tmp_path: Path) -> None:
    (tmp_path / "libkept.so").touch()
    frozen = {
        "pure": [("a", "/site/a.py")],
        "datas": [("b.txt", "/site/b.txt")],
        "binaries": [("libkept.so", "/usr/lib/libkept.so"), ("libgone.so", "/usr/lib/libgone.so")],
    }
    assert ship("bill_of_materials").sources_of(frozen, tmp_path) == {
        "/site/a.py",
        "/site/b.txt",
        "/usr/lib/libkept.so",
    }


def shipped(ship: Ship) -> list[dict[str, Any]]:
    """Returns descriptions of the shipped Python packages. Those that are not installed on this machine are left
    out."""
    lock = (ROOT / "packaging/lock/runtime.txt").read_text(encoding="utf-8")
    locked = {re.sub(r"[-_.]+", "-", name).lower() for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    found = (ship("distributions").describe(each) for each in distributions())
    excluded = {"hf-xet"}
    return [each for each in found if re.sub(r"[-_.]+", "-", each["name"]).lower() in locked - excluded]


def test_every_shipped_package_has_a_licence_text(ship: Ship) -> None:
    readme = (ROOT / "packaging/licences/README.md").read_text(encoding="utf-8")
    own = {Path(name).stem for name in ship("bill_of_materials")._OWN_TEXTS.values()}

    packages = shipped(ship)
    assert len(packages) > 30
    for each in packages:
        name, (entry,) = each["name"], ship("bill_of_materials").component(each, "pypi")["licenses"]
        assert each["texts"] or name in own or name.partition("_")[0] in readme, name
        assert "expression" in entry, f"{name}: {entry} is not an SPDX expression"
        names = [ship("bill_of_materials").text_name(text) for text in each["texts"]]
        assert len(names) == len(set(names)), f"{name}: two licence texts would have the same path"


def test_licence_field_of_the_rpm_lists_every_licence(ship: Ship) -> None:
    spec = (ROOT / "packaging/linux/inglenook.spec.in").read_text(encoding="utf-8")
    named = set(re.findall(r"[\w.+-]+", re.findall(r"^License: +(.+)$", spec, re.MULTILINE)[0]))

    for each in shipped(ship):
        (entry,) = ship("bill_of_materials").component(each, "pypi")["licenses"]
        choices = entry["expression"].split(" OR ")
        assert any(set(choice.split()) - {"AND"} <= named for choice in choices), (each["name"], entry)


def test_licence_files_exist_and_explain_how_to_replace_qt(ship: Ship) -> None:
    for source in ship("bill_of_materials")._OWN_TEXTS:
        assert (ROOT / source).stat().st_size > 1000, source
    readme = (ROOT / "packaging/licences/README.md").read_text(encoding="utf-8")
    assert "LGPL" in readme
    assert "put your own build in their place" in readme
