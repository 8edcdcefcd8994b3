"""The LoRA adapters of a model in its settings sheet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.chat.attachments.drop_zone import files_of
from desktop.platform.number_format import decimal
from desktop.platform.text_escaping import tooltip_text
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import IconButton, label
from engine.adapter import Adapter
from engine.files.display_name import display_name
from engine.library.adapter_file import MAX_ADAPTERS

MAX_SCALE, SCALE_STEP = 2.0, 0.05
NAME_WIDTH = 184
"""Largest width of a name in pixels. A longer name is elided, and the tooltip shows the path."""


class AdapterList(QWidget):
    """A row for each adapter with its scale, and a button that adds one. Files can also be dropped onto the list. GUI
    thread only."""

    changed = Signal(object)
    """The user changed the adapters. Carries all of them as a tuple."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._adapters: tuple[Adapter, ...] = ()
        self.rows: list[AdapterRow] = []
        self.add = QPushButton(self.tr("Add an adapter…"), self)
        self.add.setObjectName("sheetLink")
        self.add.clicked.connect(self._choose_file)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._column.addWidget(self.add, alignment=Qt.AlignmentFlag.AlignLeft)
        self.setAcceptDrops(True)

    def show_adapters(self, adapters: tuple[Adapter, ...]) -> None:
        """Show the adapters of a model. Does not emit `changed`."""
        if adapters == self._adapters:
            return
        paths, shown = [each.path for each in adapters], [each.path for each in self._adapters]
        self._adapters = adapters
        if paths != shown:
            self._make_rows()
        for row, adapter in zip(self.rows, adapters, strict=True):
            row.scale.show_scale(adapter.scale)
        self.add.setEnabled(len(adapters) < MAX_ADAPTERS)

    def add_files(self, paths: Iterable[Path]) -> None:
        """Add the files that are not in the list yet, with the scale 1."""
        known = {adapter.path for adapter in self._adapters}
        new = tuple(Adapter(path) for path in dict.fromkeys(paths) if path not in known)
        self._change((*self._adapters, *new)[:MAX_ADAPTERS])

    def commit(self) -> None:
        """Take over the scale that the user is typing."""
        for row in self.rows:
            row.scale.commit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if files_of(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        # With a move action, the file manager would delete the original file.
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.add_files(files_of(event.mimeData()))

    def _change(self, adapters: tuple[Adapter, ...]) -> None:
        if adapters != self._adapters:
            self.show_adapters(adapters)
            self.changed.emit(adapters)

    def _make_rows(self) -> None:
        for row in self.rows:
            row.hide()
            row.deleteLater()
        self.rows = [AdapterRow(self._theme, adapter.path, self) for adapter in self._adapters]
        for at, row in enumerate(self.rows):
            self._column.insertWidget(at, row)
            row.scale.scale_entered.connect(lambda scale, at=at: self._set_scale(at, scale))
            row.remove.clicked.connect(lambda _=False, at=at: self._remove(at))
            row.show()

    def _set_scale(self, at: int, scale: float) -> None:
        changed = replace(self._adapters[at], scale=scale)
        self._change((*self._adapters[:at], changed, *self._adapters[at + 1 :]))

    def _remove(self, at: int) -> None:
        self.add.setFocus()
        self._change((*self._adapters[:at], *self._adapters[at + 1 :]))

    def _choose_file(self) -> None:
        dialog = QFileDialog(self.window(), self.tr("Add LoRA adapters"))
        dialog.setNameFilters([self.tr("LoRA adapters (*.gguf)"), self.tr("All files (*)")])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self.add_files(map(Path, names)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


class AdapterRow(QWidget):
    """The name of an adapter, its scale, and a button that removes it."""

    def __init__(self, theme: Theme, path: Path, parent: QWidget) -> None:
        super().__init__(parent)
        name = display_name(path.name)
        title = label("", "", self)
        title.setText(title.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, NAME_WIDTH))
        title.setToolTip(tooltip_text(str(path)))
        self.scale = ScaleField(self.tr("Scale of {name}").format(name=name), self)
        self.remove = IconButton(theme, "x", self.tr("Remove {name}").format(name=name), self)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(title, 1)
        line.addWidget(self.scale)
        line.addWidget(self.remove)


class ScaleField(QLineEdit):
    """A scale from 0 to 2. The arrow keys change it by 0.05, and the wheel too while the field has the focus. An
    invalid text is replaced by the last valid scale."""

    scale_entered = Signal(float)
    """The user entered another scale."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._scale = 1.0
        self.setObjectName("settingValue")
        self.setAccessibleName(name)
        self.setFixedWidth(64)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.editingFinished.connect(self.commit)
        self.show_scale(1.0)

    def show_scale(self, scale: float) -> None:
        """Show a scale, unless the user is typing."""
        self._scale = scale
        if not self.isModified():
            self.setText(decimal(scale, 2))

    def commit(self) -> None:
        """Take over the typed text if it is a valid scale."""
        try:
            scale = round(float(self.text().strip().replace(",", ".")), 2)
        except ValueError:
            scale = self._scale
        self.setModified(False)
        self._enter(scale if 0 <= scale <= MAX_SCALE else self._scale)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()))
        if steps is None:
            super().keyPressEvent(event)
        else:
            self._step(steps)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            self._step(1 if event.angleDelta().y() > 0 else -1)
        else:  # the sheet scrolls
            event.ignore()

    def _step(self, n: int) -> None:
        self.commit()
        self._enter(round(min(MAX_SCALE, max(0.0, self._scale + n * SCALE_STEP)), 2))

    def _enter(self, scale: float) -> None:
        has_changed = scale != self._scale
        self.show_scale(scale)
        if has_changed:
            self.scale_entered.emit(scale)
