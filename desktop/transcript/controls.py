"""The buttons that belong to a message: real widgets, so that keys and screen readers reach them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QPoint, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QWidget

from desktop.chat.controller import RETRIABLE
from desktop.theme import Theme
from desktop.transcript.item import MessageItem

CONFIRM_MS = 1_500


def _tr(text: str) -> str:
    return QCoreApplication.translate("transcript", text)


class CopyButton(QPushButton):
    """Puts a text on the clipboard and says so for a moment."""

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
        self.setText(f" {_tr('Copied') if done else self._label}" if self._label else "")

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text())
        self._confirmed.start()
        self.restyle()


class MessageControls:
    """The buttons of one message that is laid out. GUI thread only."""

    def __init__(self, item: MessageItem, theme: Theme, parent: QWidget, retry: Callable[[str], None]) -> None:
        self._item = item
        self._theme = theme
        self._parent = parent
        self._retry_message = retry
        self._copy_code: list[CopyButton] = []
        self._copy: CopyButton | None = None
        self._retry: QPushButton | None = None

    def arrange(self, corner: QPoint, is_last: bool) -> None:
        """Makes what the message needs now, and puts it where the message stands in the viewport."""
        heads = self._item.code_heads()
        while len(self._copy_code) < len(heads):
            self._copy_code.append(self._code_button(len(self._copy_code)))
        while len(self._copy_code) > len(heads):
            _drop(self._copy_code.pop())
        for button, (head, _) in zip(self._copy_code, heads, strict=True):
            size = button.sizeHint()
            _show_at(
                button,
                corner + QPoint(head.right() - size.width() - 3, head.top() + (head.height() - size.height()) // 2 + 1),
            )
        if self._item.has_actions:
            self._arrange_actions(corner, is_last)

    def _arrange_actions(self, corner: QPoint, is_last: bool) -> None:
        at = corner + self._item.actions_box.topLeft() - QPoint(6, 0)
        if self._item.message.text:
            if self._copy is None:
                name = _tr("Copy the answer")
                self._copy = CopyButton(self._whole_text, self._theme, self._parent, label="", name=name)
                self._copy.setObjectName("quiet")
            _show_at(self._copy, at)
            at += QPoint(self._copy.width() + 2, 0)
        if is_last and self._item.message.state in RETRIABLE:
            if self._retry is None:
                self._retry = self._retry_button()
            _show_at(self._retry, at)
        elif self._retry is not None:
            _drop(self._retry)
            self._retry = None

    def restyle(self) -> None:
        """Takes up colours that have changed."""
        for button in [*self._copy_code, self._copy]:
            if button is not None:
                button.restyle()
        if self._retry is not None:
            self._retry.setIcon(self._theme.icon("rotate-cw", "muted"))

    def hide(self) -> None:
        """The message is out of sight."""
        for button in self._all():
            button.hide()

    def drop(self) -> None:
        """Takes the buttons away with their message."""
        for button in self._all():
            _drop(button)

    def _all(self) -> list[QPushButton]:
        return [button for button in [*self._copy_code, self._copy, self._retry] if button is not None]

    def _whole_text(self) -> str:
        return self._item.message.text

    def _code_button(self, number: int) -> CopyButton:
        def code() -> str:
            heads = self._item.code_heads()
            return heads[number][1] if number < len(heads) else ""

        button = CopyButton(code, self._theme, self._parent, label=_tr("Copy"), name=_tr("Copy this code"))
        button.setObjectName("copyCode")
        return button

    def _retry_button(self) -> QPushButton:
        button = QPushButton(self._parent)
        button.setObjectName("quiet")
        button.setIcon(self._theme.icon("rotate-cw", "muted"))
        button.setAccessibleName(_tr("Try again"))
        button.setToolTip(_tr("Try again"))
        button.clicked.connect(lambda: self._retry_message(self._item.message.id))
        return button


def _show_at(button: QPushButton, corner: QPoint) -> None:
    button.resize(button.sizeHint())
    button.move(corner)
    button.show()


def _drop(button: QPushButton) -> None:
    button.hide()
    button.deleteLater()
