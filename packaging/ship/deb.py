"""Builds the .deb for Debian 12, Ubuntu 24.04 and newer releases.

The package has no postinst and no postrm script. The triggers of desktop-file-utils and hicolor-icon-theme update the
caches of menus and icons. There is no service to stop, and user data is not removed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from bootstrap.console import say
from bootstrap.errors import SetupError
from bootstrap.system_packages import listed

from . import elf, freeze, graphics_library, linux_files
from .paths import APP, DIST, SHIP, version

MAINTAINER = "The Inglenook maintainers <maintainers@inglenook.invalid>"
LIB = Path("usr/lib/inglenook")
_DESCRIPTION = """\
chat with a language model that runs on this computer
 Inglenook is a chat window for language models on your own computer, and a
 local API that shares the same model with your other tools: one model in
 memory, many seats around it. A small model comes along, so that the first
 start works without a network."""


def architecture() -> str:
    """This machine's architecture, by Debian's name for it."""
    done = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def make_here() -> Path | None:
    """Builds the .deb, or returns None if the Debian tools are missing."""
    if shutil.which("dpkg-deb") is None or shutil.which("dpkg-shlibdeps") is None:
        say("There is no dpkg-dev here, so no .deb is made")
        return None
    return make()


def make() -> Path:
    """Builds the .deb from the frozen app."""
    say(f"Packing the .deb of {version()}")
    root = SHIP / "deb"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(APP, root / LIB, symlinks=True, ignore=shutil.ignore_patterns("licences"))
    _remove_system_libraries(root / LIB / "_internal")
    programs = root / "usr/bin"
    programs.mkdir()
    for name in ("inglenook", "inglenook-serve"):
        (programs / name).symlink_to(f"../lib/inglenook/{name}")
    linux_files.write(root / "usr")
    _write_documents(root / "usr/share")
    _set_modes(root)
    _write_control(root)
    DIST.mkdir(exist_ok=True)
    path = DIST / f"inglenook_{version()}_{architecture()}.deb"
    compression = ("-Zxz", "-z9", "--threads-max=2")
    env = {**os.environ, "SOURCE_DATE_EPOCH": str(linux_files.build_time_s())}
    subprocess.run(["dpkg-deb", "--root-owner-group", *compression, "--build", root, path], check=True, env=env)
    return path


def _remove_system_libraries(internal: Path) -> None:
    """Removes libraries that Debian packages provide. The .deb depends on these packages instead, so that security
    updates of Debian apply to the libraries."""
    for name in elf.system_libraries(freeze.frozen()["binaries"]):
        (internal / name).unlink(missing_ok=True)
    for path in internal.rglob("*"):
        if path.is_symlink() and not path.exists():
            path.unlink()


def _write_documents(folder: Path) -> None:
    doc = folder / "doc/inglenook"
    shutil.copyfile(linux_files.LINUX / "copyright.in", doc / "copyright")
    when = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(linux_files.build_time_s()))
    entry = f"inglenook ({version()}) stable; urgency=medium\n\n  * See changelog.gz.\n\n -- {MAINTAINER}  {when}\n"
    linux_files.compress(doc / "changelog.Debian.gz", entry)
    overrides = folder / "lintian/overrides/inglenook"
    overrides.parent.mkdir(parents=True)
    shutil.copyfile(linux_files.LINUX / "lintian-overrides", overrides)


def _set_modes(root: Path) -> None:
    """Sets the file modes that Debian's policy requires. They do not depend on the umask."""
    for path in [root, *root.rglob("*")]:
        if path.is_symlink():
            continue
        program = path.is_dir() or path.parent == root / LIB
        path.chmod(0o755 if program else 0o644)


def _write_control(root: Path) -> None:
    size_kb = sum(path.lstat().st_size for path in root.rglob("*") if not path.is_dir()) // 1024
    optional = [package.name for package in listed() if package.use in ("fonts", "graphics")]
    fields = {
        "Package": "inglenook",
        "Version": version(),
        "Architecture": architecture(),
        "Maintainer": MAINTAINER,
        "Installed-Size": str(size_kb),
        "Depends": dependencies(root),
        "Recommends": ", ".join([*optional, "fontconfig"]),
        "Section": "utils",
        "Priority": "optional",
        "Description": _DESCRIPTION,
    }
    folder = root / "DEBIAN"
    folder.mkdir()
    text = "".join(f"{name}: {value}\n" for name, value in fields.items())
    (folder / "control").write_text(text, encoding="utf-8")
    sums = subprocess.run(
        "find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum",
        shell=True, cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    (folder / "md5sums").write_text(sums.stdout, encoding="utf-8")


def dependencies(root: Path) -> str:
    """The Depends field of the .deb: the packages of all libraries that the program links but does not include. They
    are found by dpkg-shlibdeps. The library for graphics cards is left out: without the loader that it links, it is not
    used."""
    work = SHIP / "shlibdeps"
    (work / "debian").mkdir(parents=True, exist_ok=True)
    (work / "debian/control").write_text("Source: inglenook\n\nPackage: inglenook\nArchitecture: any\n")
    graphics = root / LIB / "_internal" / graphics_library.FOLDER
    binaries = [path for path in elf.files(root / LIB) if path.parent != graphics]
    folders = {path.parent for path in binaries}
    command = ["dpkg-shlibdeps", "-O", "--ignore-missing-info", *(f"-l{folder}" for folder in sorted(folders))]
    done = subprocess.run([*command, *(f"-e{path}" for path in binaries)], cwd=work, capture_output=True, text=True)
    found = re.search(r"^shlibs:Depends=(.*)$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or found is None:
        raise SetupError(f"dpkg-shlibdeps could not find the dependencies of the .deb: {done.stderr.strip()[-800:]}")
    return found[1]
