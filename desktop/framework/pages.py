"""How a feature declares its page. The registry of pages is `desktop.shell.page_list`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True, slots=True)
class Page:
    """The window makes the sidebar entry, the palette entry and the shortcut from this.

    Declared in `desktop/<feature>/registration.py`, which imports nothing heavy: it is read before the first paint.
    """

    id: str
    title: str
    """Marked by QT_TRANSLATE_NOOP("pages", …)."""
    icon: str
    """A file of `resources/icons`, without its suffix."""
    command: str
    """The entry of the command palette, marked by QT_TRANSLATE_NOOP("actions", …)."""
    shortcut: str
    make: Callable[[Any], QWidget]
    """Makes the page's widget, a `PageView`, and connects it, from a `desktop.services.Services` (not named here: it
    would close an import cycle). Called once, after the first paint; imports what it needs."""
    action_id: str = ""
    """By which a changed shortcut is stored; "go_<id>" if empty."""
    in_sidebar: bool = True
    on_demand: bool = False
    """Made when it is first shown."""

    @property
    def shown_title(self) -> str:
        """In the person's language."""
        return QCoreApplication.translate("pages", self.title)

    @property
    def shown_command(self) -> str:
        """In the person's language."""
        return QCoreApplication.translate("actions", self.command)
