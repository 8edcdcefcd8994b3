"""Builds the library with which llama.cpp computes on graphics cards, from the sources of the locked llama-cpp-python.

The library is loaded beside the installed llama.cpp, which stays as it is. The sources and the build tools are those of
the lock files, fetched by uv, which verifies their hashes. An interrupted build continues where it stopped."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import checks, graphics_cmake, vulkan_toolchain
from .build_progress import BuildProgress
from .environment import LLAMA, install, locked_version, split_lock
from .errors import Sentence, SetupError
from .paths import GPU, GPU_WORK, LLAMA_GPU, LOCKS, LOG
from .process import run, shown

COMPILE_GB = 3.0
"""What the largest file of Vulkan's library takes to compile, as measured with GCC 12."""

DEFINITIONS = {
    "CMAKE_BUILD_TYPE": "Release",
    **({} if sys.platform == "win32" else {"CMAKE_MODULE_LINKER_FLAGS": "-s"}),
    "GGML_BACKEND_DL": "ON",
    "GGML_CPU": "OFF",
    "GGML_OPENMP": "OFF",
    "GGML_CCACHE": "OFF",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of library. `tool` is the compiler that it needs beside C++, and `places` are paths where it may be."""

    definitions: dict[str, str]
    tool: str = ""
    places: tuple[str, ...] = ()
    compiler_definition: str = ""


KINDS = {
    # Without GGML_NATIVE one build suits every processor, so it can be shipped.
    "vulkan": Kind({"GGML_VULKAN": "ON", "GGML_NATIVE": "OFF"}),
    # These are built for the cards in this machine, and find the libraries of their toolkit where it is installed.
    "cuda": Kind(
        {"GGML_CUDA": "ON", "CMAKE_INSTALL_RPATH_USE_LINK_PATH": "ON"},
        "nvcc",
        ("/usr/local/cuda/bin/nvcc", "/opt/cuda/bin/nvcc"),
        "CMAKE_CUDA_COMPILER",
    ),
    "hip": Kind(
        {"GGML_HIP": "ON", "CMAKE_INSTALL_RPATH_USE_LINK_PATH": "ON"},
        "hipcc",
        ("/opt/rocm/bin/hipcc",),
    ),
}


@dataclass(frozen=True)
class Builder:
    """How libraries are built: `install` runs `uv pip install`, and `n_jobs` compilers run at once."""

    install: Callable[..., None] = install
    n_jobs: int = field(default_factory=lambda: spare_jobs(os.cpu_count() or 1, checks.available_memory_bytes()))
    progress: BuildProgress = field(default_factory=BuildProgress)

    def ensure(self, kind: str) -> Path:
        """The library of a kind, one of KINDS. It is built unless there is one of the locked version and these
        settings, which takes minutes. Raises SetupError."""
        if kind not in KINDS:
            raise SetupError(
                Sentence(
                    "There is no library for graphics cards called {kind}: GPU is {kinds} or off.",
                    kind=kind,
                    kinds=", ".join(KINDS),
                )
            )
        library, stamp = path(kind), path(kind).with_suffix(".made-for")
        if _is_current(kind):
            return library
        with _exclusive():
            if not _is_current(kind):
                built, headers = self._build(kind)
                library.parent.mkdir(parents=True, exist_ok=True)
                built.replace(library)
                stamp.write_text(json.dumps({"digest": _expected_digest(kind), "headers": headers}), encoding="utf-8")
                _remove_leftovers(library.parent)
        return library

    def _build(self, kind: str) -> tuple[Path, str]:
        """Builds a library. Returns its path, and the version of the Vulkan headers for Vulkan's."""
        if sys.platform != "win32":  # on Windows CMake finds Visual Studio itself
            checks.compiler()
        checks.memory(COMPILE_GB)
        definitions = DEFINITIONS | KINDS[kind].definitions | _compiler(kind)
        headers = ""
        if kind == "vulkan":
            toolchain = vulkan_toolchain.ensure(GPU_WORK / "vulkan-toolchain")
            definitions |= dict(toolchain.definitions)
            headers = toolchain.headers
        self.progress.report(2)
        tools, sources = self._fetch()
        self.progress.report(4)
        folder = GPU_WORK / f"{kind}-{_expected_digest(kind)[:16]}"
        commands = graphics_cmake.commands(kind, folder, tools, sources, definitions, self.n_jobs)
        task = "compiling llama.cpp's library for graphics cards"
        run(commands.configure, task)
        run(commands.build, task, on_line=self.progress.line)
        if not commands.library.is_file():
            raise SetupError(
                Sentence(
                    "The library {kind} for graphics cards was not built: the reason is in {log}.",
                    kind=kind,
                    log=shown(LOG),
                )
            )
        return commands.library, headers

    def _fetch(self) -> tuple[Path, Path]:
        """Unpacks the build tools and the sources of ggml, and returns their folders."""
        tools, sources = GPU_WORK / "tools", GPU_WORK / "sources"
        task = "fetching what llama.cpp is built with"
        locked = GPU_WORK / "llama.txt"
        locked.write_text(_locked(), encoding="utf-8")
        _into(tools, lambda part: self.install(
            "--no-deps", "--require-hashes", "--target", part, "-r", LOCKS / "build.txt", task=task
        ))  # fmt: skip
        # With these settings the sdist becomes a wheel that holds the sources, and nothing is compiled.
        settings = [f"{LLAMA}:wheel.cmake=false", f"{LLAMA}:wheel.packages=vendor/llama.cpp/ggml"]
        options = [word for setting in settings for word in ("--config-settings-package", setting)]
        _into(sources, lambda part: self.install(
            "--no-deps", "--require-hashes", "--build-constraints", LOCKS / "build.txt", *options,
            "--target", part, "-r", locked, task="fetching the sources of llama.cpp"
        ))  # fmt: skip
        return tools, sources / "ggml"


def spare_jobs(n_processors: int, free_bytes: int | None) -> int:
    """How many compilers to run beside the app: half of the processors, as far as the free memory allows."""
    fitting = n_processors if free_bytes is None else int(free_bytes / (COMPILE_GB * checks.GB))
    return max(1, min(n_processors // 2, fitting))


def path(kind: str) -> Path:
    """Where the library of a kind is put: in a folder of its llama.cpp's version."""
    return GPU / locked_version(LOCKS / "runtime.txt", LLAMA) / graphics_cmake.file_name(kind)


def headers_version(kind: str) -> str:
    """The version of the Vulkan headers that the library was built with; empty for other kinds."""
    return _made_for(kind).get("headers", "")


@contextlib.contextmanager
def _exclusive() -> Iterator[None]:
    """Creates the folder of the build, and holds a lock file, so that only one build at a time works there. Windows has
    no such lock: there only packages are built."""
    GPU_WORK.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with (GPU_WORK.parent / "gpu.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _made_for(kind: str) -> dict[str, str]:
    """What is recorded of the library that is there; empty if there is none."""
    stamp = path(kind).with_suffix(".made-for")
    try:
        found = json.loads(stamp.read_text(encoding="utf-8")) if path(kind).is_file() else {}
        return {str(name): str(value) for name, value in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _is_current(kind: str) -> bool:
    return _made_for(kind).get("digest") == _expected_digest(kind)


def _locked() -> str:
    return split_lock((LOCKS / "runtime.txt").read_text(encoding="utf-8"))[0]


def _expected_digest(kind: str) -> str:
    """A digest of all inputs of the build but the toolchain."""
    sha256 = hashlib.sha256(json.dumps([_locked(), DEFINITIONS, KINDS[kind].definitions]).encode())
    for file in (LOCKS / "build.txt", LLAMA_GPU / "CMakeLists.txt", LLAMA_GPU / "guarded_calls.cpp"):
        sha256.update(file.read_bytes())
    return sha256.hexdigest()


def _compiler(kind: str) -> dict[str, str]:
    """The definition that names the compiler of a kind. Raises SetupError if there is none."""
    wanted = KINDS[kind]
    if not wanted.tool:
        return {}
    found = shutil.which(wanted.tool) or next((place for place in wanted.places if Path(place).is_file()), None)
    if found is None:
        raise SetupError(
            Sentence(
                "The library {kind} for graphics cards needs {tool}, which is not here: install its toolkit, or start "
                "with GPU=vulkan.",
                kind=kind,
                tool=wanted.tool,
            )
        )
    return {wanted.compiler_definition: found} if wanted.compiler_definition else {}


def _into(folder: Path, fill: Callable[[Path], None]) -> None:
    """Creates a folder that is never there incompletely."""
    if folder.exists():
        return
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    fill(part)
    part.rename(folder)


def _remove_leftovers(current: Path) -> None:
    """Removes the files of the build, and libraries for other versions of llama.cpp."""
    for folder in (GPU_WORK, *(each for each in GPU.iterdir() if each != current)):
        shutil.rmtree(folder, ignore_errors=True)
