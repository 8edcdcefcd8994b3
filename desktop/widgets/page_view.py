"""What the window needs to know of the widget of a page."""

from __future__ import annotations

from desktop.widgets.side_sheet import SideSheet
from desktop.widgets.sidebar_button import SidebarButton


class PageView:
    """A mixin: each page's widget is one. A subclass sets `sidebar_button`, and `side_sheet` where it has one."""

    sidebar_button: SidebarButton
    side_sheet: SideSheet | None = None
    """Opens at the right of the page. Toasts stay beside it."""

    def close_topmost(self) -> bool:
        """Closes what is open above the page (Escape). False where nothing is."""
        return self.side_sheet is not None and self.side_sheet.close_sheet()
