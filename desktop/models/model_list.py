"""Qt list model of models: local files, entries of the catalogue, or search results of the hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject

from desktop.models.machine_capacity import MachineCapacity
from desktop.widgets.row_list import KeyedList
from engine.adapter import Adapter
from engine.devices.offload import Offload
from engine.errors import EngineError, Reason
from engine.files.display_name import display_name
from engine.library.catalogue import Ability, CatalogueEntry
from engine.library.hub import HubModel
from engine.library.memory_fit import MemoryFit, estimate_fit_from_size
from engine.library.model_metadata import ADAPTER_REASON
from engine.library.model_scan import ModelFile

Place = Literal["disk", "catalogue", "hub"]
Use = Literal["", "loading", "in_use"]

BYTES_PER_PARAM = 0.61
"""Bytes per parameter of a 4-bit quantisation. It estimates the file size of search results, which state only the
number of parameters."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model in a list. `key` is the path of a local file, else the name of the repository. Unknown values are "", 0
    or None."""

    key: str
    place: Place
    name: str
    quantisation: str = ""
    size_bytes: int = 0
    fit: MemoryFit | None = None
    use: Use = ""
    progress: float = 0.0
    """Progress of the load in progress, from 0 to 1."""
    fault: str = ""
    """Why the file is unusable, as a clause that `desktop.error_reasons.translated_reason` translates; "" if it is
    usable."""
    licence: str = ""
    good_for: str = ""
    maker: str = ""
    n_params: int = 0
    n_ctx_train: int = 0
    n_downloads: int = 0
    adapters: tuple[str, ...] = ()
    """Names of the LoRA adapters that change the model's answers, or will after the next load."""
    is_bundled: bool = False
    """Whether this is the default model that is installed with Inglenook."""
    gated: bool = False
    """Whether the hub requires that the user accepts the terms of the model before the download."""
    is_local: bool = False
    """Whether this model of the catalogue or the hub was downloaded, or its download was started."""
    file: str = ""
    """The file of the repository that a download fetches; "" for the best one for this machine."""
    abilities: tuple[Ability, ...] = ()
    is_size_exact: bool = True
    is_best: bool = False
    """Whether this model of the catalogue suits this computer best."""
    placement: Offload | None = None
    """What computes the model, or would compute it; None if there is no graphics card."""
    n_layers_wanted: int = 0
    """See `engine.status.ModelInfo`; 0 if the model is not loaded."""
    has_experts: bool = False
    load_errors: tuple[EngineError, ...] = ()
    """Why the model was loaded without its draft model or an adapter."""

    @property
    def path(self) -> Path:
        return Path(self.key)

    @property
    def is_adapter(self) -> bool:
        """Whether the file is a LoRA adapter and not a model."""
        return isinstance(self.fault, Reason) and self.fault.template == ADAPTER_REASON

    @property
    def can_load(self) -> bool:
        return self.place == "disk" and not self.fault and not self.use and not self.is_too_big

    @property
    def can_download(self) -> bool:
        return self.place != "disk" and not self.is_local and not self.is_too_big and not self.gated

    @property
    def is_too_big(self) -> bool:
        return self.fit is not None and self.fit.verdict == "too_big"


class ModelList(KeyedList[ModelRow]):
    """Qt list of `ModelRow`. `describe` returns the accessible text of a row. GUI thread only."""

    def __init__(self, describe: Callable[[ModelRow], str], parent: QObject | None = None) -> None:
        super().__init__(lambda row: row.key, lambda row: row.name, describe, parent)


def row_of_file(
    model: ModelFile,
    fit: MemoryFit | None,
    use: Use,
    progress: float,
    *,
    is_bundled: bool,
    adapters: Sequence[Adapter] = (),
    placement: Offload | None = None,
) -> ModelRow:
    metadata = model.metadata
    return ModelRow(
        str(model.path),
        "disk",
        model.name,
        model.quantisation,
        model.size_bytes,
        fit,
        use,
        progress,
        model.problem,
        metadata.licence if metadata is not None else "",
        n_params=metadata.n_params if metadata is not None else 0,
        n_ctx_train=metadata.n_ctx_train if metadata is not None else 0,
        adapters=tuple(display_name(each.path.stem) for each in adapters if each.scale),
        is_bundled=is_bundled,
        placement=placement,
        has_experts=metadata is not None and metadata.has_experts,
    )


def fit_of_catalogue_entry(entry: CatalogueEntry, capacity: MachineCapacity) -> MemoryFit | None:
    """None if the memory of the machine is unknown."""
    return _estimated_fit(entry.size_bytes, entry.n_params, entry.n_ctx_train, capacity, entry.n_active)


def row_of_catalogue_entry(
    entry: CatalogueEntry, capacity: MachineCapacity, *, is_local: bool, is_best: bool = False
) -> ModelRow:
    fit = fit_of_catalogue_entry(entry, capacity)
    return ModelRow(
        entry.repo,
        "catalogue",
        entry.name,
        entry.quantisation,
        entry.size_bytes,
        fit,
        licence=entry.licence,
        good_for=entry.good_for,
        n_params=entry.n_params,
        n_ctx_train=entry.n_ctx_train,
        is_local=is_local,
        file=entry.file,
        abilities=entry.abilities,
        is_size_exact=entry.is_size_exact,
        is_best=is_best,
        placement=placement_of(fit, capacity),
    )


def row_of_hub_model(model: HubModel, capacity: MachineCapacity, *, is_local: bool) -> ModelRow:
    size_bytes = round(model.n_params * BYTES_PER_PARAM)
    fit = _estimated_fit(size_bytes, model.n_params, model.n_ctx_train, capacity)
    return ModelRow(
        model.repo,
        "hub",
        model.name,
        size_bytes=size_bytes,
        fit=fit,
        licence=model.licence,
        maker=model.maker,
        n_params=model.n_params,
        n_ctx_train=model.n_ctx_train,
        n_downloads=model.n_downloads,
        gated=model.gated,
        is_local=is_local,
        is_size_exact=False,
        placement=placement_of(fit, capacity),
    )


def placement_of(fit: MemoryFit | None, capacity: MachineCapacity) -> Offload | None:
    """What would compute a model; None if there is no graphics card, or if the model does not fit."""
    return fit.offload if fit is not None and capacity.cards and fit.verdict != "too_big" else None


@lru_cache(1024)  # planning the layers of all models for a card takes longer than a frame
def _estimated_fit(
    size_bytes: int, n_params: int, n_ctx_train: int, capacity: MachineCapacity, n_active: int = 0
) -> MemoryFit | None:
    """Estimates whether the model fits into memory. None if its size or the memory of the machine is unknown."""
    if not (size_bytes and capacity.total):
        return None
    return estimate_fit_from_size(
        size_bytes,
        n_params,
        n_ctx_train,
        capacity.free,
        capacity.total,
        capacity.bytes_per_s,
        n_active,
        capacity.cards,
    )
