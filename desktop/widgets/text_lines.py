"""Read-only monospaced text that can be selected and copied."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from desktop.platform.theme import code_font

PADDING = 10


class CodeLine(QLineEdit):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("codeLine")
        self.setReadOnly(True)
        self.setFrame(False)
        self.setFont(code_font(13))
        self.setTextMargins(-2, 0, 0, 0)  # Qt indents the text by 2 px; this line aligns the text with its label

    def show_text(self, text: str) -> None:
        if text != self.text():
            self.setText(text)
            self.setCursorPosition(0)


class CodeBox(QPlainTextEdit):
    """A box that is as high as its lines. Long lines scroll horizontally."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("codeBox")
        self.setReadOnly(True)
        self.setFont(code_font(13))
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_text(self, text: str) -> None:
        if text != self.toPlainText():
            self.setPlainText(text)
            self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        lines = self.toPlainText().count("\n") + 1
        margins = 2 * (PADDING + 1) + round(2 * self.document().documentMargin())
        spacing = math.ceil(QFontMetricsF(self.font()).lineSpacing())  # Qt places lines on whole pixels
        self.setFixedHeight(lines * spacing + margins)
