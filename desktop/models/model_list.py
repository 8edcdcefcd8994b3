"""Models as a Qt list."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from desktop.models.model_row import ModelRow
from desktop.widgets.row_list import KeyedList


class ModelList(KeyedList[ModelRow]):
    """`describe` tells one model in a sentence. GUI thread."""

    def __init__(self, describe: Callable[[ModelRow], str], parent: QObject | None = None) -> None:
        super().__init__(lambda row: row.key, lambda row: row.name, describe, parent)
