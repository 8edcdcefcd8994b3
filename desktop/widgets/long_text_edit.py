"""A text field that stays fast with very long lines."""

from __future__ import annotations

from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QPlainTextEdit, QWidget

MAX_LINE = 2_000
"""Lines with more characters are broken. Qt's layout time is quadratic in the length of a line: 100,000 characters took
2 s, and each key press at their end 0.8 s. Lines of this length take 4 ms."""
_SOFT_BREAK = "\u2060\n"
"""A soft break. A zero-width word joiner at the end of a block means that the line continues in the next block."""
_NEAR = MAX_LINE // 10


def with_soft_breaks(text: str) -> str:
    """Insert soft breaks into lines longer than `MAX_LINE`, after a space if there is one near."""
    if _SOFT_BREAK in text:  # remove word joiners at the ends of lines, which would be read as soft breaks
        text = "\n".join([line.rstrip("\u2060") for line in text.split("\n")])
    if len(text) <= MAX_LINE:
        return text
    return "\n".join(_broken(line) for line in text.split("\n"))


def without_soft_breaks(text: str) -> str:
    """Remove the soft breaks that `with_soft_breaks` inserted."""
    return text.replace(_SOFT_BREAK, "")


def _broken(line: str) -> str:
    pieces, start = [], 0
    while len(line) - start > MAX_LINE:
        end = start + MAX_LINE
        blank = line.rfind(" ", end - _NEAR, end)
        end = blank + 1 if blank >= 0 else end
        pieces.append(line[start:end])
        start = end
    return _SOFT_BREAK.join([*pieces, line[start:]])


class LongTextEdit(QPlainTextEdit):
    """A text field that stores a long line as several blocks, to stay fast. `toPlainText`, `setPlainText`, paste and
    copy use the text without soft breaks. GUI thread only."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._text_revision = -1

    def toPlainText(self) -> str:
        revision = self.document().revision()
        if revision != self._text_revision:
            self._text, self._text_revision = without_soft_breaks(super().toPlainText()), revision
        return self._text

    def setPlainText(self, text: str) -> None:
        self._text_revision = -1  # the new content may have the same revision number
        super().setPlainText(with_soft_breaks(text))

    def insertPlainText(self, text: str) -> None:
        super().insertPlainText(with_soft_breaks(text))

    def insertFromMimeData(self, source: QMimeData) -> None:
        if source.hasText() and not self.isReadOnly():
            self.insertPlainText(source.text())
            self.ensureCursorVisible()

    def createMimeDataFromSelection(self) -> QMimeData:
        mime = QMimeData()
        mime.setText(without_soft_breaks(self.textCursor().selectedText().replace("\u2029", "\n")))
        return mime
