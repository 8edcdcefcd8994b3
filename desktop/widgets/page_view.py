"""The interface through which the window uses the widget of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop.widgets.side_sheet import SideSheet
    from desktop.widgets.sidebar_button import SidebarButton


class PageView:
    """A mixin for the widgets of pages. A subclass sets `sidebar_button`. If the page has a side sheet, it also sets
    `side_sheet`."""

    sidebar_button: SidebarButton
    side_sheet: SideSheet | None = None
    """The sheet that opens at the right of the page. Toasts are placed beside it, not over it."""

    def close_topmost(self) -> bool:
        """Called when Escape is pressed. Closes the topmost sheet or card of the page. Returns False if none is
        open."""
        return self.side_sheet is not None and self.side_sheet.close_sheet()
