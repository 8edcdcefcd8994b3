"""The buttons over the cards of code of one message: copy, and save as a file."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QPoint
from PySide6.QtWidgets import QPushButton, QWidget

from desktop.platform.theme import Theme
from desktop.render.blocks import Block
from desktop.transcript.buttons import ActionButton, CopyButton, drop, show_at
from desktop.transcript.message_callbacks import MessageCallbacks
from desktop.transcript.message_item import MessageItem

translate = QCoreApplication.translate


class CodeButtons:
    """GUI thread only."""

    def __init__(self, item: MessageItem, theme: Theme, parent: QWidget, callbacks: MessageCallbacks) -> None:
        self._item = item
        self._theme = theme
        self._parent = parent
        self._callbacks = callbacks
        self.rows: list[tuple[CopyButton, ActionButton]] = []

    def arrange(self, corner: QPoint) -> None:
        """As many as the message has cards of code, each in its card's head."""
        heads = self._item.code_heads()
        while len(self.rows) < len(heads):
            self.rows.append(self._row(len(self.rows)))
        while len(self.rows) > len(heads):
            for button in self.rows.pop():
                drop(button)
        for row, (head, _) in zip(self.rows, heads, strict=True):
            right = head.right() - 3
            for button in row:
                size = button.sizeHint()
                right -= size.width()
                show_at(button, corner + QPoint(right, head.top() + (head.height() - size.height()) // 2 + 1))

    def all(self) -> list[QPushButton]:
        return [button for row in self.rows for button in row]

    def _row(self, number: int) -> tuple[CopyButton, ActionButton]:
        def block() -> Block:
            heads = self._item.code_heads()
            return heads[number][1] if number < len(heads) else Block("code")

        label, name = translate("transcript", "Copy"), translate("transcript", "Copy this code")
        copy = CopyButton(lambda: block().code, self._theme, self._parent, label=label, name=name)
        name = translate("transcript", "Save this code")
        save = ActionButton("download", name, lambda: self._callbacks.save(block()), self._theme, self._parent)
        for button in (copy, save):
            button.setObjectName("copyCode")
        return copy, save
