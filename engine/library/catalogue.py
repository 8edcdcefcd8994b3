"""Reads the recommended models from `resources/models/catalog.json`. Needs no network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

FILE = Path(__file__).resolve().parents[2] / "resources" / "models" / "catalog.json"

GoodFor = Literal["quick", "everyday", "languages", "reasoning", "code", "embeddings"]
Ability = Literal["thinking", "pictures", "tools"]
"""`thinking`: can reason before it answers. `pictures`: has an image encoder, in a file of its own. `tools`: its chat
template has tool calls."""


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A recommended model in one quantisation."""

    name: str
    repo: str
    file: str
    """The path of the model file in the repository; of a split model, the path of its first part."""
    quantisation: str
    size_bytes: int
    """The size of the download, all parts together."""
    n_params: int
    n_ctx_train: int
    licence: str
    """An SPDX identifier, or the name of a licence that has none."""
    architecture: str
    """The value of `general.architecture` in the file."""
    good_for: GoodFor
    abilities: tuple[Ability, ...] = ()
    n_active: int = 0
    """Parameters that are read for each token; 0 for all. Mixture-of-experts models and models with embeddings per
    layer (Gemma 4 E2B and E4B) read fewer than `n_params`."""
    is_size_exact: bool = True
    """False if only a rounded size was published."""
    rank: int = 0
    """Orders chat models by capability: a higher rank is more capable. 0 for models that cannot chat."""

    def __post_init__(self) -> None:
        """Raises ValueError if the entry is invalid."""
        if not (
            self.good_for in get_args(GoodFor)
            and set(self.abilities) <= set(get_args(Ability))
            and self.repo.count("/") == 1
            and self.file.endswith(".gguf")
            and self.size_bytes > 0
            and self.n_params >= self.n_active
            and self.can_chat == (self.rank > 0)
        ):
            raise ValueError(f"{self.name}: not an entry of the catalogue")

    @property
    def can_chat(self) -> bool:
        return self.good_for != "embeddings"


def catalogue(file: Path = FILE) -> tuple[CatalogueEntry, ...]:
    """The recommended models, smallest first.

    An error in `catalog.json` is a bug and raises an exception, because the file is part of the program."""
    found = json.loads(file.read_text(encoding="utf-8"))
    entries = [_entry(each) for each in found["models"]]
    return tuple(sorted(entries, key=lambda entry: entry.size_bytes))


def _entry(fields: dict[str, Any]) -> CatalogueEntry:
    return CatalogueEntry(**{**fields, "abilities": tuple(fields.get("abilities", ()))})
