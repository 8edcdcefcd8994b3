"""The build of a library for graphics cards. Fake tools take the place of uv, apt and cmake."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.devices import library_folders
from tests.packaging.checkout import ROOT, Checkout

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="libraries are built on Linux only")

Part = Callable[[str], ModuleType]

CMAKE = """#!/bin/sh
echo "$@" >> "{log}"
case "$1" in
    --build)
        echo "[1/4] Building CXX object"; echo "[4/4] Linking CXX shared module"
        {build}
        mkdir -p "$2/bin" && echo library > "$2/bin/libggml-${{4#ggml-}}.so" ;;
esac
"""


class Works:
    """A checkout folder for builds, with a fake uv that unpacks a fake cmake."""

    def __init__(self, folder: Path, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.backend, self.installs = folder, part("graphics_backend"), list[tuple[str, ...]]()
        self.cmake_build = "true"
        self.lines: list[str] = []
        paths = {"GPU": folder / "gpu", "GPU_WORK": folder / "gpu-work"}
        for name, place in paths.items():
            monkeypatch.setattr(self.backend, name, place)
        monkeypatch.setattr(part("process"), "LOG", folder / "setup.log")
        monkeypatch.setattr(part("checks"), "compiler", lambda: None)
        monkeypatch.setattr(part("checks"), "available_memory_bytes", lambda: None)
        toolchain = part("vulkan_toolchain")
        monkeypatch.setattr(
            toolchain, "ensure", lambda folder: toolchain.Toolchain("1.4.309", (("Vulkan_LIBRARY", "/v"),))
        )
        progress = part("build_progress").BuildProgress(as_json=True, write=self.lines.append)
        self.builder = self.backend.Builder(install=self._install, n_jobs=3, progress=progress)

    def _install(self, *args: object, **options: object) -> None:
        self.installs.append(tuple(map(str, args)))
        target = Path(self.installs[-1][self.installs[-1].index("--target") + 1])
        cmake = target / "cmake/data/bin/cmake"
        cmake.parent.mkdir(parents=True)
        cmake.write_text(CMAKE.format(log=self.folder / "cmake.log", build=self.cmake_build))
        cmake.chmod(0o755)
        (target / "ggml").mkdir()

    def cmake_calls(self) -> list[str]:
        return (self.folder / "cmake.log").read_text().splitlines()


@pytest.fixture
def works(tmp_path: Path, part: Part, monkeypatch: pytest.MonkeyPatch) -> Works:
    return Works(tmp_path, part, monkeypatch)


def test_library_is_built_from_locked_sources_with_locked_tools(works: Works) -> None:
    library = works.builder.ensure("vulkan")

    assert library.read_text() == "library\n"
    assert works.backend.headers_version("vulkan") == "1.4.309"
    tools, sources = works.installs
    assert all("--require-hashes" in args and "--no-deps" in args for args in works.installs)
    assert str(ROOT / "packaging/lock/build.txt") in tools
    assert "llama-cpp-python:wheel.packages=vendor/llama.cpp/ggml" in sources
    configure, build = works.cmake_calls()
    assert {"-DGGML_VULKAN=ON", "-DGGML_BACKEND_DL=ON", "-DGGML_NATIVE=OFF", "-DVulkan_LIBRARY=/v"} <= set(
        configure.split()
    )
    assert build.endswith("--target ggml-vulkan --parallel 3")
    percents = [json.loads(line)["percent"] for line in works.lines]
    assert percents == sorted(percents)
    assert percents[-1] == 99


def test_built_library_is_where_the_app_looks(works: Works, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    version = part("environment").locked_version(ROOT / "packaging/lock/runtime.txt", "llama-cpp-python")
    monkeypatch.setattr(library_folders, "_llama_version", lambda: version)
    assert library_folders.built_folder(ROOT) == part("graphics_backend").path("vulkan").parent


def test_current_library_is_not_built_again(works: Works) -> None:
    works.builder.ensure("vulkan")
    works.builder.ensure("vulkan")
    assert len(works.installs) == 2


def test_changed_settings_build_the_library_again(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    works.builder.ensure("vulkan")
    monkeypatch.setitem(works.backend.DEFINITIONS, "GGML_CPU", "ON")
    works.builder.ensure("vulkan")
    assert len(works.installs) == 4


def test_changed_code_of_ours_builds_the_library_again(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = works.folder / "llama-gpu"
    shutil.copytree(works.backend.LLAMA_GPU, ours)
    monkeypatch.setattr(works.backend, "LLAMA_GPU", ours)
    works.builder.ensure("vulkan")
    (ours / "guarded_calls.cpp").write_text("changed")
    works.builder.ensure("vulkan")
    assert len(works.installs) == 4


def test_new_llama_cpp_gets_a_library_of_its_own(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    old = works.builder.ensure("vulkan")
    monkeypatch.setattr(works.backend, "locked_version", lambda *_: "9.9.9")
    new = works.builder.ensure("vulkan")
    assert new != old
    assert not old.exists()


def test_failed_build_leaves_no_library_and_continues_without_fetching_again(works: Works, part: Part) -> None:
    works.cmake_build = "exit 2"
    with pytest.raises(part("errors").SetupError, match="Set-up stopped while compiling"):
        works.builder.ensure("vulkan")
    assert not works.backend.path("vulkan").exists()
    (works.folder / "gpu-work/tools/cmake/data/bin/cmake").write_text(
        CMAKE.format(log=works.folder / "cmake.log", build="true")
    )

    assert works.builder.ensure("vulkan").exists()
    assert len(works.installs) == 2
    assert not (works.folder / "gpu-work").exists()


@pytest.mark.parametrize(("kind", "tool"), [("cuda", "nvcc"), ("hip", "hipcc")])
def test_cuda_and_rocm_need_their_compiler(
    works: Works, part: Part, monkeypatch: pytest.MonkeyPatch, kind: str, tool: str
) -> None:
    monkeypatch.setattr(works.backend.shutil, "which", lambda name: None)
    monkeypatch.setattr(works.backend.Path, "is_file", lambda path: False)
    with pytest.raises(part("errors").SetupError, match=f"needs {tool}, which is not here"):
        works.builder.ensure(kind)


def test_cuda_library_is_built_with_the_compiler_that_was_found(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(works.backend.shutil, "which", lambda name: f"/cuda/bin/{name}")
    assert works.builder.ensure("cuda").name == "libggml-cuda.so"
    configure, build = works.cmake_calls()
    assert {"-DGGML_CUDA=ON", "-DCMAKE_CUDA_COMPILER=/cuda/bin/nvcc"} <= set(configure.split())
    assert "--target ggml-cuda" in build


def test_build_is_refused_without_enough_memory(works: Works, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part("checks"), "available_memory_bytes", lambda: 1_200_000_000)
    with pytest.raises(part("errors").SetupError, match="takes 3 GB of memory"):
        works.builder.ensure("vulkan")


@pytest.mark.parametrize(("n_processors", "free_gb", "n_jobs"), [(16, 64, 8), (16, 7, 2), (2, 1, 1), (1, 64, 1)])
def test_compilers_take_half_of_the_processors_as_far_as_memory_allows(
    part: Part, n_processors: int, free_gb: int, n_jobs: int
) -> None:
    assert part("graphics_backend").spare_jobs(n_processors, free_gb * 1_000_000_000) == n_jobs
    assert part("graphics_backend").spare_jobs(n_processors, None) == max(1, n_processors // 2)


def test_free_memory_is_read_from_proc(part: Part, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part("checks"), "_MEMINFO", tmp_path / "meminfo")
    assert part("checks").available_memory_bytes() is None
    (tmp_path / "meminfo").write_text("MemTotal: 200 kB\nMemFree: 50 kB\nMemAvailable: 100 kB\n")
    assert part("checks").available_memory_bytes() == 102_400


def test_unknown_kind_is_refused(works: Works, part: Part) -> None:
    with pytest.raises(part("errors").SetupError, match="GPU is vulkan, cuda, hip or off"):
        works.builder.ensure("metal")


def test_progress_for_people_is_a_line_per_ten_percent(part: Part) -> None:
    lines: list[str] = []
    progress = part("build_progress").BuildProgress(write=lines.append)
    for done in range(101):
        progress.line(f"[{done}/100] Building CXX object")
    assert len(lines) == 10
    assert lines[-1] == "Compiling for graphics cards, 90 %"


def test_progress_ignores_a_ninja_that_is_run_by_a_step_of_ninja(part: Part) -> None:
    lines: list[str] = []
    progress = part("build_progress").BuildProgress(as_json=True, write=lines.append)
    for line in ("[1/100] Building", "[1/2] Building the shader compiler", "[2/2] Linking", "[50/100] Building"):
        progress.line(line)
    assert [json.loads(line)["percent"] for line in lines] == [5, 52]


def test_set_up_without_a_choice_builds_nothing_for_graphics_cards(checkout: Checkout) -> None:
    checkout.make_venv()
    checkout.make_uv()
    checkout.install_llama()
    done = checkout.run("serve")
    assert done.returncode == 0, done.stderr
    assert not list(checkout.root.glob("build/gpu*"))
    assert not [call for call in checkout.uv_calls() if "ggml" in call or "build.txt" in call.partition("-r ")[2]]


def headers(include: Path, version: tuple[int, int, int]) -> None:
    (include / "vulkan").mkdir(parents=True)
    (include / "vulkan/vulkan_core.h").write_text(
        f"#define VK_HEADER_VERSION {version[2]}\n"
        f"#define VK_HEADER_VERSION_COMPLETE VK_MAKE_API_VERSION(0, {version[0]}, {version[1]}, VK_HEADER_VERSION)\n"
    )


class Machine:
    """A fake file system and fake programs on PATH for the choice of the toolchain."""

    def __init__(self, folder: Path, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.bin, self.folder = folder / "root", folder / "bin", folder / "work"
        self.bin.mkdir()
        self.root.mkdir()
        self.toolchain = part("vulkan_toolchain")
        monkeypatch.setenv("PATH", f"{self.bin}:/usr/bin:/bin")
        monkeypatch.setattr(part("process"), "LOG", folder / "setup.log")
        monkeypatch.setattr(self.toolchain, "debian_mirror", lambda suite: "mirror:/debian")

        def which(name: str) -> str | None:
            return str(self.bin / name) if (self.bin / name).exists() else None

        monkeypatch.setattr(self.toolchain.shutil, "which", which)

    def program(self, name: str, script: str) -> None:
        (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    def add_system_tools(self, version: tuple[int, int, int], *, has_integer_dot: bool = True) -> None:
        headers(self.root / "usr/include", version)
        (self.root / "usr/share/cmake/SPIRV-Headers").mkdir(parents=True)
        self.program("glslc", "true" if has_integer_dot else "echo 'extension not supported' >&2; exit 1")

    def add_apt(self) -> None:
        (self.root / self.toolchain.KEYRING).parent.mkdir(parents=True)
        (self.root / self.toolchain.KEYRING).touch()
        self.program(
            "apt-get", f'echo "$PWD $@" >> {self.bin.parent}/apt.log; case "$*" in *download*) touch a.deb;; esac'
        )
        self.program("dpkg", "echo amd64")
        unpack = 'mkdir -p "$3/usr/lib64" "$3/usr/lib/x86_64-linux-gnu"; touch "$3/usr/lib64/ld-linux-x86-64.so.2"'
        self.program("dpkg-deb", unpack)

    def ensure(self) -> Any:
        return self.toolchain.ensure(self.folder, self.root)


@pytest.fixture
def machine(tmp_path: Path, part: Part, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, part, monkeypatch)


def test_new_tools_of_the_system_are_used(machine: Machine) -> None:
    machine.add_system_tools((1, 4, 309))
    machine.add_apt()
    toolchain = machine.ensure()
    assert (toolchain.headers, toolchain.definitions) == ("1.4.309", ())


@pytest.mark.parametrize(("version", "has_integer_dot"), [((1, 3, 239), True), ((1, 3, 275), False)])
def test_old_tools_of_debian_are_replaced_by_unpacked_packages(
    machine: Machine, version: tuple[int, int, int], has_integer_dot: bool
) -> None:
    machine.add_system_tools(version, has_integer_dot=has_integer_dot)
    machine.add_apt()

    definitions = dict(machine.ensure().definitions)

    script = Path(definitions["Vulkan_GLSLC_EXECUTABLE"])
    assert os.access(script, os.X_OK)
    assert definitions["Vulkan_LIBRARY"].startswith(str(machine.folder))
    update, download = (machine.bin.parent / "apt.log").read_text().splitlines()
    assert "Dir::Etc::sourceparts=/dev/null" in update
    assert download.startswith(str(machine.folder / "trixie.part/debs"))
    assert download.endswith("download " + " ".join(machine.toolchain.PACKAGES))
    sources = (machine.folder / "trixie/sources.list").read_text()
    keyring = machine.toolchain.KEYRING
    assert sources == f"deb [signed-by=/{keyring} arch=amd64] mirror:/debian trixie main\n"
    machine.ensure()
    assert len((machine.bin.parent / "apt.log").read_text().splitlines()) == 2


def test_glslc_without_integer_dot_products_is_used_where_there_is_no_newer_one(machine: Machine) -> None:
    machine.add_system_tools((1, 3, 275), has_integer_dot=False)
    toolchain = machine.ensure()
    assert (toolchain.definitions, toolchain.has_integer_dot) == ((), False)


def test_missing_tools_elsewhere_than_on_debian_are_named(machine: Machine, part: Part) -> None:
    with pytest.raises(
        part("errors").SetupError, match=r"needs glslc, SPIRV-Headers and the Vulkan headers of version 1.3.275"
    ):
        machine.ensure()


def test_unreachable_mirror_is_one_sentence_and_leaves_no_toolchain(machine: Machine, part: Part) -> None:
    machine.add_apt()
    machine.program("apt-get", "echo 'Could not resolve deb.example' >&2; exit 100")
    with pytest.raises(part("errors").SetupError, match="check the network connection"):
        machine.ensure()
    assert not (machine.folder / "trixie").exists()


def test_mirror_is_that_of_apt(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = part("apt_mirror")
    lines = "a:/debian bookworm main\nb:/debian bookworm-updates main\nc:/security bookworm-security main\n"

    def run(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, lines, "")

    monkeypatch.setattr(mirror.subprocess, "run", run)
    assert mirror.debian_mirror("trixie") == "a:/debian"
    lines += "d:/debian trixie main\n"
    assert mirror.debian_mirror("trixie") == "d:/debian"
