"""Downloads models from the hub into the profile's folder, one at a time, in the order in which they were started."""

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
from engine.library.download import Download, DownloadProgress, Stopped, unfinished_variants
from engine.library.hub import Hub, ModelVariant, choose_variant
from engine.library.hub_errors import HubError

Stage = Literal["resolving", "waiting", "fetching", "verifying", "paused", "failed"]

SPEED_WINDOW_S = 6.0
CLOSE_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class DownloadState:
    """The state of one download. `key` is the name of the repository. In stage "resolving", the list of its files is
    requested from the hub. `error` is the reason of stage "failed". The partial file of a failed download is kept, and
    `DownloadManager.resume` continues it."""

    key: str
    name: str
    stage: Stage
    quantisation: str = ""
    n_bytes: int = 0
    size_bytes: int = 0
    bytes_per_s: float = 0.0
    error: HubError | None = None

    @property
    def is_active(self) -> bool:
        return self.stage in ("resolving", "waiting", "fetching", "verifying")

    @property
    def seconds_left(self) -> float:
        """Estimated time until the download is complete; 0 if unknown."""
        return (self.size_bytes - self.n_bytes) / self.bytes_per_s if self.bytes_per_s else 0.0


class _Job:
    """A download with its state. `running` is set while its file is transferred."""

    def __init__(self, state: DownloadState, choice: ModelVariant | None = None, file: str = "") -> None:
        self.state = state
        self.choice = choice
        self.file = file
        """The file to download; "" for the best one for this machine."""
        self.running: Download | None = None
        self.is_stopped = False
        """Set when the download is paused or cancelled, or the app is closed. The task of the job then ends."""
        self._progress: deque[tuple[float, int]] = deque()

    def stop(self) -> None:
        self.is_stopped = True
        if self.running is not None:
            self.running.stop.set()

    def restart(self) -> None:
        self.is_stopped = False
        self._progress.clear()

    def speed(self, n_bytes: int) -> float:
        """Transfer speed in bytes per second over the last `SPEED_WINDOW_S` seconds. `n_bytes` is the number of bytes
        transferred so far."""
        now = time.monotonic()
        self._progress.append((now, n_bytes))
        while now - self._progress[0][0] > SPEED_WINDOW_S:
            self._progress.popleft()
        start, n_start = self._progress[0]
        return max(0.0, (n_bytes - n_start) / (now - start)) if now - start > 0.5 else 0.0


