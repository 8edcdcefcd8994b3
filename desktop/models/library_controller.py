"""Provides the models page with local files, recommended models, search results, downloads and load options."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from operator import is_
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.models import strings
from desktop.models.adapter_sizes import AdapterSizes
from desktop.models.download_manager import DownloadManager
from desktop.models.hub_search import HubSearch, HubSearchState
from desktop.models.load_options import LoadOptions, LoadOptionsByFile
from desktop.models.machine_capacity import CapacityEstimator, MachineCapacity
from desktop.models.model_list import (
    ModelList,
    ModelRow,
    Use,
    fit_of_catalogue_entry,
    placement_of,
    row_of_catalogue_entry,
    row_of_file,
    row_of_hub_model,
)
from desktop.platform.daemon_thread import detached
from desktop.platform.task_set import TaskSet
from desktop.settings.current_settings import AppSettings
from engine.backend import LoadSettings
from engine.devices.device import Device
from engine.devices.offload import NO_OFFLOAD, Offload
from engine.files.profile import Profile
from engine.library import default_model
from engine.library.catalogue import CatalogueEntry, catalogue
from engine.library.download import SPARE_BYTES, free_disk_bytes
from engine.library.draft_candidates import draft_candidates
from engine.library.hub import Hub, ModelVariant
from engine.library.memory_fit import MemoryFit, estimate_fit, estimate_fit_from_size
from engine.library.model_metadata import ModelMetadata, pretty_name
from engine.library.model_scan import ModelFile, Scan, read_model_file, scan
from engine.library.model_scan_cache import ModelScanCache
from engine.library.mtp_layers import mtp_refusal
from engine.library.recommendation import best_for_machine
from engine.library.throughput_estimate import ThroughputEstimate
from engine.status import Status

_Models = tuple[ModelMetadata, ModelMetadata | None]
"""A model and its draft model."""


@dataclass(frozen=True, slots=True)
class LibraryState:
    """What the models page shows besides its lists. `folders` are the folders that the user added. `filter` is the text
    in the search field."""

    scanning: bool = False
    folders: tuple[Path, ...] = ()
    unreadable: tuple[Path, ...] = ()
    filter: str = ""
    hub: HubSearchState = field(default_factory=HubSearchState)


class LibraryController(QObject):
    """Provides the data of the models page. Reads no folder and sends no network request before `page_shown` is called.
    GUI thread only."""

    changed = Signal(object)
    """Carries the new `LibraryState`."""
    local_models_changed = Signal()
    """The result of `row_for` may have changed for any local model, including those that the filter hides."""
    capacity_changed = Signal(object)
    """Carries the new `MachineCapacity`."""
    failed = Signal(object)
    """A task failed. Carries its exception."""

    def __init__(self, profile: Profile, hub: Hub, settings: AppSettings) -> None:
        super().__init__()
        self.local_models, self.recommended, self.hub_results = (
            ModelList(strings.accessible_text, self) for _ in range(3)
        )
        self.downloads = DownloadManager(hub, profile.models, self.would_fit)
        self.state = LibraryState(folders=tuple(Path(folder) for folder in settings.value.model_folders))
        self.loaded_options = LoadOptions()
        """The options with which the model in memory was loaded."""
        self._profile, self._settings = profile, settings
        self._capacity = CapacityEstimator(ThroughputEstimate(profile.machine))
        self._options = LoadOptionsByFile(settings.value.model_settings)
        self._hub_search = HubSearch(hub, self._update_hub)
        self._cache = ModelScanCache(profile.library)
        self._files: tuple[ModelFile, ...] = ()
        self._entries: tuple[CatalogueEntry, ...] = ()
        self._status = Status("empty")
        self._loaded_path: Path | None = None
        self._fits: dict[tuple[Path, bool], tuple[_Models, tuple[LoadSettings, MachineCapacity, int], MemoryFit]] = {}
        """The estimates of each model, as planned (False) and as loaded (True), with all that they depend on."""
        self._stop_scan = threading.Event()
        self._was_shown = False
        self._scanning = asyncio.Lock()
        self._tasks = TaskSet(lambda error, name: self.failed.emit(error))
        self._adapter_sizes = AdapterSizes(self._tasks, self._update_local)
        self.downloads.arrived.connect(lambda path: self.refresh())
        self.downloads.changed.connect(lambda states: self._update_remote())

    def page_shown(self) -> None:
        """List the models. Called each time the models page becomes visible."""
        if not self._was_shown:
            self._was_shown = True
            self._tasks.spawn(self._prepare(), "prepare the library")
        self.refresh()

    def refresh(self) -> None:
        if self._was_shown:
            self._tasks.spawn(self._scan(), "list the models")

    def add_folder(self, folder: Path) -> None:
        if folder not in self.state.folders:
            self._set_folders((*self.state.folders, folder))

    def remove_folder(self, folder: Path) -> None:
        """Remove a folder from the list of folders with models. Its files are not changed."""
        self._set_folders(tuple(each for each in self.state.folders if each != folder))

    def filter_by(self, text: str) -> None:
        """Show only the local and recommended models whose name contains all words of `text`."""
        self._set(filter=text.strip())
        if not text.strip():
            self._hub_search.clear()
        self._update_lists()

    def search_hub(self, text: str) -> None:
        if text.strip():
            self._tasks.spawn(self._hub_search.search(text.strip()), "search the hub")

    def download(self, row: ModelRow) -> None:
        self.downloads.start(row.key, row.name, row.file)

    async def model_to_offer(self) -> tuple[CatalogueEntry, MemoryFit] | None:
        """The model of the catalogue that suits this computer best and fits on its disk; None if there is none, or if
        the user has models of their own. Sends nothing. At the first start, it measures the memory bandwidth for 0.25
        s."""
        has_own_models = await asyncio.to_thread(_has_own_models, self._profile.models)
        if self.state.folders or has_own_models:
            return None
        await self._prepare_catalogue()
        await self.downloads.read_unfinished()
        room = await asyncio.to_thread(free_disk_bytes, self._profile.models) - SPARE_BYTES
        entry = self._best_entry(room)
        fit = fit_of_catalogue_entry(entry, self._capacity.capacity) if entry is not None else None
        return (entry, fit) if entry is not None and fit is not None else None

    def update_status(self, status: Status, path: Path | None) -> None:
        """Set the status of the engine. `path` is the file that is loaded or being loaded."""
        changed = (status.state, status.model) != (self._status.state, self._status.model)
        self._status, self._loaded_path = status, path
        if changed:
            self._measure_memory()
        self._update_local()

    def set_devices(self, devices: Iterable[Device], loaded: Offload) -> None:
        """Set the graphics cards on which models can be loaded. `loaded` is where the model was that was in memory when
        they were listed."""
        self._capacity.set_devices(devices, loaded)
        self._measure_memory()
        self._update_lists()

    def would_use_card(self) -> bool:
        """Whether the processor alone computes the model in memory, and a card would if it was loaded again."""
        model = self._status.model if self._status.state == "ready" else None
        if model is None or model.memory is None or model.memory.offload.devices or model.n_layers_wanted:
            return False
        file = self.find_file(model.path)
        fit = self._fit_of(file, self._options.saved(model.path)) if file is not None else None
        return fit is not None and fit.verdict != "too_big" and fit.offload.n_layers > 0

    def add_measured_speed(self, tokens_per_s: float) -> None:
        """Correct the speed estimates of all models by the measured speed of an answer of the model in memory."""
        path = self._loaded_path if self._status.state == "ready" else None
        model = self.find_file(path) if path is not None else None
        if model is None or model.metadata is None:
            return
        memory = self._status.model.memory if self._status.model is not None else None
        offload = memory.offload if memory is not None else NO_OFFLOAD
        if self._capacity.add_measured_speed(tokens_per_s, model.metadata, offload):
            self._measure_memory()
            self._update_lists()

    @property
    def models_folder(self) -> Path:
        """The folder into which models are downloaded."""
        return self._profile.models

    @property
    def capacity(self) -> MachineCapacity:
        """The last measured capacity of this machine."""
        return self._capacity.capacity

    def options_for(self, path: Path) -> LoadOptions:
        """Returns the options that the settings sheet of the model shows: the edited options, or the saved ones if none
        were edited."""
        return self._options.current(path)

    def load_settings_for(self, path: Path) -> LoadSettings:
        """The settings to load this file with. Called when the load begins; sets `loaded_options`."""
        self.loaded_options = self._options.saved(path)
        return self.loaded_options.settings

    def saved_settings_for(self, path: Path) -> LoadSettings:
        """The settings to load this file with beside the model of the window, which has the graphics cards."""
        return replace(self._options.saved(path).settings, devices=())

    def chat_models(self) -> list[ModelRow]:
        """The rows of all local files that can answer in a chat, even those that the filter hides."""
        files = [each for each in self._files if each.metadata and "bert" not in each.metadata.architecture]
        return [row for row in map(self._local_row, files) if not row.fault and not row.is_too_big]

    def edit_options(self, path: Path, options: LoadOptions) -> None:
        """Set the edited options, and estimate memory and speed with them. `save_options` stores them for the next
        load."""
        self._options.edit(path, options)
        self._update_local()

    def save_options(self, path: Path) -> None:
        if self._options.save(path):
            self._settings.change(model_settings=self._options.to_dict())
            self._update_local()

    def find_file(self, path: Path) -> ModelFile | None:
        return next((file for file in self._files if file.path == path), None)

    def row_for(self, path: Path) -> ModelRow | None:
        """The row of a local file, even if the filter hides it; None if the file is unknown."""
        model = self.find_file(path)
        return self._local_row(model) if model is not None else None

    def plan_for(self, path: Path) -> Offload:
        """What would compute this model if it was loaded with the options that the settings sheet shows."""
        model = self.find_file(path)
        fit = self._fit_of(model, self.options_for(path)) if model is not None else None
        return fit.offload if fit is not None else NO_OFFLOAD

    def mtp_refusal_for(self, path: Path) -> str | None:
        """Why the MTP layers of this model would not be used, with the options that the settings sheet shows, or are
        not used if it is loaded with them. "" if they are, None if it has none."""
        model, loaded = self.find_file(path), self._status.model
        if model is None or model.metadata is None or not model.metadata.header.n_mtp_layers:
            return None
        options = self.options_for(path)
        in_use = loaded if self._status.state == "ready" and options == self.loaded_options else None
        if in_use is not None and in_use.path == path:
            return in_use.mtp_refusal
        return mtp_refusal(model.metadata.header, options.settings)

    def draft_models_for(self, path: Path) -> list[ModelFile]:
        """The local models that can be the draft model of this one."""
        model = self.find_file(path)
        return draft_candidates(model, self._files) if model is not None else []

    def would_fit(self, choice: ModelVariant) -> bool:
        """Whether a model file of the hub would fit into the memory of this machine. Thread-safe."""
        capacity = self._capacity.capacity
        estimate = estimate_fit_from_size(
            choice.size_bytes, 0, 0, capacity.free, capacity.total, capacity.bytes_per_s, cards=capacity.cards
        )
        return estimate.verdict in ("fits", "slow") or not capacity.total

    async def aclose(self) -> None:
        """Pause the downloads and end all tasks. Idempotent."""
        self._stop_scan.set()
        await self.downloads.aclose()
        await self._tasks.aclose()

    async def _prepare(self) -> None:
        self._measure_memory()
        await self._read_catalogue()
        self._update_remote()
        await self.downloads.read_unfinished()
        await self._prepare_catalogue()
        self._update_lists()

    async def _prepare_catalogue(self) -> None:
        await self._read_catalogue()
        await asyncio.to_thread(self._capacity.measure_throughput)
        self._measure_memory()

    async def _read_catalogue(self) -> None:
        if not self._entries:
            self._entries = await asyncio.to_thread(catalogue)

    def _best_entry(self, room: float = math.inf) -> CatalogueEntry | None:
        """`room`: the most bytes that the model may take on the disk."""
        capacity = self._capacity.capacity
        entries = [entry for entry in self._entries if entry.size_bytes <= room]
        return best_for_machine(entries, lambda entry: fit_of_catalogue_entry(entry, capacity), capacity.total)

    async def _scan(self) -> None:
        async with self._scanning:
            first = not self._files
            self._set(scanning=True)
            own = (self._profile.models, default_model_folder())
            folders = (own[0], *self.state.folders, own[1])
            try:
                found = await detached("scan-models", self._scan_folders, folders, first)
            finally:
                self._set(scanning=False)
            self._files = found.models
            self._set(unreadable=tuple(folder for folder in found.unreadable if folder not in own))
            await self._add_loaded_file()
            self._update_lists()

    def _scan_folders(self, folders: Sequence[Path], first: bool) -> Scan:
        """Read the metadata of all model files in the folders. Blocks; runs on a daemon thread."""
        if first:
            self._cache.load()
        found = scan(folders, self._cache, self._stop_scan.is_set)
        self._cache.save()
        return found

    async def _add_loaded_file(self) -> None:
        """Add the model in memory to the list, even if its folder is not scanned."""
        path = self._loaded_path
        if path is not None and self._status.state in ("ready", "loading") and self.find_file(path) is None:
            self._files = (*self._files, await detached("read-model-file", read_model_file, path, self._cache))

    def _set_folders(self, folders: tuple[Path, ...]) -> None:
        self._set(folders=folders)
        self._settings.change(model_folders=[str(folder) for folder in folders])
        self.refresh()

    def _measure_memory(self) -> None:
        if self._capacity.measure_memory(self._status):
            self.capacity_changed.emit(self._capacity.capacity)

    def _update_lists(self) -> None:
        self._update_local()
        self._update_remote()

    def _update_local(self) -> None:
        rows = [self._local_row(model) for model in self._files]
        rows = [row for row in rows if self._matches_filter(row)]
        rows.sort(key=lambda row: (not row.use, bool(row.fault)))
        self.local_models.show(rows)
        self.local_models_changed.emit()

    def _local_row(self, model: ModelFile) -> ModelRow:
        use: Use = ""
        if model.path == self._loaded_path:
            use = {"ready": "in_use", "loading": "loading"}.get(self._status.state, "")  # type: ignore[assignment]
        is_bundled = model.path.name == default_model.FILE_NAME
        options = self.options_for(model.path)
        loaded = self._status.model if use == "in_use" else None
        adapters = options.adapters if loaded is None else loaded.adapters
        estimate = self._fit_of(model, options)
        placement = placement_of(estimate, self.capacity)
        if placement is not None and loaded is not None and loaded.memory is not None:
            placement = loaded.memory.offload
            if options == self.loaded_options:
                estimate = self._fit_of(model, options, placement)
        progress = self._status.progress
        row = row_of_file(model, estimate, use, progress, is_bundled=is_bundled, adapters=adapters, placement=placement)
        if loaded is not None:
            row = replace(row, n_layers_wanted=loaded.n_layers_wanted, load_errors=loaded.load_errors)
        return row

    def _fit_of(self, model: ModelFile, options: LoadOptions, placement: Offload | None = None) -> MemoryFit | None:
        """`placement` replaces what would be planned for the model."""
        capacity = self._capacity.capacity
        if model.metadata is None or not capacity.total:
            return None
        settings = options.settings
        if placement is not None:
            settings = replace(
                settings,
                devices=placement.devices,
                n_gpu_layers=placement.n_layers,
                n_cpu_experts=placement.n_cpu_experts,
            )
        draft = self.find_file(settings.draft_model) if settings.draft_model is not None else None
        models = model.metadata, draft.metadata if draft is not None else None
        adapter_bytes = self._adapter_sizes.total(settings.adapters)
        key, basis = (model.path, placement is not None), (settings, capacity, adapter_bytes)
        known = self._fits.get(key)
        if known is None or not all(map(is_, known[0], models)) or known[1] != basis:
            fit = estimate_fit(
                model.metadata,
                settings,
                capacity.free,
                capacity.total,
                capacity.bytes_per_s,
                capacity.cards,
                draft=models[1],
                adapter_bytes=adapter_bytes,
            )
            known = self._fits[key] = models, basis, fit
        return known[2]

    def _update_hub(self) -> None:
        self._set(hub=self._hub_search.state)
        self._update_remote()

    def _update_remote(self) -> None:
        downloading = {state.key for state in self.downloads.states}
        local_names = {file.name.casefold() for file in self._files}
        local_files = {file.path.name.casefold() for file in self._files}

        def is_local(repo: str, file: str = "") -> bool:
            has_file = bool(file) and file.rpartition("/")[2].casefold() in local_files
            return has_file or repo in downloading or pretty_name(repo.rpartition("/")[2]).casefold() in local_names

        capacity, found, best = self._capacity.capacity, self.state.hub.found, self._best_entry()
        rows = [
            row_of_catalogue_entry(each, capacity, is_local=is_local(each.repo, each.file), is_best=each is best)
            for each in self._entries
        ]
        rows.sort(key=lambda row: not row.is_best)
        self.recommended.show([row for row in rows if not row.is_local and self._matches_filter(row)])
        self.hub_results.show([row_of_hub_model(each, capacity, is_local=is_local(each.repo)) for each in found])

    def _matches_filter(self, row: ModelRow) -> bool:
        text = f"{row.name} {row.quantisation} {row.key}".casefold()
        return all(word in text for word in self.state.filter.casefold().split())

    def _set(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        self.changed.emit(self.state)


def _has_own_models(folder: Path) -> bool:
    return any(path.name != default_model.FILE_NAME for path in folder.glob("*.gguf"))


def default_model_folder() -> Path:
    """The folder into which the installer puts the bundled model. It is the same for all profiles."""
    return Profile.default().models
