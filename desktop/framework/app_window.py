"""The interface of the main window that features use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.platform.theme import Theme

if TYPE_CHECKING:
    from desktop.framework.undo_stack import UndoStack
    from desktop.widgets.toast import Toast


class AppWindow(QWidget):
    """The interface of the main window. Features use it because they must not import `desktop.shell`. GUI thread
    only."""

    close_requested = Signal()
    """The window was closed, or the app is to end. The receiver hides the window and ends the app."""

    theme: Theme

    @property
    def toast(self) -> Toast:
        raise NotImplementedError

    @property
    def undo_stack(self) -> UndoStack:
        raise NotImplementedError

    def show_page(self, page_id: str) -> None:
        """Shows the page whose `Page.id` is `page_id`. Does nothing if that page has not been created yet."""
        raise NotImplementedError

    def is_page_shown(self, page_id: str) -> bool:
        raise NotImplementedError

    def show_chat_list(self) -> None:
        """Shows the list of chats in the sidebar, in place of search results, and gives the list the focus."""
        raise NotImplementedError

    def show_search(self) -> None:
        """Shows the sidebar and gives its search field the focus."""
        raise NotImplementedError

    def show_error(self, error: BaseException, *, topic: str = "", stays: bool = False) -> None:
        """Shows a message for `error` in a toast. `topic` and `stays` are those of `Toast.show_message`."""
        raise NotImplementedError

    def bring_to_front(self) -> None:
        """Brings the window in front of all other windows, and restores it if it is minimised."""
        raise NotImplementedError

    def quit(self) -> None:
        """Ends the app."""
        raise NotImplementedError
