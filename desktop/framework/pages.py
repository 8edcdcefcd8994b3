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
    prepare: Callable[[Any], Callable[[], QWidget]]
    """Connects the feature with the services, and returns the function that creates the page's widget, a `PageView`.

    The argument is a `desktop.services.Services`; naming that type here would be an import cycle. `prepare` is called
    once, after the first paint. The function that it returns is called once, when the page is first shown. Heavy
    imports belong inside these functions."""
    action_id: str = ""
    """The id of the action that shows the page; "go_<id>" if empty. A shortcut that the user has changed is stored
    under this id."""
    in_sidebar: bool = True

    @property
    def shown_title(self) -> str:
        """The title in the language of the user interface."""
        return QCoreApplication.translate("pages", self.title)

    @property
    def shown_command(self) -> str:
        """The name of the command palette entry in the language of the user interface."""
        return QCoreApplication.translate("actions", self.command)
