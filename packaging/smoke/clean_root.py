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

# What apt and dpkg keep for themselves, and what the system makes anew by itself.
_NOT_COUNTED = ("home/", "proc/", "sys/", "dev/", "run/", "tmp/", "var/cache/", "var/lib/apt/", "var/lib/dpkg/",
    "var/log/", "etc/ld.so.cache", "etc/resolv.conf", "usr/share/mime/")  # fmt: skip

_IN_ROOT = """
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
exec chroot --userspec="$WHO" "$ROOT" "$@"
"""


class CleanRoot:
    """A root folder of `suite` in build/smoke/`name`. What runs in it has mounts of its own, which end with it."""

    def __init__(self, suite: str = SUITE, name: str = "root") -> None:
        self.suite = suite
        self.path = _FOLDER / name
        self._base = _FOLDER / f"{suite}.tar"
        self.home = self.path / "home" / PERSON

    def make(self) -> None:
        """Lays it anew, from a copy that the first time makes by debootstrap."""
        if os.geteuid() != 0 or shutil.which("debootstrap") is None:
            raise SetupError("A trial in a clean Debian needs root and debootstrap, on Debian or Ubuntu.")
        shutil.rmtree(self.path, ignore_errors=True)
        _FOLDER.mkdir(parents=True, exist_ok=True)
        if not self._base.exists():
            self._make_base()
        self.path.mkdir()
        subprocess.run(["tar", "-xpf", self._base, "-C", self.path], check=True)
        # How this machine reaches Debian, not what is installed on it.
        for name in ("resolv.conf", "hosts"):
            shutil.copyfile(f"/etc/{name}", self.path / "etc" / name)
        self.run("useradd", "--create-home", "--uid", str(NUMBER), PERSON)
        self.run("apt-get", "update", "-q")

    def _make_base(self) -> None:
        say(f"Making a clean {self.suite} (once)")
        new = _FOLDER / f"new-{self.suite}"
        shutil.rmtree(new, ignore_errors=True)
        log = _FOLDER / f"debootstrap-{self.suite}.log"
        command = ["debootstrap", "--variant=minbase", self.suite, str(new), *_mirror(self.suite)]
        with log.open("w") as output:
            code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT).returncode
        if code != 0:
            raise SetupError(f"debootstrap could not make a clean Debian: the reason is in {log}.")
        (new / "etc/apt/apt.conf.d/80smoke").write_text(_apt_settings())
        part = self._base.with_suffix(".part")
        subprocess.run(["tar", "-cpf", part, "--numeric-owner", "-C", new, "."], check=True)
        part.replace(self._base)
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


def _mirror(suite: str) -> Sequence[str]:
    """The mirror that this machine's apt uses for `suite`, else for its own release: a mirror holds every release.
    Debootstrap's own choice where apt names none."""
    command = ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]
    done = subprocess.run(command, capture_output=True, text=True)
    sites = {}
    for line in done.stdout.splitlines():
        site, release, component = line.split()
        if component == "main" and "-" not in release:
            sites[release] = site
    return [sites.get(suite) or next(iter(sites.values()))] if sites else []


def _apt_settings() -> str:
    """What this machine's apt is told of times: a mirror may be a snapshot of an older day."""
    done = subprocess.run(["apt-config", "dump"], capture_output=True, text=True)
    kept = ("Acquire::Check-Valid-Until ", "Acquire::Check-Date ")
    return "".join(f"{line}\n" for line in done.stdout.splitlines() if line.startswith(kept))
