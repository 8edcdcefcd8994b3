"""Checks LoRA adapters that a user adds to a model, before the model is loaded with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.adapter import Adapter
from engine.errors import EngineError, ModelFileError
from engine.library.adapter_file import usable_adapters
from engine.library.split_files import read_model


def check_new_adapters(paths: Sequence[Path], model: Path) -> tuple[tuple[Adapter, ...], tuple[EngineError, ...]]:
    """Returns the adapters that fit the model, with the scale 1, and why others do not. Blocks while the headers of all
    files are read."""
    try:
        header = read_model(model)
    except ModelFileError as error:
        return (), (error,)
    usable, _, errors = usable_adapters([Adapter(path) for path in paths], header)
    return usable, errors
