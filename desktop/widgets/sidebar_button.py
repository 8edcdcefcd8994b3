"""The button at the top of a page that opens the sidebar in a narrow window."""

from __future__ import annotations

from PySide6.QtWidgets import QToolButton, QWidget

from desktop.platform.theme import Theme


class SidebarButton(QToolButton):
    """The button. It is hidden at first; the window shows it while there is no room for the sidebar beside the page."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        name = self.tr("Show the chats")
        self.setObjectName("quiet")
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.hide()
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self.setIcon(self._theme.icon("panel-left", "text"))
