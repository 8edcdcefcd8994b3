"""Tab order for widgets that are created late."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtWidgets import QWidget


def set_tab_order(*widgets: QWidget) -> None:
    """Put the other widgets directly after the first one in the tab order, in this order.

    Needed for widgets that are created late, which Qt puts at the end of the window's tab order."""
    for before, after in pairwise(widgets):
        QWidget.setTabOrder(before, after)
