"""A button that copies a text to the clipboard."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QGuiApplication
from PySide6.QtWidgets import QWidget

from desktop.platform.theme import Theme
from desktop.widgets.card_parts import IconButton

CONFIRM_MS = 1_500


class CopyButton(IconButton):
    """A button that copies the result of `text()` when it is clicked, and then shows a check mark for `CONFIRM_MS`. GUI
    thread only."""

    def __init__(self, theme: Theme, name: str, text: Callable[[], str], parent: QWidget) -> None:
        self._confirmed: QTimer | None = None  # the base class calls `_restyle` in its constructor
        super().__init__(theme, "copy", name, parent)
        self._text = text
        self._confirmed = QTimer(self, singleShot=True, interval=CONFIRM_MS)
        self._confirmed.timeout.connect(self._restyle)
        self.clicked.connect(self._copy)

    @property
    def shows_confirmation(self) -> bool:
        return self._confirmed is not None and self._confirmed.isActive()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text())
        if self._confirmed is not None:
            self._confirmed.start()
        self._restyle()
        if QAccessible.isActive():
            text = QCoreApplication.translate("transcript", "Copied")
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def _restyle(self) -> None:
        copied = self.shows_confirmation
        self.setIcon(self._theme.icon("check" if copied else self._icon, "ok" if copied else "muted"))
