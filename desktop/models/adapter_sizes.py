"""The sizes of LoRA adapter files, for the memory estimates on the models page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from desktop.platform.daemon_thread import detached
from desktop.platform.task_set import TaskSet
from engine.adapter import Adapter


class AdapterSizes:
    """Reads the size of each file once. GUI thread only; the files are read on other threads."""

    def __init__(self, tasks: TaskSet, changed: Callable[[], None]) -> None:
        """`changed` is called after sizes were read."""
        self._tasks = tasks
        self._changed = changed
        self._sizes: dict[Path, int] = {}

    def total(self, adapters: Iterable[Adapter]) -> int:
        """The size of the files in bytes. Files whose size is not known yet count as empty; their sizes are read."""
        paths = [adapter.path for adapter in adapters]
        unknown = [path for path in paths if path not in self._sizes]
        if unknown:
            self._sizes.update(dict.fromkeys(unknown, 0))
            self._tasks.spawn(self._read(unknown), "read the sizes of adapters")
        return sum(self._sizes[path] for path in paths)

    async def _read(self, paths: list[Path]) -> None:
        sizes = await detached("read-sizes", lambda: [_size(path) for path in paths])
        self._sizes.update(zip(paths, sizes, strict=True))
        if any(sizes):
            self._changed()


def _size(path: Path) -> int:
    """0 if the file is missing: the model is loaded without it."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
