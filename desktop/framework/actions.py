"""The actions of the window. Each action is one QAction, shared by menus, buttons, the command palette and its
shortcut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QKeyCombination, QObject, Qt, Signal
from PySide6.QtGui import QAction, QIcon, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

Text = str | Callable[[], str]
"""A text, or a function that returns it and is called when a menu opens."""


def _always() -> bool:
    return True


class Action(QAction):
    """An action of the window. Triggering it calls `run()` if `is_possible()` is true.

    Shortcuts are in Qt's portable notation; "" means no shortcut."""

    def __init__(
        self,
        id: str,
        name: str,
        run: Callable[[], object],
        shortcut: str = "",
        second_shortcut: str = "",
        *,
        is_possible: Callable[[], bool] = _always,
        menu: str = "",
        label: Text = "",
        icon: Text = "",
        is_listed: bool = True,
    ) -> None:
        """`id` is the key under which a changed shortcut is stored. `name` is shown in the command palette and in the
        list of shortcuts, unless `is_listed` is False. The menu `menu` shows `icon` and `label`; without `label` it
        shows `name`."""
        super().__init__(label if isinstance(label, str) and label else name)
        self.id, self.name, self.run, self.is_possible = id, name, run, is_possible
        self.shortcut_at_first, self.second_shortcut = shortcut, second_shortcut
        self.menu_id, self.is_listed = menu, is_listed
        self._label, self._icon = label or name, icon

    def refresh(self, icon_of: Callable[[str], QIcon]) -> None:
        """Updates the action's text and icon before a menu with it opens."""
        self.setText(_text(self._label))
        if name := _text(self._icon):
            self.setIcon(icon_of(name))


@dataclass(frozen=True, slots=True)
class Submenu:
    """A submenu of the menu `menu`. If `fill` is given, that function adds its entries; otherwise it contains the
    actions whose `menu` is the submenu's `id`."""

    id: str
    title: str
    menu: str
    icon: str = ""
    fill: Callable[[QMenu], None] | None = None
    is_possible: Callable[[], bool] = _always


class Actions(QObject):
    """The actions of one window, with the shortcuts that the user has changed. GUI thread only."""

    added = Signal()
    shortcuts_changed = Signal()
    triggered = Signal(str)
    """The id of an action that is about to run."""

    def __init__(self, window: QWidget, chosen: Mapping[str, str], save: Callable[[dict[str, str]], None]) -> None:
        """`chosen` maps action ids to the shortcuts that the user has set. Unusable shortcuts are ignored. `save`
        stores the mapping after each change."""
        super().__init__(window)
        self._window = window
        self._chosen = {action_id: keys for action_id, keys in chosen.items() if not keys or is_usable(keys)}
        self._save = save
        self._actions: dict[str, Action] = {}
        self._menu_entries: list[Action | Submenu] = []

    @property
    def listed(self) -> list[Action]:
        """The actions for the command palette and the list of shortcuts, in the order in which they were added."""
        return [action for action in self._actions.values() if action.is_listed]

    def __getitem__(self, action_id: str) -> Action:
        return self._actions[action_id]

    def add(self, *entries: Action | Submenu) -> None:
        for entry in entries:
            self._menu_entries.append(entry)
            if isinstance(entry, Action):
                self._actions[entry.id] = entry
                entry.setParent(self)
                entry.triggered.connect(lambda _=False, action=entry: self._run(action))
                self._window.addAction(entry)
                self._apply_shortcut(entry)
        self.added.emit()

    def fill_menu(self, menu: QMenu, menu_id: str, icon_of: Callable[[str], QIcon]) -> None:
        """Adds the actions and submenus of the menu `menu_id` that are possible now."""
        for entry in self._menu_entries:
            if isinstance(entry, Submenu) and entry.menu == menu_id and entry.is_possible():
                submenu = menu.addMenu(icon_of(entry.icon), entry.title)
                if entry.fill is not None:
                    entry.fill(submenu)
                else:
                    self.fill_menu(submenu, entry.id, icon_of)
            elif isinstance(entry, Action) and entry.menu_id == menu_id and entry.is_possible():
                entry.refresh(icon_of)
                menu.addAction(entry)

    def shortcut_of(self, action_id: str) -> str:
        """The action's current shortcut in Qt's portable notation; "" if it has none."""
        return self._chosen.get(action_id, self._actions[action_id].shortcut_at_first)

    def shown_shortcut(self, action_id: str) -> str:
        """The action's current shortcut in the notation of the operating system."""
        return QKeySequence(self.shortcut_of(action_id)).toString(QKeySequence.SequenceFormat.NativeText)

    def change_shortcut(self, action_id: str, keys: str) -> Action | None:
        """Gives an action another shortcut; "" removes its shortcut.

        If another action already has this shortcut, that action is returned and nothing changes."""
        for other in self._actions.values():
            if keys and other.id != action_id and self.shortcut_of(other.id) == keys:
                return other
        if keys == self._actions[action_id].shortcut_at_first:
            self._chosen.pop(action_id, None)
        else:
            self._chosen[action_id] = keys
        self._shortcuts_changed(action_id)
        return None

    def reset_shortcuts(self) -> None:
        changed, self._chosen = self._chosen, {}
        self._shortcuts_changed(*(action_id for action_id in changed if action_id in self._actions))

    def _run(self, action: Action) -> None:
        if action.is_possible():
            self.triggered.emit(action.id)
            action.run()

    def _shortcuts_changed(self, *action_ids: str) -> None:
        for action_id in action_ids:
            self._apply_shortcut(self._actions[action_id])
        self._save(dict(self._chosen))
        self.shortcuts_changed.emit()

    def _apply_shortcut(self, action: Action) -> None:
        second = action.second_shortcut if action.id not in self._chosen else ""
        keys = self.shortcut_of(action.id)
        action.setShortcuts([QKeySequence(each) for each in (keys, second) if each and keys])


_MODIFIERS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_USABLE_ALONE = {Qt.Key.Key_Pause, Qt.Key.Key_Print, Qt.Key.Key_Help, Qt.Key.Key_ScrollLock}


def is_usable(keys: str) -> bool:
    """Whether `keys`, in Qt's portable notation, may be a shortcut.

    Keys that type a character, move the cursor or press a button are only usable with Ctrl, Alt or Meta."""
    sequence = QKeySequence(keys)
    if sequence.isEmpty():
        return False
    pressed: QKeyCombination = sequence[0]  # type: ignore[index]  # missing in the stubs
    key, is_function = pressed.key(), Qt.Key.Key_F1 <= pressed.key() <= Qt.Key.Key_F35
    is_media = Qt.Key.Key_Back <= key < Qt.Key.Key_AltGr
    return bool(pressed.keyboardModifiers() & _MODIFIERS) or is_function or is_media or key in _USABLE_ALONE


def _text(text: Text) -> str:
    return text if isinstance(text, str) else text()
