"""Recommended models, from `resources/models/catalog.json`. Needs no network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

FILE = Path(__file__).resolve().parents[2] / "resources" / "models" / "catalog.json"

GoodFor = Literal["quick", "everyday", "languages", "reasoning", "code"]


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A recommended model in one quantisation."""

    name: str
    repo: str
    quantisation: str
    size_bytes: int
    """Approximate; the hub has the exact size."""
    n_params: int
    n_ctx_train: int
    licence: str
    good_for: GoodFor
    n_active: int = 0
    """Parameters used for one token of a mixture of experts; 0: all."""

    def __post_init__(self) -> None:
        """Raises ValueError."""
        if self.good_for not in get_args(GoodFor) or self.repo.count("/") != 1 or self.size_bytes <= 0:
            raise ValueError(f"{self.name}: not an entry of the catalogue")


def catalogue(file: Path = FILE) -> tuple[CatalogueEntry, ...]:
    """Smallest first. The file is part of the program, so errors in it are bugs and raise."""
    found = json.loads(file.read_text(encoding="utf-8"))
    entries = [CatalogueEntry(**each) for each in found["models"]]
    return tuple(sorted(entries, key=lambda entry: entry.size_bytes))
