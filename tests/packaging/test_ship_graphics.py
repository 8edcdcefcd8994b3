"""The library for graphics cards in the packages."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from engine.devices.backend_libraries import file_name
from engine.devices.library_folders import PACKAGED
from tests.packaging.checkout import ROOT

Ship = Callable[[str], ModuleType]
LIBRARY = "libggml-vulkan.so"


class FakeBuilder:
    """Takes the place of the build: its library is a text file."""

    def __init__(self, library: Path, wanted: list[str]) -> None:
        self._library, self._wanted = library, wanted

    def ensure(self, kind: str) -> Path:
        self._wanted.append(kind)
        self._library.write_text("library")
        return self._library


@pytest.fixture(params=[("linux", LIBRARY), ("win32", "ggml-vulkan.dll")], ids=["linux", "windows"])
def internal(ship: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A freeze to which the library was added."""
    library, wanted, folder = ship("graphics_library"), list[str](), tmp_path / "_internal"
    system, name = request.param
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.delenv("GPU", raising=False)
    monkeypatch.setattr(library, "Builder", lambda **_: FakeBuilder(tmp_path / name, wanted))
    monkeypatch.setattr(library, "headers_version", lambda kind: "1.4.309")
    library.add(folder)
    assert wanted == ["vulkan"]
    return folder


def test_library_is_packed_in_the_folder_where_the_app_looks(internal: Path) -> None:
    [packed] = (path for path in internal.rglob("*") if path.is_file())
    assert packed == internal / "llama_cpp/lib" / PACKAGED / file_name("vulkan")


def test_library_is_not_packed_on_macos_which_has_metal(
    ship: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    ship("graphics_library").add(tmp_path)
    assert not list(tmp_path.iterdir())


def test_library_is_left_out_of_packages_with_gpu_off(
    ship: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("GPU", "off")
    ship("graphics_library").add(tmp_path)
    assert not list(tmp_path.iterdir())


def test_bill_of_materials_lists_the_headers_that_the_library_was_built_with(
    ship: Ship, internal: Path, tmp_path: Path
) -> None:
    library, contents = ship("graphics_library"), ship("bill_of_materials")
    assert library.components(tmp_path / "other") == []
    bill = contents.bom([], [], library.components(internal))
    found = {each["name"]: each for each in bill["components"]}
    assert found["Vulkan-Headers"]["version"] == "1.4.309"
    assert found["Vulkan-Headers"]["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert found["SPIRV-Headers"]["licenses"] == [{"license": {"id": "MIT"}}]


def test_deb_does_not_depend_on_what_only_the_library_links(
    ship: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deb, commands = ship("deb"), list[list[str]]()
    program = tmp_path / deb.LIB / "inglenook"
    graphics = tmp_path / deb.LIB / "_internal/llama_cpp/lib/gpu" / LIBRARY

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "shlibs:Depends=libc6 (>= 2.36)\n", "")

    monkeypatch.setattr(deb, "SHIP", tmp_path / "ship")
    monkeypatch.setattr(deb.elf, "files", lambda folder: [program, graphics])
    monkeypatch.setattr(deb.subprocess, "run", run)
    assert deb.dependencies(tmp_path) == "libc6 (>= 2.36)"
    assert [word for word in commands[0] if word.startswith("-e")] == [f"-e{program}"]


def test_deb_recommends_the_vulkan_loader_and_drivers(
    ship: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deb = ship("deb")
    (tmp_path / "usr").mkdir()
    monkeypatch.setattr(deb, "dependencies", lambda root: "libc6")
    monkeypatch.setattr(deb, "architecture", lambda: "amd64")
    deb._write_control(tmp_path)
    fields = dict(
        line.split(": ", 1) for line in (tmp_path / "DEBIAN/control").read_text().splitlines() if ": " in line
    )
    assert {"libvulkan1", "mesa-vulkan-drivers"} <= set(fields["Recommends"].split(", "))
    assert fields["Depends"] == "libc6"


def test_rpm_does_not_require_the_vulkan_loader() -> None:
    spec = (ROOT / "packaging/linux/inglenook.spec.in").read_text(encoding="utf-8")
    assert r"%global __requires_exclude ^(libvulkan\\.so|@PRIVATE@).*$" in spec
    assert "Recommends:     vulkan-loader\n" in spec


def test_smoke_test_refuses_a_missing_library_and_messages_about_it(ship: Ship, tmp_path: Path) -> None:
    library = ship("graphics_library")
    smoke = importlib.import_module("smoke.__main__")
    refused = importlib.import_module("bootstrap.errors").SetupError
    with pytest.raises(refused, match="missing in the package"):
        smoke._expect_quiet_graphics_library(tmp_path, "")
    folder = tmp_path / ship("deb").LIB / "_internal" / library.FOLDER
    folder.mkdir(parents=True)
    (folder / LIBRARY).touch()
    smoke._expect_quiet_graphics_library(tmp_path, "llama.cpp is loaded\n")
    with pytest.raises(refused, match="the program wrote: ggml_vulkan: no devices"):
        smoke._expect_quiet_graphics_library(tmp_path, "started\nggml_vulkan: no devices\n")
