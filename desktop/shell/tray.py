"""The tray icon with its menu, and the notifications that the desktop shows for it."""

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
    """Owns the tray icon. A child object of the window. GUI thread only.

    If the desktop has no tray, nothing is shown. If a tray appears later, the next call of `update_icon` shows the
    icon."""

    def __init__(self, window: MainWindow, actions: Actions, shown: bool) -> None:
        super().__init__(window)
        self._window, self._theme = window, window.theme
        self._clicked: Callable[[], None] | None = None
        self._is_wanted = shown
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
        self.update_icon()

    def update_icon(self) -> bool:
        """Shows the icon if the setting is on and the desktop has a tray now; hides it otherwise. Returns whether it is
        visible."""
        self.icon.setVisible(self._is_wanted and QSystemTrayIcon.isSystemTrayAvailable())
        return self.icon.isVisible()

    def show_icon(self, shown: bool) -> None:
        self._is_wanted = shown
        self.update_icon()

    def show_message(self, title: str, text: str, clicked: Callable[[], None]) -> None:
        """Shows a notification of the desktop; a click on it calls `clicked`. Without a tray, nothing is shown."""
        if self.update_icon() and self.icon.supportsMessages():
            self._clicked = clicked
            self.icon.showMessage(title, text, self.icon.icon(), MESSAGE_MS)

    def close(self) -> None:
        """Removes the icon."""
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
