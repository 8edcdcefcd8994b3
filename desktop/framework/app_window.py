"""The main window as features see it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.framework.undo_stack import UndoStack
from desktop.platform.theme import Theme
from desktop.widgets.toast import Toast


class AppWindow(QWidget):
    """The interface of `desktop.shell.main_window.MainWindow`; features do not import the shell. GUI thread only."""

    close_requested = Signal()
    """The window was closed or the app is to end. Whoever runs the app hides the window and ends the app."""

    theme: Theme
    toast: Toast
    undo_stack: UndoStack

    def show_page(self, page_id: str) -> None:
        """Shows a page by its id (`Page.id`). Does nothing while that page is not made yet."""
        raise NotImplementedError

    def is_page_shown(self, page_id: str) -> bool:
        raise NotImplementedError

    def show_chat_list(self) -> None:
        """Shows the sidebar with the list of chats in place of search results, and gives the list the focus."""
        raise NotImplementedError

    def show_search(self) -> None:
        """Shows the sidebar and gives its search field the focus."""
        raise NotImplementedError

    def show_error(self, error: BaseException, *, topic: str = "", stays: bool = False) -> None:
        """Shows the sentence for `error` in a toast. See `Toast.show_message` for `topic` and `stays`."""
        raise NotImplementedError

    def bring_to_front(self) -> None:
        """Shows the window in front of all others, not minimised."""
        raise NotImplementedError

    def quit(self) -> None:
        """Ends the app."""
        raise NotImplementedError
