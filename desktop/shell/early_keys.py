"""Shortcuts that are pressed after the window appears and before their actions exist."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QWindow
from PySide6.QtWidgets import QWidget

_MODIFIERS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_MODIFIER_KEYS = {Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta}


class EarlyKeys(QObject):
    """Queues key presses from the first one that could be the shortcut of an action, because the actions do not exist
    yet. `deliver` handles them in order. Text typed before that key is not affected. GUI thread only."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._native: QWindow | None = None
        self._queue: list[QKeyEvent] = []
        self._is_over = False

    def watch(self) -> None:
        """Watches the keys of the window until `deliver` is called. The window must be visible. Idempotent."""
        if self._native is None and not self._is_over and (native := self._window.windowHandle()) is not None:
            self._native = native
            native.installEventFilter(self)

    def deliver(self) -> None:
        """Triggers the action of each queued key press that is a shortcut, and sends the others to the widget with the
        focus. Called when all actions exist. Idempotent."""
        self._is_over = True
        if self._native is not None:
            self._native.removeEventFilter(self)
            self._native = None
        queue, self._queue = self._queue, []
        for event in queue:
            if not self._trigger(event):
                QCoreApplication.sendEvent(self._receiver, event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Receives the events of the native window before any widget does."""
        match event:
            case QKeyEvent() if event.type() == QEvent.Type.ShortcutOverride and self._queue:
                event.accept()  # a shortcut that exists already must not run before the queued ones
                return True
            case QKeyEvent() if event.type() == QEvent.Type.KeyPress and self._must_wait(event):
                self._queue.append(event.clone())
                return True
        return False

    @property
    def _receiver(self) -> QWidget:
        return self._window.focusWidget() or self._window

    def _must_wait(self, event: QKeyEvent) -> bool:
        if event.key() in _MODIFIER_KEYS:
            return False
        is_function_key = Qt.Key.Key_F1 <= event.key() <= Qt.Key.Key_F35
        return bool(self._queue) or (
            (bool(event.modifiers() & _MODIFIERS) or is_function_key) and not self._belongs_to_receiver(event)
        )

    def _belongs_to_receiver(self, event: QKeyEvent) -> bool:
        """Whether the widget with the focus handles this key even if it is the shortcut of an action, such as Ctrl+V in
        a text field."""
        override = QKeyEvent(QEvent.Type.ShortcutOverride, event.key(), event.modifiers(), event.text())
        override.ignore()
        QCoreApplication.sendEvent(self._receiver, override)
        return override.isAccepted()

    def _trigger(self, event: QKeyEvent) -> bool:
        """Triggers the action of the window that has this shortcut. False if there is none."""
        pressed = QKeySequence(event.keyCombination())
        for action in self._window.actions():
            if action.isEnabled() and pressed in action.shortcuts():
                action.trigger()
                return True
        return False
