"""The models that there are: on this computer, in the catalogue, on the hub; what each costs, and which is used."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from desktop.models import strings
from desktop.models.download_manager import DownloadManager
from desktop.models.load_options import LoadOptions
from desktop.models.machine_capacity import CapacityEstimator
from desktop.models.model_list import ModelList
from desktop.models.model_row import ModelRow, Use, row_of_entry, row_of_file, row_of_hub
from desktop.platform.daemon_thread import detached
from desktop.platform.task_set import TaskSet
from desktop.settings.settings_file import Settings
from engine.backend import LoadSettings
from engine.events import Status
from engine.files.profile import Profile
from engine.library import default_model
from engine.library.catalogue import CatalogueEntry, catalogue
from engine.library.hub import Choice, Hub, HubModel
from engine.library.hub_errors import HubError
from engine.library.memory_fit import MemoryFit, estimate_fit, estimate_fit_from_size
from engine.library.model_metadata import pretty_name
from engine.library.model_scan import ModelFile, Scan, look, scan
from engine.library.model_scan_cache import ModelScanCache
from engine.library.throughput_estimate import ThroughputEstimate

HubSearchStage = Literal["idle", "asking", "found", "failed"]
Remember = Callable[..., None]


@dataclass(frozen=True, slots=True)
class LibraryState:
    """`hub_text` is what was asked of the hub; `error` belongs to "failed"."""

    scanning: bool = False
    folders: tuple[Path, ...] = ()
    unreadable: tuple[Path, ...] = ()
    filter: str = ""
    hub: HubSearchStage = "idle"
    hub_text: str = ""
    error: HubError | None = None


class LibraryController(QObject):
    """Looks at nothing and asks nobody before its page is seen. `remember(**changes)` keeps settings. GUI thread."""

    changed = Signal(object)
    """The `LibraryState`."""
    disk_changed = Signal()
    """`row_of` may say something else, also of a model that the list does not show."""
    room_changed = Signal(object)
    failed = Signal(object)

    def __init__(self, profile: Profile, hub: Hub, settings: Settings, remember: Remember) -> None:
        super().__init__()
        self.on_disk, self.suggested, self.on_hub = (ModelList(strings.sentence, self) for _ in range(3))
        self.downloads = DownloadManager(hub, profile.models, self.would_fit)
        self.state = LibraryState(folders=tuple(Path(folder) for folder in settings.model_folders))
        self._measured = CapacityEstimator(ThroughputEstimate(profile.machine))
        self._profile, self._hub, self._remember = profile, hub, remember
        self._choices = {path: LoadOptions.of(kept) for path, kept in settings.model_settings.items()}
        self._tried: dict[str, LoadOptions] = {}
        """What was chosen and not loaded yet: estimates follow it, and nothing else."""
        self._cache = ModelScanCache(profile.library)
        self._files: tuple[ModelFile, ...] = ()
        self._entries: tuple[CatalogueEntry, ...] = ()
        self._hub_found: tuple[HubModel, ...] = ()
        self.loaded = LoadOptions()
        """How the model in use was loaded."""
        self._status = Status("empty")
        self._used: Path | None = None
        self._stop = threading.Event()
        self._opened = False
        self._scanning = asyncio.Lock()
        self._asked = 0
        self._tasks = TaskSet(lambda error, name: self.failed.emit(error))
        self.downloads.arrived.connect(lambda path: self.refresh())
        self.downloads.changed.connect(lambda states: self._show_elsewhere())

    # What there is

    def open(self) -> None:
        """The page is seen: what is there is listed, and again each time it is seen."""
        if not self._opened:
            self._opened = True
            self._tasks.spawn(self._prepare(), "get the library ready")
        self.refresh()

    def refresh(self) -> None:
        if self._opened:
            self._tasks.spawn(self._scan(), "list the models")

    def add_folder(self, folder: Path) -> None:
        if folder not in self.state.folders:
            self._keep_folders((*self.state.folders, folder))

    def remove_folder(self, folder: Path) -> None:
        """Forgets the folder; its files stay where they are."""
        self._keep_folders(tuple(each for each in self.state.folders if each != folder))

    def find(self, text: str) -> None:
        """Shows what has these words in its name, of what is known here. Asks nobody."""
        self._set(filter=text.strip())
        if not text.strip():
            self._forget_hub()
        self._show_all()

    def search_hub(self, text: str) -> None:
        """Asks the hub for models of this name. The last one that was asked for counts."""
        if text.strip():
            self._asked += 1
            self._tasks.spawn(self._search(text.strip(), self._asked), "search the hub")

    def download(self, row: ModelRow) -> None:
        self.downloads.start(row.key, row.name)

    # What is used, and how

    def show_status(self, status: Status, path: Path | None) -> None:
        """Where the engine stands, and the file that it has, or takes up."""
        changed = (status.state, status.model) != (self._status.state, self._status.model)
        self._status, self._used = status, path
        if changed:
            self._measure_room()
        self._show_disk()

    def learn_speed(self, tokens_per_s: float) -> None:
        """What an answer has shown: the estimates of all other models follow it."""
        model = self.file_of(self._used) if self._used is not None and self._status.state == "ready" else None
        if model is not None and model.metadata is not None and self._measured.learn(tokens_per_s, model.metadata):
            self._measure_room()
            self._show_all()

    def choice_of(self, path: Path) -> LoadOptions:
        """How the person wants it, whether it was loaded so or not."""
        return self._tried.get(str(path)) or self._choices.get(str(path), LoadOptions())

    def settings_of(self, path: Path) -> LoadSettings:
        """Asked for when the file is loaded."""
        self.loaded = self._choices.get(str(path), LoadOptions())
        return self.loaded.settings

    def choose(self, path: Path, choice: LoadOptions) -> None:
        """How this file would be loaded; in force from the next `apply`."""
        self._tried[str(path)] = choice
        self._show_disk()

    def apply(self, path: Path) -> None:
        """The person has this file loaded as they chose: keeps that."""
        choice = self._tried.pop(str(path), None)
        if choice is None:
            return
        self._choices[str(path)] = choice
        kept = {each: kept for each, choice in self._choices.items() if (kept := choice.kept())}
        self._remember(model_settings=kept)
        self._show_disk()

    def file_of(self, path: Path) -> ModelFile | None:
        return next((file for file in self._files if file.path == path), None)

    def row_of(self, path: Path) -> ModelRow | None:
        """Whether or not the list shows it; None where there is no such file."""
        model = self.file_of(path)
        return self._disk_row(model) if model is not None else None

    def fit_of(self, model: ModelFile, choice: LoadOptions) -> MemoryFit | None:
        room = self._measured.room
        if model.metadata is None or not room.total:
            return None
        return estimate_fit(model.metadata, choice.settings, room.free, room.total, room.bytes_per_s)

    def would_fit(self, choice: Choice) -> bool:
        """Any thread."""
        room = self._measured.room
        foreseen = estimate_fit_from_size(choice.size_bytes, 0, 0, room.free, room.total, room.bytes_per_s)
        return foreseen.verdict == "fits" or not room.total

    async def aclose(self) -> None:
        """Idempotent."""
        self._stop.set()
        await self.downloads.aclose()
        await self._tasks.aclose()

    async def _prepare(self) -> None:
        self._measure_room()
        self._entries = await asyncio.to_thread(catalogue)
        self._show_elsewhere()
        await self.downloads.read_unfinished()
        await asyncio.to_thread(self._measured.measure_pace)
        self._measure_room()
        self._show_all()

    async def _scan(self) -> None:
        async with self._scanning:
            first = not self._files
            self._set(scanning=True)
            default = default_folder()
            folders = (self._profile.models, *self.state.folders, default)
            try:
                found = await detached("scan-models", self._look_into, folders, first)
            finally:
                self._set(scanning=False)
            self._files = found.models
            own = {self._profile.models, default}
            self._set(unreadable=tuple(folder for folder in found.unreadable if folder not in own))
            await self._add_used()
            self._show_all()

    def _look_into(self, folders: Sequence[Path], first: bool) -> Scan:
        """Pool thread."""
        if first:
            self._cache.load()
        found = scan(folders, self._cache, self._stop.is_set)
        self._cache.save()
        return found

    async def _add_used(self) -> None:
        """The model in use is listed wherever it lies."""
        path = self._used
        if path is not None and self._status.state in ("ready", "loading") and self.file_of(path) is None:
            self._files = (*self._files, await detached("look-at-model", look, path, self._cache))

    async def _search(self, text: str, number: int) -> None:
        self._hub_found = ()
        self._set(hub="asking", hub_text=text, error=None)
        self._show_elsewhere()
        try:
            found = await asyncio.to_thread(self._hub.search, text)
        except Exception as error:  # whatever it is: "asking" must not stay
            if number == self._asked:
                known = error if isinstance(error, HubError) else HubError(f"{type(error).__name__}: {error}")
                self._set(hub="failed", error=known)
            return
        if number == self._asked:
            self._hub_found = found
            self._set(hub="found")
            self._show_elsewhere()

    def _forget_hub(self) -> None:
        self._asked += 1
        self._hub_found = ()
        self._set(hub="idle", hub_text="", error=None)

    def _keep_folders(self, folders: tuple[Path, ...]) -> None:
        self._set(folders=folders)
        self._remember(model_folders=[str(folder) for folder in folders])
        self.refresh()

    def _measure_room(self) -> None:
        if self._measured.measure(self._status):
            self.room_changed.emit(self._measured.room)

    def _show_all(self) -> None:
        self._show_disk()
        self._show_elsewhere()

    def _show_disk(self) -> None:
        rows = [self._disk_row(model) for model in self._files]
        rows = [row for row in rows if self._is_found(row)]
        rows.sort(key=lambda row: (not row.use, bool(row.fault)))
        self.on_disk.show(rows)
        self.disk_changed.emit()

    def _disk_row(self, model: ModelFile) -> ModelRow:
        use: Use = ""
        if model.path == self._used:
            use = {"ready": "in_use", "loading": "loading"}.get(self._status.state, "")  # type: ignore[assignment]
        comes_with = model.path.name == default_model.FILE_NAME
        foreseen = self.fit_of(model, self.choice_of(model.path))
        return row_of_file(model, foreseen, use, self._status.progress, comes_with=comes_with)

    def _show_elsewhere(self) -> None:
        busy = {state.key for state in self.downloads.states}
        here = {file.name.casefold() for file in self._files}

        def is_here(repo: str) -> bool:
            return repo in busy or pretty_name(repo.rpartition("/")[2]).casefold() in here

        room = self._measured.room
        rows = [row_of_entry(entry, room, is_here=is_here(entry.repo)) for entry in self._entries]
        self.suggested.show([row for row in rows if not row.is_here and self._is_found(row)])
        self.on_hub.show([row_of_hub(model, room, is_here=is_here(model.repo)) for model in self._hub_found])

    def _is_found(self, row: ModelRow) -> bool:
        text = f"{row.name} {row.quantisation} {row.key}".casefold()
        return all(word in text for word in self.state.filter.casefold().split())

    def _set(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        self.changed.emit(self.state)


def default_folder() -> Path:
    """Where set-up puts the model that comes with Inglenook, whichever profile is used."""
    return Profile.default().models
