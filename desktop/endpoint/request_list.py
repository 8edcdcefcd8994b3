"""Qt list model of the requests of tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject

from desktop.endpoint.activity import ToolRequest
from desktop.widgets.row_list import KeyedList

MAX_ROWS = 50
"""Largest number of listed requests, active and ended ones together. Active ones are listed even beyond this limit."""


class RequestList(KeyedList[ToolRequest]):
    """Lists active requests first, then ended ones. The function `describe` returns the accessible text of a row. GUI
    thread only."""

    def __init__(self, describe: Callable[[ToolRequest], str], parent: QObject | None = None) -> None:
        super().__init__(lambda request: request.id, lambda request: request.key, describe, parent)

    def show(self, requests: Sequence[ToolRequest]) -> None:
        """Replace the rows by the first `MAX_ROWS` of `requests`, or by all active ones if there are more of them."""
        n_active = sum(request.is_active for request in requests)
        super().show(requests[: max(MAX_ROWS, n_active)])
