"""The GGUF files in folders that a person points to, with what each says of itself."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelFileError
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
from engine.library.split_files import is_continuation_file, parts, read_model, stem

ENDING = ".gguf"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One model on disk. `path` is its first part, `size_bytes` that of all. Either `metadata` or `fault` is there:
    what
    it says of itself, or why it cannot be used."""

    path: Path
    size_bytes: int
    n_parts: int = 1
    metadata: ModelMetadata | None = None
    fault: str = ""

    @property
    def name(self) -> str:
        return self.metadata.name if self.metadata is not None else pretty_name(display_name(stem(self.path)))

    @property
    def quantisation(self) -> str:
        return self.metadata.quantisation if self.metadata is not None else quantisation_in(self.path.name)


@dataclass(frozen=True, slots=True)
class Scan:
    """`unreadable` folders are missing, or not ours to look into. `whole` is False where the scan was cancelled."""

    models: tuple[ModelFile, ...]
    unreadable: tuple[Path, ...] = ()
    whole: bool = True


def scan(
    folders: Iterable[Path],
    cache: ModelScanCache,
    cancelled: Callable[[], bool] = lambda: False,
    on_found: Callable[[ModelFile], None] = lambda model: None,
) -> Scan:
    """Every model below `folders`, each once, in the order of their names. Blocks; any thread, one scan for a cache.

    What the cache knows is not read again; what it learns is for its owner to save. Nothing is fatal: a damaged file
    is listed with its fault, a loop of links is walked once."""
    finder = _Finder(cancelled)
    arrays = StringArraySkipper()
    models = []
    for path, mark in finder.files(folders):
        model = _look(path, mark, cache, arrays)
        models.append(model)
        on_found(model)
    models.sort(key=lambda model: (model.name.casefold(), model.size_bytes, str(model.path)))
    return Scan(tuple(models), tuple(finder.unreadable), not finder.was_cancelled)


def look(path: Path, cache: ModelScanCache) -> ModelFile:
    """One file that a person pointed to, wherever it lies."""
    try:
        mark = _mark(path.stat())
    except OSError as error:
        return ModelFile(path, 0, fault=f"the file cannot be read ({error.strerror})")
    return _look(path, mark, cache, StringArraySkipper())


def _look(path: Path, mark: FileStamp, cache: ModelScanCache, arrays: StringArraySkipper) -> ModelFile:
    files = parts(path)
    if len(files) > 1:
        mark = _mark_of_all(files, mark)
    kept = cache.get(path, mark)
    if kept is None:
        kept, is_transient = _read(path, arrays)
        if not is_transient:  # which may pass with the file's time and size as they are
            cache.put(path, mark, kept)
    known = kept if isinstance(kept, ModelMetadata) else None
    return ModelFile(path, mark.size_bytes, len(files), known, "" if isinstance(kept, ModelMetadata) else kept)


def _read(path: Path, arrays: StringArraySkipper) -> tuple[ModelMetadata | str, bool]:
    """What it says of itself, or what is wrong with it, and whether that may pass without a change of the file."""
    try:
        header = read_model(path, arrays)
    except ModelFileError as error:
        return error.reason, error.is_transient
    return unusable_reason(header) or metadata_from_header(path, header), False


def _mark(seen: os.stat_result) -> FileStamp:
    return FileStamp(seen.st_size, seen.st_mtime_ns)


def _mark_of_all(files: list[Path], first: FileStamp) -> FileStamp:
    """A part that comes, goes or changes makes another mark."""
    sizes, times = first.size_bytes, first.mtime_ns
    for number, file in enumerate(files[1:], 2):
        with contextlib.suppress(OSError):
            seen = file.stat()
            sizes += seen.st_size
            times ^= seen.st_mtime_ns * number
    return FileStamp(sizes, times)


class _Finder:
    """Walks folders by their identity, so that each is entered once, by whatever link."""

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self._cancelled = cancelled
        self._entered: set[tuple[int, int]] = set()
        self._seen: set[str] = set()
        self.unreadable: list[Path] = []
        self.was_cancelled = False

    def files(self, folders: Iterable[Path]) -> Iterator[tuple[Path, FileStamp]]:
        waiting = [str(folder) for folder in folders][::-1]
        while waiting:
            folder = waiting.pop()
            below: list[str] = []
            try:
                if not self._enters(folder):
                    continue
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if self._cancelled():
                            self.was_cancelled = True
                            return
                        with contextlib.suppress(OSError):  # gone a moment ago, or a link to nothing
                            if entry.is_dir():
                                below.append(entry.path)
                            elif self._is_model(entry):
                                yield Path(entry.path), _mark(entry.stat())
            except OSError:
                self.unreadable.append(Path(folder))
            waiting.extend(sorted(below, reverse=True))

    def _enters(self, folder: str) -> bool:
        """Raises OSError."""
        seen = os.stat(folder)  # noqa: PTH116 -- thousands of these: a Path for each would cost more than the call
        identity = (seen.st_dev, seen.st_ino)
        if identity in self._entered:
            return False
        self._entered.add(identity)
        return True

    def _is_model(self, entry: os.DirEntry[str]) -> bool:
        """A file that a link leads to is the same as the file itself."""
        if not entry.name.lower().endswith(ENDING) or is_continuation_file(entry.name) or not entry.is_file():
            return False
        real = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
        if real in self._seen:
            return False
        self._seen.add(real)
        return True
