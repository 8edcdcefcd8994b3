"""The icon in the desktop's tray, where it has one: what is wanted while the window is out of sight."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from desktop.framework.actions import Actions
from desktop.platform.theme import Theme
from desktop.shell.main_window import MainWindow

SIZES = (16, 22, 24, 32, 48, 64)
MESSAGE_MS = 8_000


class Tray(QObject):
    """Lives as long as its window. Without a tray it is there all the same, and seen nowhere; one that comes or goes
    later is noticed by the next `look`. GUI thread only."""

    def __init__(self, window: MainWindow, actions: Actions, shown: bool) -> None:
        super().__init__(window)
        self._window, self._theme = window, window.theme
        self._clicked: Callable[[], None] | None = None
        self._wanted = shown
        self.menu = QMenu(window)
        self.menu.addAction(self.tr("New chat")).triggered.connect(lambda: self._in_window(actions["new_chat"].trigger))
        self.menu.addAction(actions["quick_ask"])
        self.menu.addAction(self.tr("Show the window")).triggered.connect(lambda: window.bring_to_front())
        self.menu.addSeparator()
        self.menu.addAction(actions["switch_endpoint"])
        self.menu.addSeparator()
        self.menu.addAction(actions["quit"])
        self.icon = QSystemTrayIcon(self)
        self.icon.setToolTip("Inglenook")
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._activated)
        self.icon.messageClicked.connect(self._message_clicked)
        self._theme.changed.connect(self._restyle)
        self._restyle()
        self.look()

    def look(self) -> bool:
        """Shows the icon where it is wanted and the desktop has a tray now; whether a person can see and use it."""
        self.icon.setVisible(self._wanted and QSystemTrayIcon.isSystemTrayAvailable())
        return self.icon.isVisible()

    def show_icon(self, shown: bool) -> None:
        self._wanted = shown
        self.look()

    def say(self, title: str, words: str, clicked: Callable[[], None]) -> None:
        """A message of the desktop's own kind; `clicked` is what a click on it does. Nothing where there is no tray."""
        if self.look() and self.icon.supportsMessages():
            self._clicked = clicked
            self.icon.showMessage(title, words, self.icon.icon(), MESSAGE_MS)

    def close(self) -> None:
        """Takes the icon away for good; one that stays behind would be a ghost."""
        self.show_icon(False)

    def _in_window(self, act: Callable[[], None]) -> None:
        self._window.bring_to_front()
        act()

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self._window.bring_to_front()

    def _message_clicked(self) -> None:
        clicked, self._clicked = self._clicked, None
        if clicked is not None:
            clicked()

    def _restyle(self) -> None:
        self.icon.setIcon(flame_icon(self._theme))


def flame_icon(theme: Theme) -> QIcon:
    icon = QIcon()
    for size in SIZES:
        icon.addPixmap(theme.pixmap("flame", "accent", size, 1))
    return icon
