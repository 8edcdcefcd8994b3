"""Reads the recommended models from `resources/models/catalog.json`. Needs no network."""

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
    """The approximate size of the download. The hub reports the exact size."""
    n_params: int
    n_ctx_train: int
    licence: str
    good_for: GoodFor
    n_active: int = 0
    """Parameters used for each token of a mixture-of-experts model; 0 if every token uses all parameters."""

    def __post_init__(self) -> None:
        """Raises ValueError if the entry is invalid."""
        if self.good_for not in get_args(GoodFor) or self.repo.count("/") != 1 or self.size_bytes <= 0:
            raise ValueError(f"{self.name}: not an entry of the catalogue")


def catalogue(file: Path = FILE) -> tuple[CatalogueEntry, ...]:
    """The recommended models, smallest first.

    An error in `catalog.json` is a bug and raises an exception, because the file is part of the program."""
    found = json.loads(file.read_text(encoding="utf-8"))
    entries = [CatalogueEntry(**each) for each in found["models"]]
    return tuple(sorted(entries, key=lambda entry: entry.size_bytes))
