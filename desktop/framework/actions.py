"""Everything that a person can do in the window, by name and by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QKeyCombination, QObject, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Action:
    """`words` are seen in the palette and in the list of keys; `keys` is the key that it has at first, "" for none, in
    Qt's portable notation. `is_possible` says whether it makes sense now."""

    id: str
    words: str
    act: Callable[[], object]
    keys: str = ""
    also: str = ""
    """A second key for the same, as long as the person has not chosen another."""
    is_possible: Callable[[], bool] = _always


_WITH = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_ALONE = {Qt.Key.Key_Pause, Qt.Key.Key_Print, Qt.Key.Key_Help, Qt.Key.Key_ScrollLock}


def is_usable(keys: str) -> bool:
    """Whether this key, in Qt's portable notation, can be an action's: one that writes, moves the cursor, or presses a
    button must be held together with Ctrl, Alt or the system's key."""
    sequence = QKeySequence(keys)
    if sequence.isEmpty():
        return False
    pressed: QKeyCombination = sequence[0]  # type: ignore[index]  # the stubs leave it out
    key, is_function = pressed.key(), Qt.Key.Key_F1 <= pressed.key() <= Qt.Key.Key_F35
    is_media = Qt.Key.Key_Back <= key < Qt.Key.Key_AltGr
    return bool(pressed.keyboardModifiers() & _WITH) or is_function or is_media or key in _ALONE


class Actions(QObject):
    """The actions of one window, with the keys that the person has chosen. GUI thread only."""

    keys_changed = Signal()
    performed = Signal(str)
    """The id of an action that is about to be done."""

    def __init__(self, window: QWidget, chosen: Mapping[str, str], remember: Callable[[dict[str, str]], None]) -> None:
        """`chosen` holds keys by the id of their action, of which those that are not usable are passed over;
        `remember` keeps them."""
        super().__init__(window)
        self._window = window
        self._chosen = {action_id: keys for action_id, keys in chosen.items() if not keys or is_usable(keys)}
        self._remember = remember
        self._actions: dict[str, Action] = {}
        self._shortcuts: dict[str, QShortcut] = {}

    @property
    def all(self) -> list[Action]:
        """In the order in which they were added."""
        return list(self._actions.values())

    def add(self, *actions: Action) -> None:
        for action in actions:
            self._actions[action.id] = action
            self._listen(action.id)

    def perform(self, action_id: str) -> None:
        """Does it, where that is possible now."""
        action = self._actions[action_id]
        if action.is_possible():
            self.performed.emit(action_id)
            action.act()

    def shortcut_of(self, action_id: str) -> str:
        """The key in force, in Qt's portable notation, "" for none."""
        return self._chosen.get(action_id, self._actions[action_id].keys)

    def shown_keys(self, action_id: str) -> str:
        """The same as this system writes it."""
        return QKeySequence(self.shortcut_of(action_id)).toString(QKeySequence.SequenceFormat.NativeText)

    def change_shortcut(self, action_id: str, keys: str) -> Action | None:
        """Gives an action another key, "" for none. Returns the action that has this key already; nothing is changed
        then."""
        for other in self._actions.values():
            if keys and other.id != action_id and self.shortcut_of(other.id) == keys:
                return other
        if keys == self._actions[action_id].keys:
            self._chosen.pop(action_id, None)
        else:
            self._chosen[action_id] = keys
        self._changed(action_id)
        return None

    def reset_shortcuts(self) -> None:
        """All keys as they were at first."""
        changed, self._chosen = self._chosen, {}
        self._changed(*(action_id for action_id in changed if action_id in self._actions))

    def _changed(self, *action_ids: str) -> None:
        for action_id in action_ids:
            self._listen(action_id)
        self._remember(dict(self._chosen))
        self.keys_changed.emit()

    def _listen(self, action_id: str) -> None:
        if (before := self._shortcuts.pop(action_id, None)) is not None:
            before.setEnabled(False)
            before.deleteLater()
        if keys := self.shortcut_of(action_id):
            also = self._actions[action_id].also if action_id not in self._chosen else ""
            shortcut = QShortcut(self._window)
            shortcut.setKeys([QKeySequence(each) for each in (keys, also) if each])
            shortcut.activated.connect(lambda: self.perform(action_id))
            self._shortcuts[action_id] = shortcut
