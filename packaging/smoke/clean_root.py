"""A Debian of its own in a folder, as it is right after it was installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bootstrap.console import say
from bootstrap.errors import SetupError
from ship.places import SHIP

SUITE = "bookworm"
PERSON, NUMBER = "ada", 1500
_FOLDER = SHIP.parent / "smoke"
_BASE = _FOLDER / f"{SUITE}.tar"

# What apt and dpkg keep for themselves, and what the system makes anew by itself.
_NOT_COUNTED = ("home/", "proc/", "sys/", "dev/", "run/", "tmp/", "var/cache/", "var/lib/apt/", "var/lib/dpkg/",
    "var/log/", "etc/ld.so.cache", "etc/resolv.conf", "usr/share/mime/")  # fmt: skip

_IN_ROOT = """
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
exec chroot --userspec="$WHO" "$ROOT" "$@"
"""


class CleanRoot:
    """Everything in it runs with mounts of its own, which end with it."""

    def __init__(self) -> None:
        self.path = _FOLDER / "root"
        self.home = self.path / "home" / PERSON

    def make(self) -> None:
        """Lays it anew, from a copy that the first time makes by debootstrap."""
        if os.geteuid() != 0 or shutil.which("debootstrap") is None:
            raise SetupError("The trial of the .deb wants root, debootstrap, Xvfb and xdotool, on Debian or Ubuntu.")
        shutil.rmtree(self.path, ignore_errors=True)
        _FOLDER.mkdir(parents=True, exist_ok=True)
        if not _BASE.exists():
            self._make_base()
        self.path.mkdir()
        subprocess.run(["tar", "-xpf", _BASE, "-C", self.path], check=True)
        # How this machine reaches Debian, not what is installed on it.
        for name in ("resolv.conf", "hosts"):
            shutil.copyfile(f"/etc/{name}", self.path / "etc" / name)
        self.run("useradd", "--create-home", "--uid", str(NUMBER), PERSON)
        self.run("apt-get", "update", "-q")

    def _make_base(self) -> None:
        say("Making a clean Debian (once)")
        new = _FOLDER / "new"
        shutil.rmtree(new, ignore_errors=True)
        log = _FOLDER / "debootstrap.log"
        command = ["debootstrap", "--variant=minbase", SUITE, str(new), *_mirror()]
        with log.open("w") as output:
            code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT).returncode
        if code != 0:
            raise SetupError(f"debootstrap could not make a clean Debian: the reason is in {log}.")
        (new / "etc/apt/apt.conf.d/80smoke").write_text(_apt_settings())
        part = _BASE.with_suffix(".part")
        subprocess.run(["tar", "-cpf", part, "--numeric-owner", "-C", new, "."], check=True)
        part.replace(_BASE)
        shutil.rmtree(new)

    def command(self, *argv: str, person: bool = False, environment: dict[str, str] | None = None) -> list[str]:
        """What runs `argv` in there, as root or as the person, with nothing of our environment."""
        told = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        who = f"{NUMBER}:{NUMBER}" if person else "0:0"
        home = f"/home/{PERSON}" if person else "/root"
        words = [f"{name}={value}" for name, value in (told | {"HOME": home} | (environment or {})).items()]
        script = ["unshare", "--mount", "sh", "-ec", _IN_ROOT, "sh"]
        return ["env", f"ROOT={self.path}", f"WHO={who}", *script, "env", "-i", *words, *argv]

    def run(self, *argv: str) -> str:
        """As root, to its end. Raises SetupError with its last words."""
        done = subprocess.run(self.command(*argv), capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise SetupError(f"{' '.join(argv)} failed in the clean Debian: {(done.stdout + done.stderr)[-1500:]}")
        return done.stdout

    def install(self, deb: Path) -> None:
        """As a person is told to: `apt install ./inglenook.deb`."""
        (self.path / "tmp").mkdir(exist_ok=True)
        shutil.copyfile(deb, self.path / "tmp" / deb.name)
        self.run("apt-get", "install", "-q", "-y", f"/tmp/{deb.name}")
        (self.path / "tmp" / deb.name).unlink()

    def listing(self) -> set[str]:
        """The files that count."""
        found = (str(path.relative_to(self.path)) for path in self.path.rglob("*") if not path.is_dir())
        return {name for name in found if not name.startswith(_NOT_COUNTED)}


def _mirror() -> Sequence[str]:
    """Where this machine has its Debian from; debootstrap's own choice where apt does not say."""
    command = ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]
    done = subprocess.run(command, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        site, release, component = line.split()
        if (release, component) == (SUITE, "main"):
            return [site]
    return []


def _apt_settings() -> str:
    """What this machine's apt is told of times: a mirror may be a snapshot of an older day."""
    done = subprocess.run(["apt-config", "dump"], capture_output=True, text=True)
    kept = ("Acquire::Check-Valid-Until ", "Acquire::Check-Date ")
    return "".join(f"{line}\n" for line in done.stdout.splitlines() if line.startswith(kept))
