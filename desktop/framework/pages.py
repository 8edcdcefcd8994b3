"""The class with which a feature declares a page. The registry of pages is `desktop.shell.page_list`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the window. The window creates the page's sidebar entry, command palette entry and shortcut from it.

    A feature declares its page in `desktop/<feature>/registration.py`. That module is imported before the first paint,
    so it must not import anything heavy."""

    id: str
    title: str
    """The untranslated title, marked by QT_TRANSLATE_NOOP("pages", …)."""
    icon: str
    """The name of a file in `resources/icons`, without its suffix."""
    command: str
    """The untranslated name of the command palette entry, marked by QT_TRANSLATE_NOOP("actions", …)."""
    shortcut: str
    make: Callable[[Any], QWidget]
    """Creates the page's widget, a `PageView`, and connects it. The argument is a `desktop.services.Services`; naming
    that type here would be an import cycle. Called once, after the first paint; heavy imports belong inside this
    function."""
    action_id: str = ""
    """The id of the action that shows the page; "go_<id>" if empty. A shortcut that the user has changed is stored
    under this id."""
    in_sidebar: bool = True
    on_demand: bool = False
    """Whether the page's widget is created only when the page is first shown."""

    @property
    def shown_title(self) -> str:
        """The title in the language of the user interface."""
        return QCoreApplication.translate("pages", self.title)

    @property
    def shown_command(self) -> str:
        """The name of the command palette entry in the language of the user interface."""
        return QCoreApplication.translate("actions", self.command)
