"""Finds the GGUF files in the user's model folders and reads their metadata."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelFileError, Reason
from engine.files.display_name import display_name
from engine.library.gguf_string_arrays import StringArraySkipper
from engine.library.model_metadata import (
    ModelMetadata,
    metadata_from_header,
    pretty_name,
    quantisation_in,
    unusable_reason,
)
from engine.library.model_scan_cache import FileStamp, ModelScanCache
from engine.library.split_files import base_name, is_continuation_file, read_model, split_paths

SUFFIX = ".gguf"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model on disk, with either `metadata` or a `problem`.

    `path` is the model's first file, `size_bytes` the size of all its files."""

    path: Path
    size_bytes: int
    n_parts: int = 1
    metadata: ModelMetadata | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        return self.metadata.name if self.metadata is not None else pretty_name(display_name(base_name(self.path)))

    @property
    def quantisation(self) -> str:
        return self.metadata.quantisation if self.metadata is not None else quantisation_in(self.path.name)


@dataclass(frozen=True, slots=True)
class Scan:
    """The result of a scan. `unreadable`: folders that are missing or not accessible. `is_complete` is False if the
    scan was cancelled."""

    models: tuple[ModelFile, ...]
    unreadable: tuple[Path, ...] = ()
    is_complete: bool = True


def scan(
    folders: Iterable[Path],
    cache: ModelScanCache,
    cancelled: Callable[[], bool] = lambda: False,
    on_found: Callable[[ModelFile], None] = lambda model: None,
) -> Scan:
    """Lists every model below `folders` once, sorted by name.

    Blocks. May be called on any thread, but only one scan at a time may use a cache. Files in the cache are not read
    again; the caller saves the cache. Damaged files are listed with their problem. A folder that several links lead to
    is scanned once."""
    finder = _Finder(cancelled)
    arrays = StringArraySkipper()
    models = []
    for path, stamp in finder.files(folders):
        model = _read_model_file(path, stamp, cache, arrays)
        models.append(model)
        on_found(model)
    models.sort(key=lambda model: (model.name.casefold(), model.size_bytes, str(model.path)))
    return Scan(tuple(models), tuple(finder.unreadable), not finder.was_cancelled)


def read_model_file(path: Path, cache: ModelScanCache) -> ModelFile:
    """Reads one model file in any folder."""
    try:
        stamp = _stamp(path.stat())
    except OSError as error:
        return ModelFile(path, 0, problem=Reason("the file cannot be read ({why})", why=error.strerror))
    return _read_model_file(path, stamp, cache, StringArraySkipper())


def _read_model_file(path: Path, stamp: FileStamp, cache: ModelScanCache, arrays: StringArraySkipper) -> ModelFile:
    files = split_paths(path)
    if len(files) > 1:
        stamp = _stamp_of_all(files, stamp)
    cached = cache.get(path, stamp)
    if cached is None:
        cached, is_transient = _read(path, arrays)
        if not is_transient:  # a temporary problem is not cached
            cache.put(path, stamp, cached)
    metadata = cached if isinstance(cached, ModelMetadata) else None
    return ModelFile(path, stamp.size_bytes, len(files), metadata, "" if isinstance(cached, ModelMetadata) else cached)


def _read(path: Path, arrays: StringArraySkipper) -> tuple[ModelMetadata | str, bool]:
    """Returns a file's metadata, or the problem that prevents reading it. Also returns whether the problem may be
    temporary."""
    try:
        header = read_model(path, arrays)
    except ModelFileError as error:
        return error.reason, error.is_transient
    return unusable_reason(header) or metadata_from_header(path, header), False


def _stamp(stat: os.stat_result) -> FileStamp:
    return FileStamp(stat.st_size, stat.st_mtime_ns)


def _stamp_of_all(files: list[Path], first: FileStamp) -> FileStamp:
    """Returns one FileStamp for all files of a model together. It changes if any of the files changes, appears or
    disappears."""
    sizes, times = first.size_bytes, first.mtime_ns
    for number, file in enumerate(files[1:], 2):
        with contextlib.suppress(OSError):
            stat = file.stat()
            sizes += stat.st_size
            times ^= stat.st_mtime_ns * number
    return FileStamp(sizes, times)


class _Finder:
    """Walks through folders. Enters each folder once, even if several links lead to it."""

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self._cancelled = cancelled
        self._entered: set[tuple[int, int]] = set()
        self._seen_paths: set[str] = set()
        self.unreadable: list[Path] = []
        self.was_cancelled = False

    def files(self, folders: Iterable[Path]) -> Iterator[tuple[Path, FileStamp]]:
        waiting = [str(folder) for folder in folders][::-1]
        while waiting:
            folder = waiting.pop()
            below: list[str] = []
            try:
                if not self._enter(folder):
                    continue
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if self._cancelled():
                            self.was_cancelled = True
                            return
                        with contextlib.suppress(OSError):  # deleted meanwhile, or a broken link
                            if entry.is_dir():
                                below.append(entry.path)
                            elif self._is_model(entry):
                                yield Path(entry.path), _stamp(entry.stat())
            except OSError:
                self.unreadable.append(Path(folder))
            waiting.extend(sorted(below, reverse=True))

    def _enter(self, folder: str) -> bool:
        """Records that the folder was entered. Returns False if it had already been entered. Raises OSError."""
        stat = os.stat(folder)  # noqa: PTH116 -- thousands of these: a Path for each would cost more than the call
        identity = (stat.st_dev, stat.st_ino)
        if identity in self._entered:
            return False
        self._entered.add(identity)
        return True

    def _is_model(self, entry: os.DirEntry[str]) -> bool:
        """Whether the file is a model that has not been found before. A link counts as the file that it points to."""
        if not entry.name.lower().endswith(SUFFIX) or is_continuation_file(entry.name) or not entry.is_file():
            return False
        real = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
        if real in self._seen_paths:
            return False
        self._seen_paths.add(real)
        return True
