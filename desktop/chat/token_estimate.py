"""The text of an estimated number of tokens."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication


def about(count: str) -> str:
    """A number of tokens that is estimated. `count` is the formatted number."""
    return QCoreApplication.translate("composer", "about {count}").format(count=count)
