"""Labels and quiet buttons that the cards of a page are made of."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QAbstractButton, QFrame, QLabel, QPushButton, QToolButton, QWidget

from desktop.platform.text_escaping import tooltip_text
from desktop.platform.theme import Theme


def label(name: str, text: str, parent: QWidget, *, wraps: bool = False) -> QLabel:
    """`name` is that of its style. Names of files and the like come as they are: nothing in the text is markup."""
    made = QLabel(text, parent)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setObjectName(name)
    made.setWordWrap(wraps)
    return made


def link(text: str, parent: QWidget) -> QPushButton:
    made = QPushButton(text, parent)
    made.setObjectName("cardLink")
    return made


def mark(widget: QWidget, name: str, on: bool) -> None:
    """Sets a property that the style sheet asks for. Qt looks for it again only where it is told to."""
    if widget.property(name) != on:
        widget.setProperty(name, on)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def enable(button: QAbstractButton, on: bool) -> None:
    """Disables a button only when it has not the focus: Qt would give the focus to another one, which the next key
    would press."""
    button.setEnabled(on or button.hasFocus())


class Card(QFrame):
    """White, with a thin line around."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")


class ChoiceButton(QPushButton):
    """One of several, of which one is chosen; `name` is that of its style.

    Qt reckons its width in the weight that it has unchosen: the chosen one is bolder, and would be clipped."""

    def __init__(self, name: str, text: str, parent: QWidget) -> None:
        super().__init__(text, parent)
        self.setObjectName(name)
        self.setCheckable(True)

    def sizeHint(self) -> QSize:
        chosen = QFont(self.font())
        chosen.setWeight(QFont.Weight.DemiBold)
        wider = QFontMetrics(chosen).horizontalAdvance(self.text()) - self.fontMetrics().horizontalAdvance(self.text())
        return super().sizeHint() + QSize(max(0, wider), 0)


class IconButton(QToolButton):
    """An icon of the theme that keeps to its colours."""

    def __init__(self, theme: Theme, icon: str, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("quiet")
        self.setIconSize(QSize(16, 16))
        self.show_icon(icon, name)
        theme.changed.connect(self._restyle)

    def show_icon(self, icon: str, name: str) -> None:
        self._icon = icon
        self.setAccessibleName(name)
        self.setToolTip(tooltip_text(name))
        self._restyle()

    def _restyle(self) -> None:
        self.setIcon(self._theme.icon(self._icon, "muted"))
