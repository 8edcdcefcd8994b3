"""Top of the page of the endpoint: the title with the switch, and a card that shows why the endpoint did not start."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from desktop.endpoint.controller import EndpointState
from desktop.error_messages import error_message
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import Card, label, set_style_flag
from desktop.widgets.page_title import PageTitle
from desktop.widgets.switch import Switch


class EndpointPageHeader(QWidget):
    switched = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        about = self.tr("Other tools on this computer can use your model. Your own chat always has priority.")
        title = PageTitle(theme, self.tr("Endpoint"), about, self)
        self.sidebar_button = title.sidebar_button
        self.switch = Switch(theme, self.tr("Endpoint"), self)
        self.switch.clicked.connect(self.switched)
        self._stage_label = label("switchText", "", self)
        self._stage_label.setFixedHeight(self.switch.sizeHint().height())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(title, 1)
        for widget in (self._stage_label, self.switch):
            row.addWidget(widget, alignment=Qt.AlignmentFlag.AlignTop)

    def show_state(self, state: EndpointState) -> None:
        self.switch.setChecked(state.stage in ("on", "starting"))
        self._stage_label.setText(self._stage_text(state))
        set_style_flag(self._stage_label, "on", state.stage == "on")

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


class StartFailureCard(Card):
    """Card with the reason why the endpoint did not start, and a button to use another port."""

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
