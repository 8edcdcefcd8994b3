"""The command lines that build a library for graphics cards. Nobody has run those for Windows: they are compared with
what is known of CMake and Visual Studio."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from types import ModuleType
from typing import Any

import pytest

from engine.devices import backend_libraries
from tests.packaging.test_graphics_backend import headers

Part = Callable[[str], ModuleType]
WORK = Path("work")


def commands(part: Part, system: str, sources: Any = WORK / "ggml") -> Any:
    definitions = {"GGML_VULKAN": "ON"}
    cmake = part("graphics_cmake")
    return cmake.commands("vulkan", WORK / "vulkan", WORK / "tools", sources, definitions, 3, system)


@pytest.mark.parametrize("system", ["linux", "win32"])
@pytest.mark.parametrize("kind", backend_libraries.KINDS)
def test_library_has_the_name_that_the_app_looks_for(
    part: Part, monkeypatch: pytest.MonkeyPatch, system: str, kind: str
) -> None:
    wanted = part("graphics_cmake").file_name(kind, system)
    monkeypatch.setattr(sys, "platform", system)
    assert backend_libraries.file_name(kind) == wanted


def test_linux_builds_with_the_locked_ninja(part: Part) -> None:
    found = commands(part, "linux")
    assert found.configure[0] == WORK / "tools/cmake/data/bin/cmake"
    assert {"Ninja", f"-DCMAKE_MAKE_PROGRAM={WORK / 'tools/bin/ninja'}", "-DGGML_VULKAN=ON"} <= set(found.configure)
    assert found.build[1:] == ("--build", WORK / "vulkan", "--target", "ggml-vulkan", "--parallel", "3")
    assert found.library == WORK / "vulkan/bin/libggml-vulkan.so"


def test_windows_builds_a_release_with_visual_studio(part: Part) -> None:
    found = commands(part, "win32", PureWindowsPath(r"D:\a\ggml"))
    assert found.configure[0] == WORK / "tools/cmake/data/bin/cmake.exe"
    assert {"-A", "x64", "-DGGML_SOURCE=D:/a/ggml", "-DGGML_VULKAN=ON"} <= set(found.configure)
    assert "Ninja" not in found.configure
    assert found.build[1:] == (
        *("--build", WORK / "vulkan", "--config", "Release", "--target", "ggml-vulkan", "--parallel", "3"),
    )
    assert found.library == WORK / "vulkan/bin/Release/ggml-vulkan.dll"


def test_windows_takes_headers_and_glslc_of_the_vulkan_sdk(part: Part, tmp_path: Path) -> None:
    headers(tmp_path / "Include", (1, 4, 313))
    (tmp_path / "Bin").mkdir()
    (tmp_path / "Bin/glslc.exe").touch()
    toolchain = part("vulkan_toolchain").windows_sdk({"VULKAN_SDK": str(tmp_path)})
    assert (toolchain.headers, dict(toolchain.definitions)) == ("1.4.313", {"CMAKE_PREFIX_PATH": tmp_path.as_posix()})


@pytest.mark.parametrize("version", [None, (1, 3, 239)])
def test_missing_or_old_vulkan_sdk_is_named(part: Part, tmp_path: Path, version: tuple[int, int, int] | None) -> None:
    environ = {}
    if version is not None:
        headers(tmp_path / "Include", version)
        environ = {"VULKAN_SDK": str(tmp_path)}
    with pytest.raises(part("errors").SetupError, match=r"needs the Vulkan SDK of version 1\.3\.275 or newer"):
        part("vulkan_toolchain").windows_sdk(environ)
