"""What a build of ggml for Vulkan needs beside a C++ compiler: the headers of Vulkan and SPIR-V, and glslc, which
compiles shaders.

The system's are used if they are new enough. Otherwise, on Debian, the packages of a newer release are unpacked into a
folder of the checkout: nothing is installed, and no root is needed. On Windows they are those of the Vulkan SDK."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .apt_mirror import debian_mirror
from .console import say
from .errors import ChildFailed, Sentence, SetupError
from .process import run

MIN_HEADERS = (1, 3, 275)
"""The oldest Vulkan headers with everything that ggml uses, such as `vk::LayerSettingEXT`."""

SUITE = "trixie"
"""The Debian release whose packages are unpacked."""

PACKAGES = ("libvulkan-dev", "libvulkan1", "spirv-headers", "glslc", "libshaderc1", "libc6", "libstdc++6", "libgcc-s1")
"""The headers, and glslc with all libraries that it links: it is run with its own libc."""

KEYRING = Path("usr/share/keyrings/debian-archive-keyring.gpg")

_SHADER = """#version 450
#extension GL_EXT_integer_dot_product : require
void main() {}
"""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Headers and tools that were found."""

    headers: str = ""
    """The version of the Vulkan headers."""

    definitions: tuple[tuple[str, str], ...] = ()
    """CMake definitions with which ggml finds them; empty if CMake finds them itself."""

    has_integer_dot: bool = True
    """Whether glslc knows integer dot products, which quantized models are much faster with."""


def ensure(folder: Path, root: Path = Path("/")) -> Toolchain:
    """The toolchain to use. Packages are unpacked into `folder`, unless it has them. `root` is the root of the file
    system. Raises SetupError."""
    if sys.platform == "win32":
        return windows_sdk(os.environ)
    system = _system(root)
    if system is not None and system.has_integer_dot:
        return system
    try:
        return _debian(folder, root)
    except SetupError:
        # Without integer dot products the library is slower, but works.
        if system is None:
            raise
        return system


def windows_sdk(environ: Mapping[str, str]) -> Toolchain:
    """The Vulkan SDK in the folder that VULKAN_SDK names, where CMake's module for Vulkan looks too. Raises
    SetupError."""
    folder = Path(environ.get("VULKAN_SDK") or "missing")
    version = headers_version(folder / "Include")
    if version < MIN_HEADERS or not (folder / "Bin/glslc.exe").is_file():
        raise SetupError(
            Sentence(
                "The library for graphics cards needs the Vulkan SDK of version {version} or newer, in the folder that "
                "the environment variable VULKAN_SDK names: install it from vulkan.lunarg.com, or set GPU=off.",
                version=_text(MIN_HEADERS),
            )
        )
    return Toolchain(_text(version), (("CMAKE_PREFIX_PATH", folder.as_posix()),))


def _system(root: Path) -> Toolchain | None:
    """The system's toolchain; None if a part is missing or too old."""
    glslc = shutil.which("glslc")
    configs = [*root.glob("usr/share/cmake/SPIRV-Headers"), *root.glob("usr/lib*/**/cmake/SPIRV-Headers")]
    version = headers_version(root / "usr/include")
    if not glslc or not configs or version < MIN_HEADERS:
        return None
    command = [glslc, "-fshader-stage=compute", "-o", os.devnull, "-"]
    done = subprocess.run(command, input=_SHADER, capture_output=True, text=True)
    return Toolchain(_text(version), has_integer_dot=done.returncode == 0)


def headers_version(include: Path) -> tuple[int, int, int]:
    """The version of the Vulkan headers in a folder; zeros if there are none."""
    try:
        text = (include / "vulkan/vulkan_core.h").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return (0, 0, 0)
    patch = re.search(r"^#define VK_HEADER_VERSION (\d+)", text, re.MULTILINE)
    version = re.search(r"^#define VK_HEADER_VERSION_COMPLETE VK_MAKE_API_VERSION\(\d+, (\d+), (\d+),", text, re.M)
    return (int(version[1]), int(version[2]), int(patch[1])) if patch and version else (0, 0, 0)


