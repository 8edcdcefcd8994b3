"""A model as a row of the page: on this computer, in the catalogue, or on the hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.library.catalogue import CatalogueEntry
from engine.library.hub import HubModel
from engine.library.memory_fit import MemoryFit, estimate_fit_from_size
from engine.library.model_scan import ModelFile

Place = Literal["disk", "catalogue", "hub"]
Use = Literal["", "loading", "in_use"]


@dataclass(frozen=True, slots=True)
class ModelRow:
    """`key` is the file's path, or the repository. What is not known is "", 0 or None."""

    key: str
    place: Place
    name: str
    quantisation: str = ""
    size_bytes: int = 0
    fit: MemoryFit | None = None
    use: Use = ""
    progress: float = 0.0
    fault: str = ""
    licence: str = ""
    good_for: str = ""
    maker: str = ""
    n_params: int = 0
    n_ctx_train: int = 0
    n_downloads: int = 0
    comes_with: bool = False
    gated: bool = False
    is_here: bool = False
    """Of one that lies elsewhere: it was downloaded already, or is on its way."""

    @property
    def path(self) -> Path:
        return Path(self.key)

    @property
    def can_load(self) -> bool:
        too_big = self.fit is not None and self.fit.verdict == "too_big"
        return self.place == "disk" and not self.fault and not self.use and not too_big

    @property
    def can_download(self) -> bool:
        too_big = self.fit is not None and self.fit.verdict == "too_big"
        return self.place != "disk" and not self.is_here and not too_big and not self.gated


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes of this machine, and how fast it computes. 0 where it was not measured yet."""

    free: int = 0
    total: int = 0
    bytes_per_s: float = 0.0


def row_of_file(model: ModelFile, fit: MemoryFit | None, use: Use, progress: float, *, comes_with: bool) -> ModelRow:
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
        model.fault,
        metadata.licence if metadata is not None else "",
        n_params=metadata.n_params if metadata is not None else 0,
        n_ctx_train=metadata.n_ctx_train if metadata is not None else 0,
        comes_with=comes_with,
    )


def row_of_entry(entry: CatalogueEntry, room: Room, *, is_here: bool) -> ModelRow:
    fit = estimate_fit_from_size(
        entry.size_bytes,
        entry.n_params,
        entry.n_ctx_train,
        room.free,
        room.total,
        room.bytes_per_s,
        entry.n_active,
    )
    return ModelRow(
        entry.repo,
        "catalogue",
        entry.name,
        entry.quantisation,
        entry.size_bytes,
        fit if room.total else None,
        licence=entry.licence,
        good_for=entry.good_for,
        n_params=entry.n_params,
        n_ctx_train=entry.n_ctx_train,
        is_here=is_here,
    )


BYTES_PER_PARAM = 0.61
"""In four bits, as most people take it."""


def row_of_hub(model: HubModel, room: Room, *, is_here: bool) -> ModelRow:
    size = round(model.n_params * BYTES_PER_PARAM)
    known = size and room.total
    fit = (
        estimate_fit_from_size(size, model.n_params, model.n_ctx_train, room.free, room.total, room.bytes_per_s)
        if known
        else None
    )
    return ModelRow(
        model.repo,
        "hub",
        model.name,
        size_bytes=size,
        fit=fit,
        licence=model.licence,
        maker=model.maker,
        n_params=model.n_params,
        n_ctx_train=model.n_ctx_train,
        n_downloads=model.n_downloads,
        gated=model.gated,
        is_here=is_here,
    )
