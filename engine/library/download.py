"""One model from the hub to the disk, so that a file under its own name is always whole and the right one.

What comes is written into `NAME.part`, beside it `NAME.part.json` says what it is a part of. Once all of it is there
and its SHA-256 is what the hub says, the file gets its name. A download that was paused, cut or forgotten goes on from
there."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from engine.files.atomic_write import replace_durably, write_atomic
from engine.files.private_files import make_private_folder
from engine.library.http_transfer import Stop, Stopped, Transfer
from engine.library.hub import Choice, Hub, RemoteFile
from engine.library.hub_errors import CannotWrite, Corrupt, DiskFull

__all__ = ["Download", "DownloadStep", "Progress", "Stop", "Stopped", "unfinished"]

PART, ABOUT = ".part", ".part.json"
SPARE_BYTES = 256 << 20
"""Left free on the disk: a full one breaks other programs, and the chats' own file."""

_HASH_BLOCK = 1 << 20

DownloadStep = Literal["fetching", "verifying"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Of all files together."""

    step: DownloadStep
    n_bytes: int
    size_bytes: int


class Download:
    """`run` blocks, on any thread; `stop` may be set on any other, and ends it at once."""

    def __init__(self, hub: Hub, choice: Choice, folder: Path, transfer: Transfer | None = None) -> None:
        self.choice = choice
        self.stop = Stop()
        self._hub = hub
        self._folder = folder
        self._transfer = transfer or Transfer()
        self._n_before = 0
        """Bytes of the files before the one that comes now."""
        self._step: DownloadStep = "fetching"
        self._on_progress: Callable[[Progress], None] = lambda progress: None

    @property
    def path(self) -> Path:
        """Where the model will lie, by its first file."""
        return self._target(self.choice.files[0])

    @property
    def n_kept(self) -> int:
        """Bytes that are on the disk already, of a download that was begun."""
        return sum(self._have(file) for file in self.choice.files)

    def run(self, on_progress: Callable[[Progress], None] = lambda progress: None) -> Path:
        """Fetches what is missing, and answers where the model lies.

        Raises Stopped, HubUnreachable, HubRefused, DiskFull, CannotWrite: what came so far is kept.
        Raises Corrupt: what came is deleted."""
        self._on_progress = on_progress
        self._n_before = 0
        try:
            make_private_folder(self._folder)
            self._check_room()
            for file in self.choice.files:
                self._bring(file)
                self._n_before += file.size_bytes
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull(self.choice.size_bytes - self.n_kept, 0) from error
            raise CannotWrite(error.strerror or str(error)) from error
        return self.path

    def forget(self) -> None:
        """Deletes what came so far, but no file that is whole."""
        for file in self.choice.files:
            self._forget(file)

    def _bring(self, file: RemoteFile) -> None:
        target = self._target(file)
        if target.exists() and target.stat().st_size == file.size_bytes and self._is_right(target, file):
            return
        self._begin(file)
        part = self._part(file)
        if _size(part) < file.size_bytes:
            self._step = "fetching"
            address = self._hub.address(self.choice, file)
            self._transfer.fetch(address, part, file.size_bytes, self.stop, self._tell)
        if _size(part) != file.size_bytes or not self._is_right(part, file):
            self._forget(file)
            raise Corrupt(target.name)
        replace_durably(part, target)
        self._about(file).unlink(missing_ok=True)

    def _begin(self, file: RemoteFile) -> None:
        """Makes sure that what lies there is a part of this very file."""
        about = {"file": asdict(file), "choice": asdict(self.choice)}
        if _read(self._about(file)).get("file") != asdict(file):
            self._forget(file)
        write_atomic(self._about(file), json.dumps(about, indent=1))

    def _is_right(self, path: Path, file: RemoteFile) -> bool:
        """Raises Stopped."""
        self._step = "verifying"
        digest = hashlib.sha256()
        with path.open("rb") as data:
            while block := data.read(_HASH_BLOCK):
                self.stop.check()
                digest.update(block)
                self._tell(data.tell())
        return digest.hexdigest() == file.sha256

    def _check_room(self) -> None:
        missing = self.choice.size_bytes - self.n_kept
        free = shutil.disk_usage(self._folder).free
        if missing > 0 and free < missing + SPARE_BYTES:
            raise DiskFull(missing + SPARE_BYTES, free)

    def _have(self, file: RemoteFile) -> int:
        target = self._target(file)
        if _size(target) == file.size_bytes:
            return file.size_bytes
        return min(_size(self._part(file)), file.size_bytes)

    def _forget(self, file: RemoteFile) -> None:
        self._part(file).unlink(missing_ok=True)
        self._about(file).unlink(missing_ok=True)

    def _target(self, file: RemoteFile) -> Path:
        return self._folder / _safe_name(file.name)

    def _part(self, file: RemoteFile) -> Path:
        target = self._target(file)
        return target.with_name(target.name + PART)

    def _about(self, file: RemoteFile) -> Path:
        target = self._target(file)
        return target.with_name(target.name + ABOUT)

    def _tell(self, n_bytes: int) -> None:
        self._on_progress(Progress(self._step, self._n_before + n_bytes, self.choice.size_bytes))


def unfinished(folder: Path) -> tuple[Choice, ...]:
    """What was begun in this folder and not ended, each once. What cannot be read is passed over."""
    found: dict[tuple[str, str], Choice] = {}
    with contextlib.suppress(OSError):
        for path in sorted(folder.glob(f"*{ABOUT}")):
            if (choice := _choice(_read(path).get("choice"))) is not None:
                found[choice.repo, choice.files[0].name] = choice
    return tuple(found.values())


def _choice(kept: Any) -> Choice | None:
    try:
        files = tuple(
            RemoteFile(str(each["name"]), int(each["size_bytes"]), str(each["sha256"])) for each in kept["files"]
        )
        choice = Choice(str(kept["repo"]), str(kept["revision"]), str(kept["quantisation"]), files)
    except (TypeError, ValueError, KeyError):
        return None
    return choice if files and all(file.size_bytes > 0 for file in files) else None


def _read(about: Path) -> dict[str, Any]:
    try:
        found = json.loads(about.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _safe_name(name: str) -> str:
    """Of a path in a repository its last part, which leads to no other folder."""
    base = name.replace("\\", "/").rpartition("/")[2]
    if not base.lower().endswith(".gguf") or base.startswith("."):
        raise CannotWrite(f"{base!r} is no name for a model")
    return base


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
