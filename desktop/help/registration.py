"""Registers the help page with its title, shortcut and factory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QT_TRANSLATE_NOOP, QLocale
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from desktop.framework.pages import Page

if TYPE_CHECKING:
    from desktop.services import Services


def _prepare(services: Services) -> Callable[[], QWidget]:
    return partial(_make, services)


def _make(services: Services) -> QWidget:
    """Create the help page. Raises OSError if the topics cannot be read."""
    from desktop.help.page import HelpPage
    from desktop.help.topics import topics

    page = HelpPage(services.window.theme, topics(QLocale().name()[:2]))
    page.view.link_activated.connect(QDesktopServices.openUrl)
    return page


HELP_PAGE = Page(
    id="help",
    title=str(QT_TRANSLATE_NOOP("pages", "Help")),
    icon="",
    command=str(QT_TRANSLATE_NOOP("actions", "Help")),
    shortcut="F1",
    prepare=_prepare,
    action_id="help",
    in_sidebar=False,
)