class DownloadManager(QObject):
    """Owns all downloads. `fits(choice)` returns whether a model file fits into the memory of this machine; it is
    called on a pool thread. All other calls are on the event loop thread."""

    changed = Signal(object)
    """Carries a tuple with the `DownloadState` of every incomplete download."""
    arrived = Signal(object)
    """A download is complete. Carries the path of its model file."""

    def __init__(self, hub: Hub, folder: Path, fits: Callable[[ModelVariant], bool]) -> None:
        super().__init__()
        self._hub, self._folder, self._fits = hub, folder, fits
        self._jobs: dict[str, _Job] = {}
        self._turn = asyncio.Semaphore(1)
        self._closed = False
        self._tasks = TaskSet(lambda error, name: None)

    @property
    def states(self) -> tuple[DownloadState, ...]:
        return tuple(job.state for job in self._jobs.values())

    async def read_unfinished(self) -> None:
        """Add the partial downloads of earlier runs of the app as paused downloads."""
        for choice in await asyncio.to_thread(unfinished_variants, self._folder):
            if choice.repo not in self._jobs:
                n_bytes = self._download(choice).n_downloaded
                state = DownloadState(
                    choice.repo, choice.name, "paused", choice.quantisation, n_bytes, choice.size_bytes
                )
                self._jobs[choice.repo] = _Job(state, choice)
        self._report()

    def start(self, repo: str, name: str, file: str = "") -> None:
        """Download `file` of `repo`, or resume the download of `repo` if there is one. With `file` "", or if the
        repository no longer has the file, download the best quantisation that fits."""
        if repo in self._jobs:
            self.resume(repo)
            return
        self._jobs[repo] = _Job(DownloadState(repo, name, "resolving"), file=file)
        self._run_job(repo)

    def pause(self, key: str) -> None:
        """Stop the download immediately and keep its partial file."""
        job = self._jobs.get(key)
        if job is not None and job.state.is_active:
            job.stop()
            self._set(job, stage="paused", bytes_per_s=0.0)

    def resume(self, key: str) -> None:
        job = self._jobs.get(key)
        if job is not None and not job.state.is_active:
            self._run_job(key)

    def cancel(self, key: str) -> None:
        """Stop the download and delete its partial file."""
        job = self._jobs.pop(key, None)
        if job is None:
            return
        job.stop()
        if job.running is None and job.choice is not None:  # if the job is running, `_run` deletes the partial file
            self._tasks.spawn(asyncio.to_thread(self._download(job.choice).discard), "delete a partial download")
        self._report()

    async def aclose(self) -> None:
        """Pause all downloads. Idempotent."""
        self._closed = True
        for job in self._jobs.values():
            job.stop()
        await self._tasks.aclose()

    def _run_job(self, key: str) -> None:
        job = self._jobs[key]
        job.restart()
        self._set(job, stage="waiting" if job.choice is not None else "resolving", error=None, bytes_per_s=0.0)
        self._tasks.spawn(self._run(job), f"download {key}")

    async def _run(self, job: _Job) -> None:
        try:
            if job.choice is None:
                job.choice = await asyncio.to_thread(self._choose, job.state.key, job.file)
            choice = job.choice
            self._set(job, stage="waiting", quantisation=choice.quantisation, size_bytes=choice.size_bytes)
            async with self._turn:
                if job.is_stopped:
                    return
                path = await self._transfer(job, self._download(choice))
        except HubError as error:
            await self._fail(job, error)
        except Stopped:
            if job.state.key not in self._jobs and job.choice is not None and not self._closed:
                await asyncio.to_thread(self._download(job.choice).discard)
        except Exception as error:  # catches every exception, because a failed download must not be shown as active
            await self._fail(job, HubError(f"{type(error).__name__}: {error}"))
        else:
            self._jobs.pop(job.state.key, None)
            self._report()
            self.arrived.emit(path)

    async def _fail(self, job: _Job, error: HubError) -> None:
        if not job.is_stopped:
            n_bytes = job.state.n_bytes
            if job.choice is not None:
                n_bytes = await asyncio.to_thread(lambda choice: self._download(choice).n_downloaded, job.choice)
            self._set(job, stage="failed", error=error, bytes_per_s=0.0, n_bytes=n_bytes)

    def _choose(self, repo: str, file: str) -> ModelVariant:
        return choose_variant(self._hub.variants(repo), self._fits, file)

    def _download(self, choice: ModelVariant) -> Download:
        return Download(self._hub, choice, self._folder)

    async def _transfer(self, job: _Job, download: Download) -> Path:
        """Transfer the file on a daemon thread. A transfer may take hours, and would occupy a thread of the pool
        meanwhile."""
        loop = asyncio.get_running_loop()
        job.running = download
        self._set(job, stage="fetching")

        def report(progress: DownloadProgress) -> None:
            call_in(loop, self._show_progress, job, download, progress)

        done = detached("inglenook-download", download.run, report)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            download.stop.set()
            await asyncio.wait([done], timeout=CLOSE_TIMEOUT_S)  # waits until the thread has closed the file
            if done.done() and not done.cancelled():
                done.exception()  # without this, asyncio logs that the exception was never retrieved
            raise
        finally:
            job.running = None

    def _show_progress(self, job: _Job, download: Download, progress: DownloadProgress) -> None:
        if job.running is not download or job.is_stopped:
            return
        speed = job.speed(progress.n_bytes) if progress.step == "fetching" else 0.0
        self._set(job, stage=progress.step, n_bytes=progress.n_bytes, bytes_per_s=speed)

    def _set(self, job: _Job, **changes: object) -> None:
        job.state = replace(job.state, **changes)  # type: ignore[arg-type]
        self._report()

    def _report(self) -> None:
        if not self._closed:
            self.changed.emit(self.states)
