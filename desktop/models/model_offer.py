"""Offers, while the included model is in use, to download the model that suits this computer best. Asks once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from desktop.models.download_manager import DownloadState
from desktop.models.library_controller import LibraryController
from desktop.platform.task_set import TaskSet
from desktop.settings.current_settings import AppSettings
from engine.library import default_model
from engine.library.catalogue import CatalogueEntry
from engine.library.memory_fit import MemoryFit
from engine.status import Status

OfferStage = Literal["offered", "downloading", "downloaded"]


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """`download` is set in stage "downloading", also for a download that is paused or failed. `path` is set in stage
    "downloaded"."""

    entry: CatalogueEntry
    fit: MemoryFit
    stage: OfferStage = "offered"
    download: DownloadState | None = None
    path: Path | None = None


class ModelOffer(QObject):
    """Decides when to offer a model, and follows its download. Loads nothing. GUI thread only.

    The offer is made if the included model is loaded, the user has no other models, there is a network, and the user
    did not answer the offer before. Nothing is sent before `accept`."""

    changed = Signal(object)
    """Carries the `OfferedModel`, or None if there is no offer."""

    def __init__(
        self,
        library: LibraryController,
        settings: AppSettings,
        tasks: TaskSet,
        is_online: Callable[[], bool],
    ) -> None:
        """`is_online` is called on a pool thread."""
        super().__init__()
        self._library, self._settings, self._tasks, self._is_online = library, settings, tasks, is_online
        self.offered: OfferedModel | None = None
        self._accepted: OfferedModel | None = None
        self._is_included_model_loaded = False
        library.downloads.changed.connect(self._follow_download)
        library.downloads.arrived.connect(self._finish)

    def update_status(self, status: Status) -> None:
        """Set the status of the engine."""
        was_loaded = self._is_included_model_loaded
        model = status.model if status.state == "ready" else None
        self._is_included_model_loaded = model is not None and model.path.name == default_model.FILE_NAME
        if self._is_included_model_loaded and not was_loaded and self.offered is None and not self._is_answered:
            self._tasks.spawn(self._offer(), "offer a model")
        elif model is not None and not self._is_included_model_loaded:
            self._set(None)

    def accept(self) -> None:
        """Download the offered model, or continue its download."""
        if self.offered is not None:
            entry = self.offered.entry
            self._accepted = replace(self.offered, stage="downloading")
            self._set(self._accepted)
            self._settings.change(model_offer_answered=True)
            self._library.downloads.start(entry.repo, entry.name, entry.file)

    def decline(self) -> None:
        """Withdraw the offer for good."""
        self._settings.change(model_offer_answered=True)
        self._set(None)

    @property
    def _is_answered(self) -> bool:
        return self._settings.value.model_offer_answered

    async def _offer(self) -> None:
        if not await asyncio.to_thread(self._is_online):
            return
        found = await self._library.model_to_offer()
        if found is not None and self._is_included_model_loaded and self.offered is None and not self._is_answered:
            self._set(OfferedModel(*found))

    def _follow_download(self, states: Sequence[DownloadState]) -> None:
        offered = self.offered
        if offered is None or offered.stage == "downloaded":
            return
        state = next((state for state in states if state.key == offered.entry.repo), None)
        if state is not None:
            self._accepted = self._accepted or offered
            self._set(replace(offered, stage="downloading", download=state))
        elif offered.download is not None:
            self._set(None)  # cancelled, or complete: then `_finish` is called next

    def _finish(self, path: Path) -> None:
        accepted, self._accepted = self._accepted, None
        if accepted is not None and path.name == Path(accepted.entry.file).name and self._is_included_model_loaded:
            self._set(replace(accepted, stage="downloaded", download=None, path=path))

    def _set(self, offered: OfferedModel | None) -> None:
        if offered != self.offered:
            self.offered = offered
            self.changed.emit(offered)
