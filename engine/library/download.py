"""Downloads one model from the hub to disk.

Data is written to `NAME.part`, which is renamed to `NAME` only when it is complete and its checksum matches.
`NAME.part.json` describes the remote file whose data `NAME.part` holds. An interrupted download continues at the end of
`NAME.part`."""

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

from engine.errors import Reason
from engine.files.atomic_write import replace_durably, write_atomic
from engine.files.private_files import make_private_folder
from engine.library.http_transfer import Stopped, StopSignal, Transfer, size_on_disk
from engine.library.hub import Hub, ModelVariant, RemoteFile
from engine.library.hub_errors import CannotWrite, Corrupt, DiskFull

__all__ = [
    "SPARE_BYTES",
    "Download",
    "DownloadProgress",
    "DownloadStep",
    "StopSignal",
    "Stopped",
    "free_disk_bytes",
    "unfinished_variants",
]

PART_SUFFIX, DESCRIPTION_SUFFIX = ".part", ".part.json"
SPARE_BYTES = 256 << 20
"""Disk space that must remain free after a download, for other programs and the chat database."""

_HASH_BLOCK = 1 << 20

DownloadStep = Literal["fetching", "verifying"]


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """The progress of a download. The numbers of bytes cover all files of the model together."""

    step: DownloadStep
    n_bytes: int
    size_bytes: int


def free_disk_bytes(folder: Path) -> int:
    """The free space on the disk of `folder`, which need not exist yet."""
    existing = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    return shutil.disk_usage(existing).free


class Download:
    """Downloads one model. `run` blocks and may be called on any thread. Setting `stop` on another thread ends `run`
    promptly."""

    def __init__(self, hub: Hub, variant: ModelVariant, folder: Path, transfer: Transfer | None = None) -> None:
        self.variant = variant
        self.stop = StopSignal()
        self._hub = hub
        self._folder = folder
        self._transfer = transfer or Transfer()
        self._n_previous = 0
        """The total size of the model's files that precede the file being downloaded."""
        self._step: DownloadStep = "fetching"
        self._on_progress: Callable[[DownloadProgress], None] = lambda progress: None

    @property
    def path(self) -> Path:
        """The path of the model's first file."""
        return self._target(self.variant.files[0])

    @property
    def n_downloaded(self) -> int:
        """The number of bytes that are already on disk, in complete and partial files."""
        return sum(self._n_downloaded(file) for file in self.variant.files)

    def run(self, on_progress: Callable[[DownloadProgress], None] = lambda progress: None) -> Path:
        """Downloads the missing bytes and returns the path of the model's first file.

        Raises Stopped, HubUnreachable, HubRefused, DiskFull or CannotWrite; the partial files are then kept. If a
        checksum does not match, the file is deleted and Corrupt is raised."""
        self._on_progress = on_progress
        self._n_previous = 0
        try:
            make_private_folder(self._folder)
            self._check_disk_space()
            for file in self.variant.files:
                self._download_file(file)
                self._n_previous += file.size_bytes
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull(self.variant.size_bytes - self.n_downloaded, 0) from error
            raise CannotWrite(error.strerror or str(error)) from error
        return self.path

    def discard(self) -> None:
        """Deletes the partial files. Complete files are kept."""
        for file in self.variant.files:
            self._discard(file)

    def _download_file(self, file: RemoteFile) -> None:
        target = self._target(file)
        if target.exists() and target.stat().st_size == file.size_bytes and self._verify(target, file):
            return
        self._prepare_part(file)
        part = self._part(file)
        if size_on_disk(part) < file.size_bytes:
            self._step = "fetching"
            download_url = self._hub.download_url(self.variant, file)
            self._transfer.fetch(download_url, part, file.size_bytes, self.stop, self._report)
        if size_on_disk(part) != file.size_bytes or not self._verify(part, file):
            self._discard(file)
            raise Corrupt(target.name)
        replace_durably(part, target)
        self._description(file).unlink(missing_ok=True)

    def _prepare_part(self, file: RemoteFile) -> None:
        """Writes `NAME.part.json` for this file. If `NAME.part` holds data of another file or version, deletes it
        first."""
        description = {"file": asdict(file), "choice": asdict(self.variant)}
        if _read(self._description(file)).get("file") != asdict(file):
            self._discard(file)
        write_atomic(self._description(file), json.dumps(description, indent=1))

    def _verify(self, path: Path, file: RemoteFile) -> bool:
        """Whether the file at `path` has the expected checksum. Raises Stopped."""
        self._step = "verifying"
        digest = hashlib.sha256()
        with path.open("rb") as data:
            while block := data.read(_HASH_BLOCK):
                self.stop.check()
                digest.update(block)
                self._report(data.tell())
        return digest.hexdigest() == file.sha256

    def _check_disk_space(self) -> None:
        missing = self.variant.size_bytes - self.n_downloaded
        free = free_disk_bytes(self._folder)
        if missing > 0 and free < missing + SPARE_BYTES:
            raise DiskFull(missing + SPARE_BYTES, free)

    def _n_downloaded(self, file: RemoteFile) -> int:
        target = self._target(file)
        if size_on_disk(target) == file.size_bytes:
            return file.size_bytes
        return min(size_on_disk(self._part(file)), file.size_bytes)

    def _discard(self, file: RemoteFile) -> None:
        self._part(file).unlink(missing_ok=True)
        self._description(file).unlink(missing_ok=True)

    def _target(self, file: RemoteFile) -> Path:
        return self._folder / _safe_name(file.name)

    def _part(self, file: RemoteFile) -> Path:
        target = self._target(file)
        return target.with_name(target.name + PART_SUFFIX)

    def _description(self, file: RemoteFile) -> Path:
        target = self._target(file)
        return target.with_name(target.name + DESCRIPTION_SUFFIX)

    def _report(self, n_bytes: int) -> None:
        self._on_progress(DownloadProgress(self._step, self._n_previous + n_bytes, self.variant.size_bytes))


def unfinished_variants(folder: Path) -> tuple[ModelVariant, ...]:
    """The model variants whose download into this folder is unfinished. A download whose `.part.json` file cannot be
    read is left out."""
    found: dict[tuple[str, str], ModelVariant] = {}
    with contextlib.suppress(OSError):
        for path in sorted(folder.glob(f"*{DESCRIPTION_SUFFIX}")):
            if (variant := _variant(_read(path).get("choice"))) is not None:
                found[variant.repo, variant.files[0].name] = variant
    return tuple(found.values())


def _variant(kept: Any) -> ModelVariant | None:
    try:
        files = tuple(
            RemoteFile(str(each["name"]), int(each["size_bytes"]), str(each["sha256"])) for each in kept["files"]
        )
        variant = ModelVariant(str(kept["repo"]), str(kept["revision"]), str(kept["quantisation"]), files)
    except (TypeError, ValueError, KeyError):
        return None
    return variant if files and all(file.size_bytes > 0 for file in files) else None


def _read(description: Path) -> dict[str, Any]:
    try:
        found = json.loads(description.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _safe_name(name: str) -> str:
    """The last component of a file's path in a repository. Raises CannotWrite if it is not the name of a GGUF file."""
    base = name.replace("\\", "/").rpartition("/")[2]
    if not base.lower().endswith(".gguf") or base.startswith("."):
        raise CannotWrite(Reason("{name} is not a valid name of a model file", name=repr(base)))
    return base
