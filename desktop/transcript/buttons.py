"""The buttons of the transcript: icons without a frame, some with a label."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QWidget

from desktop.platform.theme import Theme

CONFIRM_MS = 1_500

translate = QCoreApplication.translate


class CopyButton(QPushButton):
    """A button that copies a text to the clipboard, and confirms this for a moment."""

    def __init__(self, text: Callable[[], str], theme: Theme, parent: QWidget, *, label: str, name: str) -> None:
        super().__init__(parent)
        self._text = text
        self._theme = theme
        self._label = label
        self.setAccessibleName(name)
        self.setToolTip(name)
        self._confirmed = QTimer(self, singleShot=True, interval=CONFIRM_MS)
        self._confirmed.timeout.connect(self.restyle)
        self.clicked.connect(self._copy)
        self.restyle()

    def restyle(self) -> None:
        done = self._confirmed.isActive()
        self.setIcon(self._theme.icon("check" if done else "copy", "ok" if done else "muted"))
        label = translate("transcript", "Copied") if done else self._label
        self.setText(f" {label}" if self._label else "")

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text())
        self._confirmed.start()
        self.restyle()


class ActionButton(QPushButton):
    """A button that calls a function when it is clicked."""

    def __init__(
        self,
        icon: str,
        name: str,
        act: Callable[[], None],
        theme: Theme,
        parent: QWidget,
        tip: Callable[[], str] | None = None,
    ) -> None:
        """`tip` returns the tooltip; it is called each time the tooltip is shown. Without `tip`, the tooltip is
        `name`."""
        super().__init__(parent)
        self._tip = tip
        self._theme = theme
        self._icon = icon
        self.setObjectName("quiet")
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.clicked.connect(act)
        self.restyle()

    def event(self, event: QEvent) -> bool:
        if self._tip is not None and event.type() in (QEvent.Type.ToolTip, QEvent.Type.FocusIn):
            self.setToolTip(self._tip())
            self.setAccessibleDescription(self._tip())
        return super().event(event)

    def change(self, icon: str, name: str) -> None:
        self._icon = icon
        self.setAccessibleName(name)
        self.restyle()

    def set_label(self, label: str) -> None:
        """Sets the text beside the icon; "" for none."""
        self.setText(f" {label}" if label else "")

    def restyle(self) -> None:
        self.setIcon(self._theme.icon(self._icon, "muted"))


def show_at(widget: QWidget, corner: QPoint) -> None:
    """Moves a widget to a position and shows it in its preferred size."""
    widget.resize(widget.sizeHint())
    widget.move(corner)
    widget.show()


def discard(widget: QWidget) -> None:
    """Deletes a widget. If it has the focus, the transcript gets the focus."""
    viewport = widget.parentWidget()
    if widget.hasFocus() and viewport is not None and (transcript := viewport.parentWidget()) is not None:
        transcript.setFocus()  # Qt would give the focus to the next widget of the window
    widget.hide()
    widget.deleteLater()
