"""The bar that looks for words in the open chat."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from desktop.platform.theme import Theme
from desktop.transcript.message_item import MessageItem
from desktop.transcript.place import SegmentPosition
from desktop.transcript.text_positions import Utf16Offsets
from desktop.widgets.text_composition import CompositionGuard

WIDTH = 340


class FindBar(QFrame):
    """Shows and emits. GUI thread only."""

    changed = Signal(str)
    stepped = Signal(int)
    """+1 to the next one, -1 to the one before."""
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("findBar")
        self.setFixedWidth(WIDTH)
        self.edit = _Field(self)
        self.edit.setPlaceholderText(self.tr("Find in this chat"))
        self.edit.setAccessibleName(self.tr("Find in this chat"))
        self.edit.textChanged.connect(self.changed)
        self.edit.stepped.connect(self.stepped)
        self.edit.left.connect(self.closed)
        self._count = QLabel(self)
        self._count.setObjectName("versions")
        self._buttons = [
            (self._button(self.tr("The one before"), lambda: self.stepped.emit(-1)), "arrow-up"),
            (self._button(self.tr("The next one"), lambda: self.stepped.emit(1)), "arrow-down"),
            (self._button(self.tr("Close"), self.closed.emit), "x"),
        ]
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        row.setSpacing(2)
        row.addWidget(self.edit, 1)
        row.addWidget(self._count)
        for button, _ in self._buttons:
            row.addWidget(button)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    def show_count(self, place: int, n: int) -> None:
        """The match that is current, from 1, and how many there are."""
        if not self.edit.text():
            self._count.setText("")
        else:
            self._count.setText(self.tr("{place} of {n}").format(place=place, n=n) if n else self.tr("nothing"))

    def _button(self, name: str, act: object) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("quiet")
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.clicked.connect(act)
        return button

    def _restyle(self) -> None:
        for button, icon in self._buttons:
            button.setIcon(self._theme.icon(icon, "muted"))


class _Field(QLineEdit):
    stepped = Signal(int)
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        CompositionGuard(self)

    def event(self, event: QEvent) -> bool:
        match event:
            case QKeyEvent() if event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_F3:
                self.stepped.emit(-1 if back else 1)
            case Qt.Key.Key_Escape:
                self.left.emit()
            case _:
                super().keyPressEvent(event)


def n_matches(text: str, wanted: str) -> int:
    """How often a message says it. Case does not count."""
    return text.casefold().count(wanted.casefold()) if wanted else 0


def matches_in(item: MessageItem, wanted: str) -> list[tuple[SegmentPosition, SegmentPosition]]:
    """Where a message that is laid out shows it."""
    found: list[tuple[SegmentPosition, SegmentPosition]] = []
    lowered = wanted.lower()
    for number, text in enumerate(item.texts()) if wanted else ():
        plain, place = text.lower(), Utf16Offsets(text)  # casefold would change lengths
        at = plain.find(lowered)
        while at >= 0:
            end = at + len(wanted)
            found.append((SegmentPosition(number, place.of(at)), SegmentPosition(number, place.of(end))))
            at = plain.find(lowered, end)
    return found


def spread(counts: Sequence[int], number: int) -> tuple[int, int]:
    """The row, and which match in it, of the number-th match of all."""
    for row, count in enumerate(counts):
        if number < count:
            return row, number
        number -= count
    raise IndexError(number)
