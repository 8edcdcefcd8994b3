"""Offers to download the model that suits this computer best, while there is no model or only the included one."""

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
from engine.errors import ModelFileError
from engine.library import default_model
from engine.library.catalogue import CatalogueEntry
from engine.library.memory_fit import MemoryFit
from engine.status import Status

OfferStage = Literal["offered", "downloading", "downloaded"]


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """`download` is set in stage "downloading", also for a download that is paused or failed. `path` is set in stage
    "downloaded". `is_first` says that there is no model that can be loaded."""

    entry: CatalogueEntry
    fit: MemoryFit
    stage: OfferStage = "offered"
    download: DownloadState | None = None
    path: Path | None = None
    is_first: bool = False

    @property
    def has_failed(self) -> bool:
        return self.download is not None and self.download.stage == "failed"


class ModelOffer(QObject):
    """Decides when to offer a model, and follows its download. Loads nothing. GUI thread only.

    The offer is made if the included model is loaded, the user has no other models, there is a network, and the user
    did not answer the offer before. If the included model is missing or damaged, the offer is made at each start.
    Nothing is sent before `accept`."""

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
        self._is_first: bool | None = None
        """Whether there is no model at all; None if a model other than the included one is there, or one is loading."""
        self._is_declined = False
        library.downloads.changed.connect(self._follow_download)
        library.downloads.arrived.connect(self._finish)

    def update_status(self, status: Status, path: Path | None) -> None:
        """Set the status of the engine. `path`: the model file that was requested last."""
        before, model = self._is_first, status.model if status.state == "ready" else None
        if model is not None:
            self._is_first = False if model.path.name == default_model.FILE_NAME else None
        else:
            self._is_first = True if _is_without_model(status, path) else None
        if model is not None and self._is_first is None:
            self._set(None)
        elif self.offered is not None and self._is_first is not None:
            self._set(replace(self.offered, is_first=self._is_first))
        elif self.offered is None and self._may_offer and self._is_first != before:
            self._tasks.spawn(self._offer(), "offer a model")

    def accept(self) -> None:
        """Download the offered model, or continue its download."""
        if self.offered is not None:
            entry = self.offered.entry
            self._accepted = replace(self.offered, stage="downloading")
            self._set(self._accepted)
            self._library.downloads.start(entry.repo, entry.name, entry.file)

    def decline(self) -> None:
        """Withdraw the offer for good. What a failed download has left is kept, and can be continued under *Models*."""
        offered, self._accepted, self._is_declined = self.offered, None, True
        self._settings.change(model_offer_answered=True)
        self._set(None)
        if offered is not None and offered.has_failed and offered.download is not None and not offered.download.n_bytes:
            self._library.downloads.cancel(offered.download.key)

    @property
    def _may_offer(self) -> bool:
        if self._is_first is None or self._is_declined:
            return False
        return self._is_first or not self._settings.value.model_offer_answered

    async def _offer(self) -> None:
        if not await asyncio.to_thread(self._is_online):
            return
        found = await self._library.model_to_offer()
        if found is not None and self._may_offer and self.offered is None:
            self._set(OfferedModel(*found, is_first=bool(self._is_first)))
            self._follow_download(self._library.downloads.states)

    def _follow_download(self, states: Sequence[DownloadState]) -> None:
        offered = self.offered
        if offered is None or offered.stage == "downloaded":
            return
        state = next((state for state in states if state.key == offered.entry.repo), None)
        if state is not None:
            self._accepted = self._accepted or offered
            self._set(replace(offered, stage="downloading", download=state))
        elif offered.download is not None:  # cancelled, or complete: then `_finish` is called next
            self._settings.change(model_offer_answered=True)
            self._set(None)

    def _finish(self, path: Path) -> None:
        accepted, self._accepted = self._accepted, None
        if accepted is None or path.name != Path(accepted.entry.file).name or self._is_first is None:
            return
        self._set(replace(accepted, stage="downloaded", download=None, path=path, is_first=self._is_first))

    def _set(self, offered: OfferedModel | None) -> None:
        if offered != self.offered:
            self.offered = offered
            self.changed.emit(offered)


def _is_without_model(status: Status, path: Path | None) -> bool:
    """Whether no model file was found, or only the included one, which cannot be used."""
    if status.state != "empty":
        return False
    return path is None or (path.name == default_model.FILE_NAME and isinstance(status.error, ModelFileError))
