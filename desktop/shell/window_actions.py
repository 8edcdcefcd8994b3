"""The actions of the main window: start a chat, show a page, undo, quit."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QCoreApplication

from desktop.framework.actions import Action
from desktop.framework.app_window import AppWindow
from desktop.shell.page_list import PAGES
from desktop.sidebar.sidebar import Sidebar

translate = QCoreApplication.translate


def window_actions(window: AppWindow, sidebar: Sidebar) -> list[Action]:
    """Creates the actions of the main window. GUI thread only."""
    undo_stack = window.undo_stack
    return [
        Action("new_chat", translate("actions", "New chat"), sidebar.new_chat_requested.emit, "Ctrl+N"),
        Action("search", translate("actions", "Search all chats"), window.show_search, "Ctrl+Shift+F"),
        *(
            Action(
                page.action_id or f"go_{page.id}", page.shown_command, partial(window.show_page, page.id), page.shortcut
            )
            for page in PAGES
        ),
        Action(
            "undo_deletion",
            translate("actions", "Undo the last deletion"),
            undo_stack.undo,
            "Ctrl+Z",
            is_possible=lambda: not undo_stack.is_empty,
        ),
        Action("quit", translate("actions", "Quit Inglenook"), window.quit, "Ctrl+Q"),
    ]
