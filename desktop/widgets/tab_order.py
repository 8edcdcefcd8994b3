"""Tab order for widgets that are created late."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtWidgets import QWidget


def set_tab_order(*widgets: QWidget) -> None:
    """Change the tab order of the window: the other widgets directly follow the first one. Needed for widgets that are
    created late, because Qt puts them at the end of the tab order."""
    for before, after in pairwise(widgets):
        QWidget.setTabOrder(before, after)
