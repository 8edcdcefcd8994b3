"""Models on their way from the hub to this computer: one at a time, the others wait."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from desktop.platform.daemon_thread import call_in, detached
from desktop.platform.task_set import TaskSet
from engine.library.download import Download, Progress, Stopped, unfinished
from engine.library.hub import Choice, Hub, choose
from engine.library.hub_errors import HubError

Stage = Literal["asking", "waiting", "fetching", "verifying", "paused", "failed", "done"]

SPEED_OVER_S = 6.0
PURGE_ON_CLOSE_S = 2.0


@dataclass(frozen=True, slots=True)
class DownloadState:
    """`key` is the repository. `error` belongs to "failed"; what came is kept there, and goes on by `resume`."""

    key: str
    name: str
    stage: Stage
    quantisation: str = ""
    n_bytes: int = 0
    size_bytes: int = 0
    bytes_per_s: float = 0.0
    error: HubError | None = None

    @property
    def runs(self) -> bool:
        return self.stage in ("asking", "waiting", "fetching", "verifying")

    @property
    def seconds_left(self) -> float:
        """0 where it cannot be told."""
        return (self.size_bytes - self.n_bytes) / self.bytes_per_s if self.bytes_per_s else 0.0


class _One:
    """A download and what is known of it."""

    def __init__(self, state: DownloadState, choice: Choice | None = None) -> None:
        self.state = state
        self.choice = choice
        self.running: Download | None = None
        self.seen: deque[tuple[float, int]] = deque()
        self.wanted = True
        """False: it is to pause, or to go."""

    def speed(self, n_bytes: int) -> float:
        now = time.monotonic()
        self.seen.append((now, n_bytes))
        while now - self.seen[0][0] > SPEED_OVER_S:
            self.seen.popleft()
        began, n_then = self.seen[0]
        return max(0.0, (n_bytes - n_then) / (now - began)) if now - began > 0.5 else 0.0


class DownloadManager(QObject):
    """Loop's thread only. `fits` says whether a choice would fit into this machine's memory."""

    changed = Signal(object)
    """All of them, as a tuple of `DownloadState`."""
    arrived = Signal(object)
    """The path of a model that is whole now."""

    def __init__(self, hub: Hub, folder: Path, fits: Callable[[Choice], bool]) -> None:
        super().__init__()
        self._hub, self._folder, self._fits = hub, folder, fits
        self._all: dict[str, _One] = {}
        self._turn = asyncio.Semaphore(1)
        self._closed = False
        self._tasks = TaskSet(lambda error, name: None)

    @property
    def states(self) -> tuple[DownloadState, ...]:
        return tuple(one.state for one in self._all.values())

    async def read_unfinished(self) -> None:
        """Those of an earlier time stand paused."""
        for choice in await asyncio.to_thread(unfinished, self._folder):
            if choice.repo not in self._all:
                n_kept = Download(self._hub, choice, self._folder).n_kept
                state = DownloadState(
                    choice.repo, choice.name, "paused", choice.quantisation, n_kept, choice.size_bytes
                )
                self._all[choice.repo] = _One(state, choice)
        self._tell()

    def start(self, repo: str, name: str) -> None:
        """The quantisation of `repo` that is best here. What is on its way already goes on."""
        if repo in self._all:
            self.resume(repo)
            return
        self._all[repo] = _One(DownloadState(repo, name, "asking"))
        self._go(repo)

    def pause(self, key: str) -> None:
        """At once; what came is kept."""
        one = self._all.get(key)
        if one is not None and one.state.runs:
            one.wanted = False
            if one.running is not None:
                one.running.stop.set()
            self._set(one, stage="paused", bytes_per_s=0.0)

    def resume(self, key: str) -> None:
        one = self._all.get(key)
        if one is not None and not one.state.runs:
            self._go(key)

    def cancel(self, key: str) -> None:
        """Ends it and deletes what came."""
        one = self._all.pop(key, None)
        if one is None:
            return
        one.wanted = False
        if one.running is not None:
            one.running.stop.set()  # its own task deletes, once the file is closed
        elif one.choice is not None:
            self._tasks.spawn(asyncio.to_thread(Download(self._hub, one.choice, self._folder).forget), "forget")
        self._tell()

    async def aclose(self) -> None:
        """Pauses all of them. Idempotent."""
        self._closed = True
        for one in self._all.values():
            one.wanted = False
            if one.running is not None:
                one.running.stop.set()
        await self._tasks.aclose()

    def _go(self, key: str) -> None:
        one = self._all[key]
        one.wanted = True
        one.seen.clear()
        self._set(one, stage="waiting" if one.choice is not None else "asking", error=None, bytes_per_s=0.0)
        self._tasks.spawn(self._run(one), f"download {key}")

    async def _run(self, one: _One) -> None:
        try:
            if one.choice is None:
                one.choice = await asyncio.to_thread(self._choose, one.state.key)
            choice = one.choice
            self._set(one, stage="waiting", quantisation=choice.quantisation, size_bytes=choice.size_bytes)
            async with self._turn:
                if not one.wanted:
                    return
                path = await self._fetch(one, Download(self._hub, choice, self._folder))
        except HubError as error:
            await self._fail(one, error)
        except Stopped:
            if one.state.key not in self._all and one.choice is not None and not self._closed:
                await asyncio.to_thread(Download(self._hub, one.choice, self._folder).forget)
        except Exception as error:  # whatever it is: a download that has ended must not look as if it went on
            await self._fail(one, HubError(f"{type(error).__name__}: {error}"))
        else:
            self._all.pop(one.state.key, None)
            self._tell()
            self.arrived.emit(path)

    async def _fail(self, one: _One, error: HubError) -> None:
        if one.wanted:
            n_bytes = one.state.n_bytes if one.choice is None else await asyncio.to_thread(self._kept, one.choice)
            self._set(one, stage="failed", error=error, bytes_per_s=0.0, n_bytes=n_bytes)

    def _choose(self, repo: str) -> Choice:
        return choose(self._hub.choices(repo), self._fits)

    def _kept(self, choice: Choice) -> int:
        return Download(self._hub, choice, self._folder).n_kept

    async def _fetch(self, one: _One, download: Download) -> Path:
        """On a thread of its own, since it takes hours; the pool has more to do."""
        loop = asyncio.get_running_loop()
        one.running = download
        self._set(one, stage="fetching")

        def report(progress: Progress) -> None:
            call_in(loop, self._heard, one, download, progress)

        done = detached("inglenook-download", download.run, report)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            download.stop.set()
            await asyncio.wait([done], timeout=PURGE_ON_CLOSE_S)  # so that the file is closed
            if done.done() and not done.cancelled():
                done.exception()
            raise
        finally:
            one.running = None

    def _heard(self, one: _One, download: Download, progress: Progress) -> None:
        if one.running is not download or not one.wanted:
            return
        speed = one.speed(progress.n_bytes) if progress.step == "fetching" else 0.0
        self._set(one, stage=progress.step, n_bytes=progress.n_bytes, bytes_per_s=speed)

    def _set(self, one: _One, **changes: object) -> None:
        one.state = replace(one.state, **changes)  # type: ignore[arg-type]
        self._tell()

    def _tell(self) -> None:
        if not self._closed:
            self.changed.emit(self.states)
