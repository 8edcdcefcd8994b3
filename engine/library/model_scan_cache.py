"""Caches the metadata of model files in the profile, because reading 2,000 headers takes seconds."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.errors import Reason
from engine.files.atomic_write import write_atomic
from engine.library.model_metadata import ModelMetadata

VERSION = 2
"""Version of the stored format. Files with another version are ignored."""


@dataclass(frozen=True, slots=True)
class FileStamp:
    """The size and modification time of a model file. A file with an equal stamp is taken as unchanged."""

    size_bytes: int
    mtime_ns: int


class ModelScanCache:
    """Metadata and problems of model files, by path.

    Only one thread at a time may use it. Only `load` and `save` access the cache file."""

    def __init__(self, file: Path | None) -> None:
        """With `file` None nothing is stored."""
        self._file = file
        self._entries: dict[str, tuple[FileStamp, ModelMetadata | str]] = {}
        self._raw: dict[str, list[Any]] = {}
        self._changed = False
        self._saving = threading.Lock()

    def load(self) -> None:
        """Loads the cache file. The cache is empty if the file is missing, damaged, or of another version."""
        if self._file is None:
            return
        try:
            found = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return
        if isinstance(found, dict) and found.get("version") == VERSION and isinstance(found.get("files"), dict):
            self._raw = found["files"]

    def get(self, path: Path, stamp: FileStamp) -> ModelMetadata | str | None:
        """The cached metadata or problem of a model file; None if the file is not cached or has changed."""
        key = str(path)
        if key not in self._entries and (raw := self._raw.get(key)) is not None:
            try:
                self._entries[key] = _entry(raw)
            except (TypeError, ValueError, KeyError, AttributeError):
                del self._raw[key]
        cached = self._entries.get(key)
        return cached[1] if cached is not None and cached[0] == stamp else None

    def put(self, path: Path, stamp: FileStamp, value: ModelMetadata | str) -> None:
        self._entries[str(path)] = (stamp, value)
        self._changed = True

    def save(self) -> None:
        """Writes the cache file atomically if the cache has changed. Raises OSError."""
        if self._file is None or not self._changed:
            return
        with self._saving:
            self._changed = False
            files = dict(self._raw)
            files.update({key: _raw_entry(*entry) for key, entry in self._entries.items()})
            write_atomic(self._file, json.dumps({"version": VERSION, "files": files}, separators=(",", ":")))


def _raw_entry(stamp: FileStamp, value: ModelMetadata | str) -> list[Any]:
    stored = [value.template, value.values] if isinstance(value, Reason) else value
    return [stamp.size_bytes, stamp.mtime_ns, asdict(stored) if isinstance(stored, ModelMetadata) else stored]


def _entry(raw: list[Any]) -> tuple[FileStamp, ModelMetadata | str]:
    size_bytes, mtime_ns, value = raw
    stamp = FileStamp(int(size_bytes), int(mtime_ns))
    if isinstance(value, str):
        return stamp, value
    if isinstance(value, list):
        template, texts = value
        return stamp, Reason(template, **texts)
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in value["values"].items()}
    return stamp, ModelMetadata(**{**value, "values": values})