def _debian(folder: Path, root: Path) -> Toolchain:
    made = folder / SUITE
    if not made.exists():
        part = folder / f"{SUITE}.part"
        shutil.rmtree(part, ignore_errors=True)
        _unpack(part, root)
        part.rename(made)
    return _unpacked(made)


def _unpack(folder: Path, root: Path) -> None:
    """Fetches the packages with apt, which verifies their signatures, and unpacks them into `folder`/root."""
    mirror = debian_mirror(SUITE) if shutil.which("apt-get") and shutil.which("dpkg-deb") else None
    if mirror is None or not (root / KEYRING).is_file():
        raise SetupError(
            Sentence(
                "The library for graphics cards needs glslc, SPIRV-Headers and the Vulkan headers of version "
                "{version} or newer: install the packages that hold them (glslc or shaderc, spirv-headers, "
                "libvulkan-dev or vulkan-headers).",
                version=_text(MIN_HEADERS),
            )
        )
    say("Fetching the tools that compile for graphics cards")
    for name in ("lists/partial", "cache/archives/partial", "debs", "root"):
        (folder / name).mkdir(parents=True)
    machine = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    sources = folder / "sources.list"
    options = f"signed-by=/{KEYRING} arch={machine.stdout.strip()}"
    sources.write_text(f"deb [{options}] {mirror} {SUITE} main\n", encoding="utf-8")
    apt = ["apt-get", *_apt_options(folder, sources)]
    task = "fetching the tools that compile for graphics cards"
    try:
        run([*apt, "update"], task)
        # apt writes packages into the folder in which it runs
        run(["sh", "-c", 'cd "$0" && exec "$@"', folder / "debs", *apt, "download", *PACKAGES], task)
    except ChildFailed as failure:
        raise SetupError(failure.args[0]) from failure
    for package in sorted((folder / "debs").glob("*.deb")):
        run(["dpkg-deb", "-x", package, folder / "root"], "unpacking the tools that compile for graphics cards")
    shutil.rmtree(folder / "debs")
    shutil.rmtree(folder / "cache")
    shutil.rmtree(folder / "lists")


def _apt_options(folder: Path, sources: Path) -> list[str]:
    """Options with which apt touches only files in `folder`. The proxy and certificates in its configuration apply."""
    settings = {
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": "/dev/null",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _unpacked(folder: Path) -> Toolchain:
    """The toolchain in a folder of unpacked packages. Writes a script that runs glslc with its own libc."""
    root = folder / "root"
    glslc = folder / "glslc"
    try:
        linker = next(path for path in sorted(root.glob("usr/lib*/ld-linux*.so.*")))
        libraries = next(root.glob("usr/lib/*-linux-gnu*"))
    except StopIteration:
        raise SetupError(
            Sentence(
                "The Debian packages in {folder} are incomplete: remove that folder, then start again.", folder=folder
            )
        ) from None
    program = root / "usr/bin/glslc"
    script = f'#!/bin/sh\nexec "{linker}" --library-path "{libraries}" "{program}" "$@"\n'
    if not glslc.exists() or glslc.read_text(encoding="utf-8") != script:
        glslc.write_text(script, encoding="utf-8")
        glslc.chmod(0o755)
    return Toolchain(
        _text(headers_version(root / "usr/include")),
        (
            ("Vulkan_INCLUDE_DIR", str(root / "usr/include")),
            ("Vulkan_LIBRARY", str(libraries / "libvulkan.so.1")),
            ("Vulkan_GLSLC_EXECUTABLE", str(glslc)),
            ("SPIRV-Headers_DIR", str(root / "usr/share/cmake/SPIRV-Headers")),
        ),
    )


def _text(version: tuple[int, int, int]) -> str:
    return ".".join(map(str, version))
