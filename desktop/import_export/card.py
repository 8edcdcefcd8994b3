"""The card of the settings page for importing, exporting, backing up and restoring chats."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.widgets.card_parts import Card, label
from desktop.widgets.flow import FlowLayout


class ImportExportCard(Card):
    import_requested = Signal(bool)
    """The user requested an import. Carries True for a folder, False for a file."""
    import_cancel_requested = Signal()
    export_requested = Signal()
    """The user requested to export all chats."""
    backup_requested = Signal()
    restore_requested = Signal()
    restore_cancel_requested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._import_buttons = [
            self._button(self.tr("Import file…"), lambda: self.import_requested.emit(False)),
            self._button(self.tr("Import folder…"), lambda: self.import_requested.emit(True)),
        ]
        self._import_status = label("quietText", "", self, wraps=True)
        self._stop_import = self._button(self.tr("Stop"), self.import_cancel_requested.emit)
        self._restore = self._button(self.tr("Restore…"), self.restore_requested.emit)
        self._restore_status = label("quietText", "", self, wraps=True)
        self._cancel_restore = self._button(self.tr("Do not restore"), self.restore_cancel_requested.emit)
        self._focused_before: QPushButton | None = None
        """The import button that gets the focus back when the import ends."""
        self._lay_out()
        self.show_import("", running=False)
        self.show_restore("")

    def show_import(self, text: str, *, running: bool) -> None:
        """Shows `text`, the progress or the result of an import; with an empty `text`, nothing is shown. While
        `running`, the import buttons are disabled and the stop button is visible."""
        self._import_status.setText(text)
        self._import_status.setVisible(bool(text))
        # The focus widget of this window: QApplication.focusWidget may be one of a dialog that is open.
        focused = self.window().focusWidget()
        pressed = next((button for button in self._import_buttons if button is focused), None)
        if running and pressed is not None:  # Qt would move the focus past the import buttons when they are disabled
            self._focused_before = pressed
            self._stop_import.show()
            self._stop_import.setFocus()
        for button in self._import_buttons:
            button.setEnabled(not running)
        if not running and self._stop_import is focused and self._focused_before is not None:
            self._focused_before.setFocus()
        self._stop_import.setVisible(running)

    def show_restore(self, text: str) -> None:
        """Shows `text` and the button that cancels a staged restore. An empty `text` hides both."""
        if not text and self._cancel_restore.hasFocus():
            self._restore.setFocus()
        self._restore_status.setText(text)
        self._restore_status.setVisible(bool(text))
        self._cancel_restore.setVisible(bool(text))

    def _lay_out(self) -> None:
        about = self.tr(
            "Imports chats from ChatGPT, Open WebUI, LM Studio, Jan, llama-server and Inglenook, and chats saved as "
            "Markdown. Chats that are here already are not changed."
        )
        imports = QHBoxLayout()
        imports.setSpacing(8)
        for button in self._import_buttons:
            imports.addWidget(button)
        imports.addStretch(1)
        exports = FlowLayout(8)
        exports.addWidget(self._button(self.tr("Export all chats…"), self.export_requested.emit))
        exports.addWidget(self._button(self.tr("Back up…"), self.backup_requested.emit))
        exports.addWidget(self._restore)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 16)
        column.setSpacing(10)
        column.addWidget(label("cardTitle", self.tr("Chats"), self, wraps=True))
        column.addWidget(label("quietText", about, self, wraps=True))
        column.addLayout(imports)
        column.addLayout(_status_row(self._import_status, self._stop_import))
        column.addLayout(exports)
        column.addLayout(_status_row(self._restore_status, self._cancel_restore))

    def _button(self, text: str, on_click: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName("plain")
        button.clicked.connect(on_click)
        return button


def _status_row(text: QLabel, button: QPushButton) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addWidget(text, 1)
    row.addWidget(button)
    return row
