"""Collects the licences of everything in a freeze, and writes a bill of materials (CycloneDX 1.5)."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bootstrap.paths import ROOT

from . import graphics_library
from .paths import APP, DIST, PACKAGING, PYTHON, version

Frozen = dict[str, list[tuple[str, str]]]
"""The files of a freeze by kind. Each file is a pair: its name in the freeze, and the path that it was copied from."""

SBOM = "inglenook.cdx.json"
# These licences are more precise than those in the metadata of the packages. The freeze contains only the bootloader of
# PyInstaller.
_LICENCE_OVERRIDES = {"Jinja2": "BSD-3-Clause", "pyinstaller": "GPL-2.0-or-later WITH Bootloader-exception"}
# SPDX identifiers for licence names that packages use in their metadata.
_SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "PSFL": "PSF-2.0",
}
_EXPRESSION = re.compile(r"[\w.+-]+( (AND|OR|WITH) [\w.+-]+)*")
_OWN_TEXTS = {
    "LICENSE": "Inglenook.txt",
    "resources/icons/LICENSE": "icons.txt",
    "packaging/licences/README.md": "README.md",
    "packaging/licences/LGPL-3.0.txt": "LGPL-3.0.txt",
    "packaging/licences/GPL-3.0.txt": "GPL-3.0.txt",
    "packaging/licences/llama.cpp.txt": "llama.cpp.txt",
    "packaging/licences/vulkan-headers.txt": "vulkan-headers.txt",
    # latex2mathml's own wheel contains no licence text.
    "packaging/licences/latex2mathml.txt": "latex2mathml.txt",
}


def write(frozen: Frozen, internal: Path, folder: Path) -> None:
    """Writes the licence texts and the bill of materials into `folder`.

    `frozen` lists the files that PyInstaller collected, and `internal` is the folder that contains them. Libraries that
    were removed from this folder are left out."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sources = sources_of(frozen, internal)
    included = [each for each in _installed() if sources.intersection(map(os.path.realpath, each["files"]))]
    for each in included:
        _copy_texts({text_name(text): Path(text) for text in each["texts"]}, folder / each["name"])
    system = _system_packages(sources)
    for package in system:
        _copy_texts({"copyright": Path("/usr/share/doc") / package["name"] / "copyright"}, folder / package["name"])
    for source, name in _OWN_TEXTS.items():
        shutil.copyfile(ROOT / source, folder / name)
    shutil.copyfile(_python_licence(), folder / "Python.txt")
    bill = bom(
        [component(each, "pypi") for each in included],
        [component(each, "deb/debian") for each in system],
        graphics_library.components(internal),
    )
    (folder / SBOM).write_text(json.dumps(bill, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def publish() -> Path:
    """Copies the bill of materials into the folder of the installers. The name of the copy contains the operating
    system and the processor architecture. Returns its path."""
    system = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
    DIST.mkdir(exist_ok=True)
    path = DIST / f"inglenook-{version()}-{system}-{platform.machine().lower()}.cdx.json"
    return Path(shutil.copyfile(APP / "licences" / SBOM, path))


def sources_of(frozen: Frozen, internal: Path) -> set[str]:
    """The paths that the files of a freeze were copied from. Libraries that were removed from the freeze are left
    out."""
    kept = [(name, source) for name, source in frozen["binaries"] if (internal / name).exists()]
    return {os.path.realpath(source) for _, source in [*frozen["pure"], *frozen["datas"], *kept] if source}


def component(package: dict[str, Any], kind: str) -> dict[str, Any]:
    """Describes a package as a CycloneDX component. `kind` is the package type in its purl (package URL)."""
    name = str(package["name"])
    purl_name = name.lower().replace("_", "-") if kind == "pypi" else name
    entry = {
        "type": "library",
        "name": name,
        "version": package["version"],
        "purl": f"pkg:{kind}/{purl_name}@{package['version']}",
    }
    if licence := _LICENCE_OVERRIDES.get(name, package.get("licence")):
        licence = _SPDX.get(licence, licence)
        is_spdx = _EXPRESSION.fullmatch(licence)
        entry["licenses"] = [{"expression": licence} if is_spdx else {"license": {"name": licence}}]
    return entry


def text_name(path: str) -> str:
    """The relative path under which a licence text is stored. It includes folders, since several parts of numpy have a
    file LICENSE.md."""
    inner = path.replace("\\", "/").rpartition(".dist-info/")[2]
    return inner.removeprefix("licenses/")


def bom(
    python: list[dict[str, Any]], system: list[dict[str, Any]], graphics: Sequence[tuple[str, str, str]] = ()
) -> dict[str, Any]:
    """Builds the bill of materials from components of Python packages (`python`) and of Debian packages (`system`), and
    from name, version and licence of what is in the library for graphics cards (`graphics`)."""
    others: list[dict[str, Any]] = [
        _fixed_component("platform", "CPython", platform.python_version(), "PSF-2.0"),
        _fixed_component(
            "library", "llama.cpp", f"as in llama-cpp-python {_version(python, 'llama_cpp_python')}", "MIT"
        ),
        _fixed_component("framework", "Qt", _version(python, "PySide6_Essentials"), "LGPL-3.0-only"),
        _fixed_component("machine-learning-model", "SmolLM2-135M-Instruct", "Q4_1", "Apache-2.0"),
        *(_fixed_component("library", *each) for each in graphics),
    ]
    components = [*sorted(python, key=lambda each: str(each["name"]).lower()), *system, *others]
    # The serial number is a hash of the components, so that the same build always gives the same file.
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(components, sort_keys=True))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": _fixed_component("application", "Inglenook", version(), "Apache-2.0")},
        "components": components,
    }


def _fixed_component(kind: str, name: str, of: str, licence: str) -> dict[str, Any]:
    return {"type": kind, "name": name, "version": of, "licenses": [{"license": {"id": licence}}]}


def _version(components: list[dict[str, Any]], name: str) -> str:
    return next((str(each["version"]) for each in components if each["name"] == name), "unknown")


def _installed() -> list[dict[str, Any]]:
    script = PACKAGING / "ship" / "distributions.py"
    done = subprocess.run([PYTHON, script], capture_output=True, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _system_packages(sources: set[str]) -> list[dict[str, Any]]:
    """The Debian packages that contain the system libraries in the freeze. Empty on systems without dpkg."""
    if not shutil.which("dpkg-query"):
        return []
    paths = [path for path in sources if path.startswith(("/usr/lib", "/lib"))]
    done = subprocess.run(["dpkg-query", "-S", *paths, *_unmerged(paths)], capture_output=True, text=True)
    names = sorted({line.partition(":")[0] for line in done.stdout.splitlines()})
    if not names:
        return []
    shown = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *names], capture_output=True, text=True, check=True
    )
    return [{"name": name, "version": of} for name, of in map(str.split, shown.stdout.splitlines())]


def _unmerged(paths: list[str]) -> list[str]:
    """The paths in /lib of files in /usr/lib. dpkg lists some of these files only with their path in /lib."""
    return [path.removeprefix("/usr") for path in paths if path.startswith("/usr/lib")]


def _copy_texts(texts: dict[str, Path], folder: Path) -> None:
    for name, text in texts.items():
        if text.is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(text, folder / name)


def _python_licence() -> Path:
    places = [Path(sys.base_prefix) / "LICENSE.txt", *Path(sys.base_prefix).glob("lib/python3*/LICENSE.txt")]
    places.append(Path("/usr/share/doc") / f"python3.{sys.version_info[1]}" / "copyright")
    return next(place for place in places if place.is_file())
