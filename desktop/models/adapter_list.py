"""The LoRA adapters of a model in its settings sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QGridLayout, QPushButton, QVBoxLayout, QWidget

from desktop.chat.attachments.drop_zone import files_of
from desktop.models import strings
from desktop.models.scale_field import ScaleField
from desktop.platform.number_format import plain
from desktop.platform.text_escaping import tooltip_text
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import IconButton, label
from engine.adapter import Adapter
from engine.errors import EngineError
from engine.files.display_name import display_name
from engine.library.adapter_file import MAX_ADAPTERS, MAX_SCALE

NAME_WIDTH = 184
"""Largest width of a name in pixels. A longer name is elided, and the tooltip shows the path."""


class AdapterList(QWidget):
    """A row for each adapter with its scale, and a button that adds one. Files can also be dropped onto the list. GUI
    thread only."""

    changed = Signal(object)
    """The user changed the adapters. Carries all of them as a tuple."""
    add_requested = Signal(object)
    """The user chose files that are not in the list. Carries their paths as a list. `add_checked` adds them."""
    validity_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._adapters: tuple[Adapter, ...] = ()
        self.rows: list[AdapterRow] = []
        self.folder: Path | None = None
        """The folder in which the file dialog opens. It is set to the folder of the files that were chosen last."""
        self.problem = label("settingHelp", "", self, wraps=True)
        self.problem.setProperty("wrong", True)
        self.problem.hide()
        self.add = QPushButton(self.tr("Add an adapter…"), self)
        self.add.setObjectName("sheetLink")
        self.add.clicked.connect(self._choose_file)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._column.addWidget(self.problem)
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

    def add_checked(self, usable: Sequence[Adapter], errors: Sequence[EngineError]) -> None:
        """Add the adapters that are not in the list yet, and show why others cannot be added."""
        known = {adapter.path for adapter in self._adapters}
        new = tuple(each for each in usable if each.path not in known)
        self._change((*self._adapters, *new)[:MAX_ADAPTERS])
        self._show_problem(" ".join(map(strings.adapter_problem, errors)))

    def discard_typing(self) -> None:
        """Let the next `show_adapters` replace what the user typed, and remove the error texts."""
        self._adapters, self.rows = (), self._hide_rows()
        self._show_problem("")

    @property
    def is_wrong(self) -> bool:
        return any(row.scale.is_wrong for row in self.rows)

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
        self._request(files_of(event.mimeData()))

    def _request(self, paths: Iterable[Path]) -> None:
        known = {adapter.path for adapter in self._adapters}
        if new := [path for path in dict.fromkeys(paths) if path not in known]:
            self._show_problem("")
            self.add_requested.emit(new)

    def _show_problem(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))

    def _change(self, adapters: tuple[Adapter, ...]) -> None:
        if adapters != self._adapters:
            self.show_adapters(adapters)
            self.changed.emit(adapters)

    def _hide_rows(self) -> list[AdapterRow]:
        for row in self.rows:
            row.hide()
            row.deleteLater()
        return []

    def _make_rows(self) -> None:
        self._hide_rows()
        self.rows = [AdapterRow(self._theme, adapter.path, self) for adapter in self._adapters]
        for at, row in enumerate(self.rows):
            self._column.insertWidget(at, row)
            row.scale.scale_entered.connect(lambda scale, at=at: self._set_scale(at, scale))
            row.scale.validity_changed.connect(self.validity_changed)
            row.remove.clicked.connect(lambda _=False, at=at: self._remove(at))
            row.show()
        self.validity_changed.emit()

    def _set_scale(self, at: int, scale: float) -> None:
        changed = replace(self._adapters[at], scale=scale)
        self._change((*self._adapters[:at], changed, *self._adapters[at + 1 :]))

    def _remove(self, at: int) -> None:
        self.add.setFocus()
        self._change((*self._adapters[:at], *self._adapters[at + 1 :]))

    def _choose_file(self) -> None:
        dialog = QFileDialog(self.window(), self.tr("Add LoRA adapters"), str(self.folder or ""))
        dialog.setNameFilters([self.tr("LoRA adapters (*.gguf)"), self.tr("All files (*)")])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self._files_chosen([Path(name) for name in names]))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _files_chosen(self, paths: Sequence[Path]) -> None:
        self.folder = paths[0].parent
        self._request(paths)


class AdapterRow(QWidget):
    """The name of an adapter, its scale, and a button that removes it. Below them, what is wrong with the scale."""

    def __init__(self, theme: Theme, path: Path, parent: QWidget) -> None:
        super().__init__(parent)
        name = display_name(path.name)
        title = label("", "", self)
        title.setText(title.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, NAME_WIDTH))
        title.setToolTip(tooltip_text(str(path)))
        self.scale = ScaleField(self.tr("Scale of {name}").format(name=name), self)
        self.remove = IconButton(theme, "x", self.tr("Remove {name}").format(name=name), self)
        text = self.tr("A number from {least} to {most}.").format(least=plain(-MAX_SCALE), most=plain(MAX_SCALE))
        self.problem = label("settingHelp", text, self, wraps=True)
        self.problem.setProperty("wrong", True)
        self.problem.hide()
        self.scale.validity_changed.connect(lambda: self.problem.setVisible(self.scale.is_wrong))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(title, 0, 0)
        grid.addWidget(self.scale, 0, 1)
        grid.addWidget(self.remove, 0, 2)
        grid.addWidget(self.problem, 1, 0, 1, 3)
        grid.setColumnStretch(0, 1)
