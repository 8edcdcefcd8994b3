"""Builds parts of a release: `python3 -m ship [PART ...]`, with `packaging` on PYTHONPATH.

Without PART it builds the freeze (the app as PyInstaller packs it), and all installers that can be built on this
system."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def _parts() -> dict[str, Callable[[], Path | None]]:
    from . import bill_of_materials, deb, freeze, macos, rpm, tarball, windows

    def frozen() -> None:
        freeze.make()

    installers: dict[str, Callable[[], Path | None]]
    if sys.platform == "win32":
        installers = {"nsis": windows.make}
    elif sys.platform == "darwin":
        installers = {"dmg": macos.make}
    else:
        installers = {"deb": deb.make_here, "tar": tarball.make, "rpm": rpm.make}
    return {"freeze": frozen, "sbom": bill_of_materials.publish, **installers}


def main(names: list[str]) -> int:
    """Builds the parts in order and returns the exit code. If there is an error, it is printed to stderr as one
    sentence, and the exit code is 1."""
    from bootstrap.console import say
    from bootstrap.errors import SetupError
    from bootstrap.process import start_log

    parts = _parts()
    unknown = [name for name in names if name not in parts]
    if unknown:
        print(f"Usage: ship [{'|'.join(parts)} ...]", file=sys.stderr)
        return 2
    start_log()
    try:
        built = [parts[name]() for name in parts if name in names or not names]
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"{Path(error.cmd[0]).name} failed, with {error.returncode}.", file=sys.stderr)
        return 1
    files = [path for path in built if path is not None]
    for path in files:
        say(f"{path.stat().st_size / 1e6:7.1f} MB  {path.name}")
    if files:
        _write_sums(files[0].parent)
    return 0


def _write_sums(folder: Path) -> None:
    """Writes the file SHA256SUMS with the hashes of all files in a folder, in the format of `sha256sum -c`."""
    lines = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name != "SHA256SUMS":
            with path.open("rb") as file:
                lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    # Child processes that run Python must not import modules from `packaging/`.
    os.environ.pop("PYTHONPATH", None)
    from bootstrap.__main__ import unsupported_python_reason

    problem = unsupported_python_reason()
    sys.exit(problem or main(sys.argv[1:]))
