"""Reads and modifies ELF programs and libraries of a Linux freeze."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

_NEEDED = re.compile(r"\(NEEDED\).*\[(.+)\]")


def files(folder: Path) -> list[Path]:
    """All programs and libraries below `folder`. Symbolic links are left out."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and _is_elf(path))


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def needed(paths: Iterable[Path]) -> set[str]:
    """The names of all libraries that the files in `paths` link to."""
    done = subprocess.run(["readelf", "-d", *paths], capture_output=True, text=True, check=True)
    return set(_NEEDED.findall(done.stdout))


def system_libraries(binaries: Iterable[tuple[str, str]]) -> list[str]:
    """The libraries in a freeze that were copied from system folders, by their names in the freeze.

    libpython is left out even if it is the system's: other systems have another version of it."""
    places = ("/lib/", "/lib64/", "/usr/lib/")
    top = [(name, source) for name, source in binaries if "/" not in name and not name.startswith("libpython")]
    return [name for name, source in top if source.startswith(places)]


def drop_orphans(folder: Path, system: set[str]) -> None:
    """Removes system libraries that no file in the freeze links to any more."""
    while True:
        wanted = needed(files(folder))
        orphans = [folder / name for name in system if Path(name).name not in wanted and (folder / name).exists()]
        if not orphans:
            break
        for path in orphans:
            path.unlink()
    for path in folder.rglob("*"):
        if path.is_symlink() and not path.exists():
            path.unlink()


def strip(folder: Path, patchelf: Path) -> None:
    """Removes debug symbols and the build machine's library search paths.

    The libraries in numpy's wheel that auditwheel changed are skipped, since stripping would break them."""
    plain = [path for path in files(folder) if not path.parent.name.endswith(".libs")]
    for path in plain:
        subprocess.run(["strip", "--strip-unneeded", path], check=True)
        if has_absolute_search_path(path):
            subprocess.run([patchelf, "--remove-rpath", path], check=True)


def has_absolute_search_path(path: Path) -> bool:
    """Whether a library has a search path that is not relative to the library's own folder."""
    done = subprocess.run(["readelf", "-d", path], capture_output=True, text=True, check=True)
    found = re.search(r"\(R(?:UN)?PATH\).*\[(.+)\]", done.stdout)
    return found is not None and not all(each.startswith("$ORIGIN") for each in found[1].split(":"))
