"""What model files said of themselves, kept in the profile: reading 2,000 headers again takes seconds."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.files.atomic_write import write_atomic
from engine.library.model_metadata import ModelMetadata

VERSION = 1
"""Of what is kept; another one is forgotten."""


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file of the same size and time is taken for the same file."""

    size_bytes: int
    mtime_ns: int


class ModelScanCache:
    """By path. `load` and `save` read and write the file; in between it is plain memory. One thread at a time."""

    def __init__(self, file: Path | None) -> None:
        """None keeps nothing beyond this object's life."""
        self._file = file
        self._kept: dict[str, tuple[FileStamp, ModelMetadata | str]] = {}
        self._raw: dict[str, list[Any]] = {}
        self._changed = False
        self._saving = threading.Lock()

    def load(self) -> None:
        """A file that is missing, damaged or of another version holds nothing."""
        if self._file is None:
            return
        try:
            found = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return
        if isinstance(found, dict) and found.get("version") == VERSION and isinstance(found.get("files"), dict):
            self._raw = found["files"]

    def get(self, path: Path, mark: FileStamp) -> ModelMetadata | str | None:
        """The metadata, or the fault; None where this file is not known."""
        key = str(path)
        if key not in self._kept and (raw := self._raw.get(key)) is not None:
            try:
                self._kept[key] = _entry(raw)
            except (TypeError, ValueError, KeyError, AttributeError):
                del self._raw[key]
        kept = self._kept.get(key)
        return kept[1] if kept is not None and kept[0] == mark else None

    def put(self, path: Path, mark: FileStamp, what: ModelMetadata | str) -> None:
        self._kept[str(path)] = (mark, what)
        self._changed = True

    def save(self) -> None:
        """Writes the file as a whole or not at all, if there is anything new. Raises OSError."""
        if self._file is None or not self._changed:
            return
        with self._saving:
            self._changed = False
            files = dict(self._raw)
            files.update({key: _raw_entry(*entry) for key, entry in self._kept.items()})
            write_atomic(self._file, json.dumps({"version": VERSION, "files": files}, separators=(",", ":")))


def _raw_entry(mark: FileStamp, what: ModelMetadata | str) -> list[Any]:
    return [mark.size_bytes, mark.mtime_ns, what if isinstance(what, str) else asdict(what)]


def _entry(raw: list[Any]) -> tuple[FileStamp, ModelMetadata | str]:
    size_bytes, mtime_ns, what = raw
    mark = FileStamp(int(size_bytes), int(mtime_ns))
    if isinstance(what, str):
        return mark, what
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in what["values"].items()}
    return mark, ModelMetadata(**{**what, "values": values})
