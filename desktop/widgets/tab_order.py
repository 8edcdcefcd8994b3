"""The order in which Tab goes through a window that grows."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtWidgets import QWidget


def set_tab_order(*widgets: QWidget) -> None:
    """Tab goes from the first on through the others, then to what came after the first.

    For those that are made late: Qt puts a new widget behind all others of its window."""
    for before, after in pairwise(widgets):
        QWidget.setTabOrder(before, after)
