"""The requests of tools as a Qt list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject

from desktop.endpoint.activity import ToolRequest
from desktop.widgets.row_list import KeyedList

MAX_ROWS = 50
"""Under way and ended together; what is under way is always shown."""


class RequestList(KeyedList[ToolRequest]):
    """Under way first, then what has ended. `describe` tells one in a sentence. GUI thread."""

    def __init__(self, describe: Callable[[ToolRequest], str], parent: QObject | None = None) -> None:
        super().__init__(lambda call: call.id, lambda call: call.key, describe, parent)

    def show(self, wanted: Sequence[ToolRequest]) -> None:
        """Puts the first `MAX_ROWS` of these in the place of the rows, and all that are under way."""
        n_live = sum(call.live for call in wanted)
        super().show(wanted[: max(MAX_ROWS, n_live)])
