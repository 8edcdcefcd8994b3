"""Part of the settings sheet in which the user chooses, saves, renames and deletes presets."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from desktop.chat import strings
from desktop.chat.chat_settings.presets import MAX_NAME_LENGTH, Presets
from desktop.platform.text_escaping import button_text
from desktop.platform.theme import Theme
from desktop.widgets.flow import FlowLayout
from desktop.widgets.text_composition import CompositionGuard


def preset_menu(theme: Theme, presets: Presets, current: str, parent: QWidget) -> QMenu:
    """Menu of all presets, in which the current preset has a check mark. The data of each action is the name of its
    preset."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for name in presets.names:
        if presets.is_own(name) and not any(presets.is_own(str(action.data())) for action in menu.actions()):
            menu.addSeparator()
        action = menu.addAction(button_text(strings.preset_name(name)))
        action.setData(name)
        if name == current:
            action.setIcon(theme.icon("check", "accent"))
    return menu


class NameEdit(QLineEdit):
    """Field in which the user types the name of a preset. Enter accepts the name, Esc cancels."""

    accepted = Signal(str)
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        CompositionGuard(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.accepted.emit(self.text())
        elif event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)


class PresetBar(QWidget):
    chosen = Signal(str)
    saved = Signal(str)
    renamed = Signal(str, str)
    deleted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._presets = Presets({})
        self._current, self._renames = "", ""
        self.choice = QPushButton(self)
        self.choice.setObjectName("presetChoice")
        # Right-to-left layout places the arrow after the text.
        self.choice.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.choice.clicked.connect(self._open_menu)
        self.save = self._button(self.tr("Save as…"), self._begin_saving)
        self.rename = self._button(self.tr("Rename…"), self._begin_renaming)
        self.delete = self._button(self.tr("Delete"), self._delete)
        self.name = NameEdit(self)
        self.name.setObjectName("settingValue")
        # One character more than allowed can be typed, so that the user sees that a longer name is rejected.
        self.name.setMaxLength(MAX_NAME_LENGTH + 1)
        self.name.setPlaceholderText(self.tr("Name of the preset"))
        self.name.setAccessibleName(self.tr("Name of the preset"))
        self.name.accepted.connect(self._accept)
        self.name.cancelled.connect(self._end_naming)
        self.keep = self._button(self.tr("Keep"), lambda: self._accept(self.name.text()))
        self.problem = QLabel(self)
        self.problem.setObjectName("settingHelp")
        self.problem.setProperty("wrong", True)
        self.problem.setWordWrap(True)
        self._lay_out()
        self._end_naming()
        theme.changed.connect(self._restyle)
        self._restyle()

    def show_presets(self, presets: Presets, current: str, *, changed: bool) -> None:
        self._presets, self._current = presets, current
        shown = strings.preset_name(current)
        text = self.tr("{preset}, changed").format(preset=shown) if changed else shown
        self.choice.setText(button_text(text))
        self.choice.setAccessibleName(self.tr("Preset: {preset}").format(preset=text))
        own = presets.is_own(current)
        self.rename.setVisible(own and not self._is_naming)
        self.delete.setVisible(own and not self._is_naming)

    @property
    def _is_naming(self) -> bool:
        """Whether the user is typing the name of a preset."""
        return not self._naming.isHidden()

    def _lay_out(self) -> None:
        self._actions = QWidget(self)
        flow = FlowLayout(14, self._actions)
        for button in (self.save, self.rename, self.delete):
            flow.addWidget(button)
        self._naming = QWidget(self)
        row = QHBoxLayout(self._naming)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.name, 1)
        row.addWidget(self.keep)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for widget in (self.choice, self._actions, self._naming, self.problem):
            column.addWidget(widget)

    def _button(self, text: str, act: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName("sheetLink")
        button.clicked.connect(act)
        return button

    def _open_menu(self) -> None:
        menu = preset_menu(self._theme, self._presets, self._current, self)
        menu.triggered.connect(lambda action: self.chosen.emit(str(action.data())))
        menu.popup(self.choice.mapToGlobal(self.choice.rect().bottomLeft()))

    def _begin_saving(self) -> None:
        self._begin("", self._current if self._presets.is_own(self._current) else "")

    def _begin_renaming(self) -> None:
        self._begin(self._current, self._current)

    def _begin(self, renames: str, text: str) -> None:
        self._renames = renames
        self._actions.hide()
        self._naming.show()
        self.name.setText(text)
        self.name.selectAll()
        self.name.setFocus()

    def _accept(self, name: str) -> None:
        """Save a preset under this name, or rename the preset that is being renamed. If the current preset is the
        user's own, the user may save it again under the same name."""
        name = name.strip()
        replaces = self._renames or (name if self._presets.is_own(name) and name == self._current else "")
        problem = self._presets.name_problem(name, replaces=replaces)
        self.problem.setText(strings.preset_name_problem(problem))
        self.problem.setVisible(bool(problem))
        if problem:
            return
        renames = self._renames
        self._end_naming()
        if renames:
            self.renamed.emit(renames, name)
        else:
            self.saved.emit(name)

    def _end_naming(self) -> None:
        self._renames = ""
        self._naming.hide()
        self.problem.hide()
        self._actions.show()
        own = self._presets.is_own(self._current)
        self.rename.setVisible(own)
        self.delete.setVisible(own)

    def _delete(self) -> None:
        self.deleted.emit(self._current)

    def _restyle(self) -> None:
        self.choice.setIcon(self._theme.icon("chevron-down", "muted"))
