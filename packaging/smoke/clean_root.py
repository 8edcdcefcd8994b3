"""A minimal Debian system in a folder, as after a fresh installation."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bootstrap.apt_mirror import debian_mirror
from bootstrap.console import say
from bootstrap.errors import SetupError
from ship.paths import SHIP

SUITE = "bookworm"
USER, USER_ID = "ada", 1500
_FOLDER = SHIP.parent / "smoke"

# Paths that `listing` leaves out: user data, files of apt and dpkg, and files that the system regenerates.
_IGNORED = ("home/", "proc/", "sys/", "dev/", "run/", "tmp/", "var/cache/", "var/lib/apt/", "var/lib/dpkg/",
    "var/log/", "etc/ld.so.cache", "etc/resolv.conf", "usr/share/mime/")  # fmt: skip

_IN_ROOT = """
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
exec chroot --userspec="$WHO" "$ROOT" "$@"
"""


class CleanRoot:
    """A Debian system in the folder build/smoke/`name`. `suite` is the Debian release.

    Commands run in it by chroot. Each has a mount namespace of its own."""

    def __init__(self, suite: str = SUITE, name: str = "root") -> None:
        self.suite = suite
        self.path = _FOLDER / name
        self._base = _FOLDER / f"{suite}.tar"
        self.home = self.path / "home" / USER

    def make(self) -> None:
        """Creates the system anew from a saved copy. The first call creates this copy with debootstrap."""
        if os.geteuid() != 0 or shutil.which("debootstrap") is None:
            raise SetupError("A test in a clean Debian needs root and debootstrap, on Debian or Ubuntu.")
        shutil.rmtree(self.path, ignore_errors=True)
        _FOLDER.mkdir(parents=True, exist_ok=True)
        if not self._base.exists():
            self._make_base()
        self.path.mkdir()
        subprocess.run(["tar", "-xpf", self._base, "-C", self.path], check=True)
        # The clean Debian uses the network settings of this machine.
        for name in ("resolv.conf", "hosts"):
            shutil.copyfile(f"/etc/{name}", self.path / "etc" / name)
        self.run("useradd", "--create-home", "--uid", str(USER_ID), USER)
        self.run("apt-get", "update", "-q")

    def _make_base(self) -> None:
        say(f"Making a clean {self.suite} (once)")
        new = _FOLDER / f"new-{self.suite}"
        shutil.rmtree(new, ignore_errors=True)
        log = _FOLDER / f"debootstrap-{self.suite}.log"
        mirror = debian_mirror(self.suite)  # by default debootstrap knows one
        command = ["debootstrap", "--variant=minbase", self.suite, str(new), *([mirror] if mirror else [])]
        with log.open("w") as output:
            code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT).returncode
        if code != 0:
            raise SetupError(f"debootstrap could not make a clean Debian: the reason is in {log}.")
        (new / "etc/apt/apt.conf.d/80smoke").write_text(_apt_settings())
        part = self._base.with_suffix(".part")
        subprocess.run(["tar", "-cpf", part, "--numeric-owner", "-C", new, "."], check=True)
        part.replace(self._base)
        shutil.rmtree(new)

    def command(self, *argv: str, as_user: bool = False, environment: dict[str, str] | None = None) -> list[str]:
        """The command that runs `argv` in the root, as root or as the user, with a clean environment."""
        base = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        ids = f"{USER_ID}:{USER_ID}" if as_user else "0:0"
        home = f"/home/{USER}" if as_user else "/root"
        variables = [f"{name}={value}" for name, value in (base | {"HOME": home} | (environment or {})).items()]
        script = ["unshare", "--mount", "sh", "-ec", _IN_ROOT, "sh"]
        return ["env", f"ROOT={self.path}", f"WHO={ids}", *script, "env", "-i", *variables, *argv]

    def run(self, *argv: str) -> str:
        """Runs a command as root. Raises SetupError with the end of its output."""
        done = subprocess.run(self.command(*argv), capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise SetupError(f"{' '.join(argv)} failed in the clean Debian: {(done.stdout + done.stderr)[-1500:]}")
        return done.stdout

    def install(self, deb: Path, without: Sequence[str] = ()) -> None:
        """Installs a package with apt, without those packages that it recommends and `without` names."""
        (self.path / "tmp").mkdir(exist_ok=True)
        shutil.copyfile(deb, self.path / "tmp" / deb.name)
        self.run("apt-get", "install", "-q", "-y", f"/tmp/{deb.name}", *(f"{name}-" for name in without))
        (self.path / "tmp" / deb.name).unlink()

    def listing(self) -> set[str]:
        """The paths of all files. User data, files of apt and dpkg, and files that the system regenerates are left
        out."""
        found = (str(path.relative_to(self.path)) for path in self.path.rglob("*") if not path.is_dir())
        return {name for name in found if not name.startswith(_IGNORED)}


def _apt_settings() -> str:
    """The settings for date checks in this machine's apt configuration. They matter if the mirror is an older
    snapshot."""
    done = subprocess.run(["apt-config", "dump"], capture_output=True, text=True)
    kept = ("Acquire::Check-Valid-Until ", "Acquire::Check-Date ")
    return "".join(f"{line}\n" for line in done.stdout.splitlines() if line.startswith(kept))
