"""Text in code's type that can be selected and copied, but not changed."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from desktop.platform.theme import code_font

PADDING = 10


class CodeLine(QLineEdit):
    """One line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("codeLine")
        self.setReadOnly(True)
        self.setFrame(False)
        self.setFont(code_font(13))
        self.setTextMargins(-2, 0, 0, 0)  # Qt's own inset, so that it stands below its label

    def show_text(self, text: str) -> None:
        if text != self.text():
            self.setText(text)
            self.setCursorPosition(0)


class CodeBox(QPlainTextEdit):
    """A few lines, as high as they are; a longer line is scrolled."""

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
        spacing = math.ceil(QFontMetricsF(self.font()).lineSpacing())  # lines stand on whole pixels
        self.setFixedHeight(lines * spacing + margins)
