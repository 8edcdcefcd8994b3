"""Sheet at the right of the models page: a new connection, or the fields of an existing one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QFileDialog, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.connections import strings
from desktop.connections.connection_state import ConnectionState
from desktop.error_messages import error_message
from desktop.error_reasons import translated_reason
from desktop.models.choice_field import ChoiceField
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import label, link, set_enabled, set_style_flag
from desktop.widgets.side_sheet import SideSheet
from desktop.widgets.text_composition import CompositionGuard
from engine.errors import EngineError
from engine.remote.connection import Connection, InvalidAddress, ServerKind, parse_address
from engine.remote.discovery import FoundServer

FILES = ("ca_file", "client_certificate", "client_key")


class ConnectionSheet(SideSheet):
    """Its signals carry a `Connection`, and its key as it was typed; None for the key means that it stays as it is. GUI
    thread only."""

    test_requested = Signal(object, object)
    save_requested = Signal(object, object)

    def __init__(self, theme: Theme, page: QWidget) -> None:
        super().__init__(theme, page)
        self._connection: Connection | None = None
        self._kind = "auto"
        self._has_key = self._removes_key = False
        self._title = label("sheetTitle", "", self)
        self.preset = ChoiceField(self)
        self.preset.chosen.connect(self._choose_preset)
        self.address = self._field(self.tr("Address"))
        self.address.textEdited.connect(self._edited)
        self.address_help = label("settingHelp", "", self, wraps=True)
        self.name = self._field(self.tr("Name"))
        self.key = self._field(self.tr("Key"))
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.key.textEdited.connect(self._edited)
        self.remove_key = link(self.tr("Remove the stored key"), self)
        self.remove_key.clicked.connect(self._remove_key)
        names = (self.tr("CA certificate"), self.tr("Client certificate"), self.tr("Key of the client certificate"))
        self.files = {file: self._field(name) for file, name in zip(FILES, names, strict=True)}
        self._browse = {file: link(self.tr("Choose a file…"), self) for file in FILES}
        for file, button in self._browse.items():
            button.clicked.connect(partial(self._choose_file, file))
        self.test = QPushButton(self.tr("Test"), self)
        self.test.setObjectName("plain")
        self.test.clicked.connect(lambda: self._request(self.test_requested))
        self.result = label("settingHelp", "", self, wraps=True)
        self.save = QPushButton(self.tr("Save"), self)
        self.save.setObjectName("primary")
        self.save.clicked.connect(lambda: self._request(self.save_requested))
        self._lay_out(names)

    def show_new(self) -> None:
        self._show(None, self.tr("New connection"))

    def show_connection(self, state: ConnectionState) -> None:
        self._show(state.connection, state.connection.name, has_key=bool(state.key_place))

    def show_testing(self) -> None:
        set_enabled(self.test, False)
        self._show_result(self.tr("Connecting…"))

    def show_found(self, found: FoundServer) -> None:
        set_enabled(self.test, True)
        self._show_result(f"{strings.found_line(found)}\n{strings.found_models(found)}")

    def show_error(self, error: EngineError) -> None:
        set_enabled(self.test, True)
        self._show_result(error_message(error), is_wrong=True)

    def _show(self, connection: Connection | None, title: str, *, has_key: bool = False) -> None:
        self._connection, self._has_key, self._removes_key = connection, has_key, False
        self._title.setText(title)
        self.address.setText(connection.address if connection is not None else "")
        self.name.setText(connection.name if connection is not None else "")
        self.key.clear()
        for file, field in self.files.items():
            field.setText(str(getattr(connection, file, None) or ""))
        self._show_preset(connection.kind if connection is not None else "auto")
        self._show_key()
        set_enabled(self.test, True)
        self._edited()
        self.open_sheet()
        self.address.setFocus()

    def _show_preset(self, kind: str) -> None:
        self._kind = kind
        self.preset.show_choices(strings.presets(), kind, self.tr("Program: {name}"))
        self.address.setPlaceholderText(strings.usual_address(kind) or strings.EXAMPLE_ADDRESS)

    def _choose_preset(self, kind: str) -> None:
        """Fill in the usual address of the program, unless another address was typed."""
        if self.address.text() in ("", strings.usual_address(self._kind)):
            self.address.setText(strings.usual_address(kind))
        self._show_preset(kind)
        self._edited()

    def _show_key(self) -> None:
        is_stored = self._has_key and not self._removes_key
        self.key.setPlaceholderText(self.tr("A key is stored") if is_stored else self.tr("None"))
        self.remove_key.setVisible(is_stored)

    def _remove_key(self) -> None:
        self._removes_key = True
        self._show_key()
        self.key.setFocus()

    def _edited(self) -> None:
        self._show_result("")
        self._show_address_problem("")

    def _request(self, signal: SignalInstance) -> None:
        try:
            connection = self._entered()
        except InvalidAddress as error:
            reason = translated_reason(error.reason)
            self._show_address_problem(self.tr("The address cannot be used: {reason}.").format(reason=reason))
            self.address.setFocus()
            return
        key = self.key.text().strip()
        keeps_key = self._has_key and not self._removes_key and not key
        signal.emit(connection, None if keeps_key else key)

    def _entered(self) -> Connection:
        """The connection in the fields. Raises InvalidAddress."""
        kind, text = cast("ServerKind", self._kind), self.address.text()
        parsed, before = parse_address(text, kind), self._connection
        connection = Connection.to(text, name=self.name.text().strip(), kind=kind)
        if before is not None:
            # the path of the API may have been found by a test, and is not part of the shown address
            api_path = before.api_path if text == before.address else parsed.api_path
            connection = replace(connection, id=before.id, api_path=api_path)
        paths = {file: Path(field.text().strip()).expanduser() for file, field in self.files.items() if field.text()}
        return replace(connection, **paths)  # type: ignore[arg-type]

    def _show_result(self, text: str, *, is_wrong: bool = False) -> None:
        self.result.setText(text)
        self.result.setVisible(bool(text))
        set_style_flag(self.result, "wrong", is_wrong)

    def _show_address_problem(self, text: str) -> None:
        usual = self.tr("For example gpu-box:8000 or https://api.example.com/v1.")
        self.address_help.setText(text or usual)
        for widget in (self.address, self.address_help):
            set_style_flag(widget, "wrong", bool(text))

    def _choose_file(self, file: str) -> None:
        dialog = QFileDialog(self, self.tr("Choose a file"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.files[file].setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _field(self, name: str) -> QLineEdit:
        field = QLineEdit(self)
        field.setObjectName("settingValue")
        field.setAccessibleName(name)
        CompositionGuard(field)
        return field

    def _lay_out(self, file_names: tuple[str, ...]) -> None:
        column = self._lay_out_sheet(self._title, self.tr("Close the sheet of the connection"))
        column.setSpacing(4)
        self._add_part(column, self.tr("Program"), self.preset)
        self._add_part(column, self.tr("Address"), self.address, self.address_help)
        self._add_part(column, self.tr("Name"), self.name)
        key_help = self.tr("Stored in the system's keyring, or in a private file where no keyring works.")
        self._add_part(
            column, self.tr("Key"), self.key, self.remove_key, label("settingHelp", key_help, self, wraps=True)
        )
        for (file, field), name in zip(self.files.items(), file_names, strict=True):
            self._add_part(column, name, field, self._browse[file])
        column.addSpacing(18)
        for widget in (self.test, self.result, self.save):
            column.addWidget(widget)
            column.addSpacing(4)
        column.addStretch(1)

    def _add_part(self, column: QVBoxLayout, title: str, *widgets: QWidget) -> None:
        column.addSpacing(12)
        heading = QLabel(title.upper(), self)
        heading.setObjectName("sheetHeading")
        column.addWidget(heading)
        for widget in widgets:
            is_link = widget is self.remove_key or widget in self._browse.values()
            column.addWidget(widget, alignment=Qt.AlignmentFlag.AlignLeft if is_link else Qt.AlignmentFlag(0))
