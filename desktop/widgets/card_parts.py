"""Building blocks of cards, which are panels with a thin border: labels, links, buttons and the card itself."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QAbstractButton, QFrame, QLabel, QPushButton, QToolButton, QWidget

from desktop.platform.text_escaping import tooltip_text
from desktop.platform.theme import Theme


def label(name: str, text: str, parent: QWidget, *, wraps: bool = False) -> QLabel:
    """A label that shows `text` as plain text, never as markup. `name` is the object name that the style sheet uses."""
    widget = QLabel(text, parent)
    widget.setTextFormat(Qt.TextFormat.PlainText)
    widget.setObjectName(name)
    widget.setWordWrap(wraps)
    return widget


def link(text: str, parent: QWidget) -> QPushButton:
    widget = QPushButton(text, parent)
    widget.setObjectName("cardLink")
    return widget


def set_style_flag(widget: QWidget, name: str, on: bool) -> None:
    """Set a dynamic property that the style sheet uses, and apply the style sheet again if it changed.

    To a widget that was not shown yet, Qt applies the style sheet later. Until then, `style` is not called, because
    PySide takes 5 ms to create the class of its result, which the first paint does not need."""
    if widget.property(name) != on:
        widget.setProperty(name, on)
        if widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
            widget.style().unpolish(widget)
            widget.style().polish(widget)


def set_enabled(button: QAbstractButton, on: bool) -> None:
    """Enable or disable a button, but do not disable it while it has the focus. Qt would move the focus to another
    button, which the next key press would then activate."""
    button.setEnabled(on or button.hasFocus())


class Card(QFrame):
    """A panel with a thin border."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")


class ChoiceButton(QPushButton):
    """One button of an exclusive choice. `name` is the object name that the style sheet uses.

    The size hint includes space for the bold font of the checked state. The size hint of Qt does not."""

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
    """A flat button with an icon, whose colour follows the theme."""

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
