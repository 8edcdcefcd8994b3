"""Top of the page of the endpoint: title with switch, reason of a failed start, address."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.chat.header import fold_button
from desktop.endpoint.controller import EndpointState
from desktop.error_messages import error_message
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import Card, label, link, mark
from desktop.widgets.copy_button import CopyButton
from desktop.widgets.flow import FlowLayout
from desktop.widgets.switch import Switch
from desktop.widgets.text_lines import CodeLine

DIALECTS = ("OpenAI", "Responses", "Anthropic", "Ollama")


class EndpointPageHeader(QWidget):
    switched = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.fold = fold_button(theme, self)
        self.switch = Switch(theme, self.tr("Endpoint"), self)
        self.switch.clicked.connect(self.switched)
        self._stage_label = label("switchText", "", self)
        self._stage_label.setFixedHeight(self.switch.sizeHint().height())
        texts = QVBoxLayout()
        texts.setSpacing(10)
        texts.addWidget(label("pageTitle", self.tr("Endpoint"), self))
        about = self.tr("Other tools on this computer can use your model. Your own chat always has priority.")
        texts.addWidget(label("pageText", about, self, wraps=True))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.fold, alignment=Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        row.addWidget(self._stage_label, alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.switch, alignment=Qt.AlignmentFlag.AlignTop)
        theme.changed.connect(self._restyle)

    def show_state(self, state: EndpointState) -> None:
        self.switch.setChecked(state.stage in ("on", "starting"))
        self._stage_label.setText(self._stage_text(state))
        mark(self._stage_label, "on", state.stage == "on")

    def _stage_text(self, state: EndpointState) -> str:
        match state.stage:
            case "on":
                return self.tr("On")
            case "starting":
                return self.tr("Starting…")
            case "stopping":
                return self.tr("Stopping…")
            case _:
                return self.tr("Off")

    def _restyle(self) -> None:
        self.fold.setIcon(self._theme.icon("panel-left", "text"))


class AlertCard(Card):
    """Reason of a failed start, with a button to use another port."""

    port_requested = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._port = 0
        self.setProperty("alert", True)
        self._icon = QLabel(self)
        self.text = label("alertText", "", self, wraps=True)
        other_port = QPushButton(self.tr("Use another port"), self)
        other_port.setObjectName("plain")
        other_port.clicked.connect(lambda: self.port_requested.emit(self._port + 1))
        row = QHBoxLayout(self)
        row.setContentsMargins(18, 12, 12, 12)
        row.setSpacing(10)
        row.addWidget(self._icon)
        row.addWidget(self.text, 1)
        row.addWidget(other_port)
        theme.changed.connect(self._restyle)
        self._restyle()

    def show_state(self, state: EndpointState) -> None:
        self._port = state.port
        self.setVisible(state.stage == "failed")
        if state.error is not None:
            self.text.setText(error_message(state.error))

    def _restyle(self) -> None:
        self._icon.setPixmap(self._theme.pixmap("triangle-alert", "accent", 16, self.devicePixelRatioF()))


class AddressCard(Card):
    snippets_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = CodeLine(self)
        self.line.setProperty("address", True)
        self.line.setAccessibleName(self.tr("Address"))
        copy = CopyButton(theme, self.tr("Copy the address"), self.line.text, self)
        self._row = QHBoxLayout()
        self._row.setSpacing(4)
        self._row.addWidget(self.line, 1)
        self._row.addWidget(copy)
        chips = FlowLayout(6)
        for name in DIALECTS:
            chips.addWidget(label("chip", name, self))
        self.how = link(self.tr("How to connect…"), self)
        self.how.clicked.connect(self.snippets_requested)
        chips.addWidget(self.how)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 12, 14)
        column.setSpacing(4)
        column.addWidget(label("cardLabel", self.tr("Address"), self))
        column.addLayout(self._row)
        column.addSpacing(6)
        column.addLayout(chips)
        column.addStretch(1)

    def show_state(self, state: EndpointState) -> None:
        self.line.show_text(state.address)
