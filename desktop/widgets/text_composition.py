"""Keeps Enter and Escape from a text field while an input method composes text in it (Japanese, Chinese, dead keys)."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QInputMethodEvent, QKeyEvent
from PySide6.QtWidgets import QWidget

_KEYS_OF_COMPOSITION = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)


class CompositionGuard(QObject):
    """An event filter that hides Enter and Escape from a text field while an input method composes text in it. In this
    state, the keys confirm or discard the composed text. They must not also send a message, rename a chat or close a
    dialog, for example. `isComposing` in UI Events serves the same purpose.

    The guard is a child of the field. Create it after the other event filters of the field, so that it runs first. GUI
    thread only."""

    is_composing = False  # a class attribute, since Qt still sends events while Python destroys the object

    def __init__(self, field: QWidget) -> None:
        super().__init__(field)
        field.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.InputMethod and isinstance(event, QInputMethodEvent):
            self.is_composing = bool(event.preeditString())
        elif kind == QEvent.Type.FocusOut:
            self.is_composing = False
        elif self.is_composing and isinstance(event, QKeyEvent) and event.key() in _KEYS_OF_COMPOSITION:
            if kind == QEvent.Type.ShortcutOverride:
                event.accept()  # this also suppresses the window's shortcuts for the key
                return True
            return kind == QEvent.Type.KeyPress
        return super().eventFilter(watched, event)


def is_composing(field: QWidget) -> bool:
    """Whether an input method composes in `field`; False if the field has no guard."""
    guard = field.findChild(CompositionGuard, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return guard is not None and guard.is_composing
