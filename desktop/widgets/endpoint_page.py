"""The page of the endpoint: one switch, and what other tools need to know."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop import sentences
from desktop.endpoint.controller import EndpointState
from desktop.theme import Theme, code_font
from desktop.widgets.header import fold_button
from desktop.widgets.switch import Switch
from desktop.widgets.text_lines import CodeBox, CodeLine

WIDTH = 772
SIDE_BY_SIDE = 620


class EndpointPage(QScrollArea):
    switched = Signal(bool)
    port_asked = Signal(int)
    sidebar_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._state = EndpointState()
        self._key_shown = False
        self.setObjectName("endpointPage")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QWidget(self)
        body.setObjectName("endpointBody")
        self.fold = fold_button(theme, body)
        self.fold.clicked.connect(self.sidebar_asked)
        self._switch = Switch(theme, self.tr("Endpoint"), body)
        self._switch.clicked.connect(self.switched)
        self._switch_text = _label("switchText", "", body)
        self._switch_text.setFixedHeight(self._switch.sizeHint().height())
        self._address, self._key, self._example = CodeLine(body), CodeLine(body), CodeBox(body)
        self._address.setFont(code_font(14))
        self._copy_buttons: list[QToolButton] = []
        self._show_key = self._quiet_button("eye", self.tr("Show the key"))
        self._show_key.clicked.connect(self._toggle_key)
        self._state_text = _label("quietText", "", body)
        self._state_text.setWordWrap(True)
        self._alert = self._alert_card(body)
        self._cards = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._lay_out(body)
        self.setWidget(body)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.show_state(self._state)

    def show_state(self, state: EndpointState) -> None:
        self._state = state
        on = state.stage in ("on", "starting")
        self._switch.setChecked(on)
        self._switch.setEnabled(state.stage not in ("starting", "stopping"))
        self._switch_text.setText(self._stage_word())
        self._switch_text.setProperty("on", state.stage == "on")
        self._switch_text.style().unpolish(self._switch_text)
        self._switch_text.style().polish(self._switch_text)
        self._address.show_text(state.address)
        self._key.show_text(state.key if self._key_shown else "•" * min(24, len(state.key)))
        self._example.show_text(self._example_text(shown=self._key_shown))
        self._state_text.setText(
            self.tr("Tools on this computer reach the model here.")
            if state.stage == "on"
            else self.tr("Nothing listens while the endpoint is off.")
        )
        self._alert.setVisible(state.stage == "failed")
        if state.error is not None:
            self._alert_text.setText(sentences.of(state.error))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.viewport().width() >= SIDE_BY_SIDE
        self._cards.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)

    def _stage_word(self) -> str:
        match self._state.stage:
            case "on":
                return self.tr("On")
            case "starting":
                return self.tr("Starting…")
            case "stopping":
                return self.tr("Stopping…")
            case _:
                return self.tr("Off")

    def _example_text(self, *, shown: bool) -> str:
        key = self._state.key if shown else "$INGLENOOK_KEY"
        return (
            f"curl {self._state.address}/chat/completions \\\n"
            f'  -H "Authorization: Bearer {key}" \\\n'
            f'  -H "Content-Type: application/json" \\\n'
            f"""  -d '{{"messages": [{{"role": "user", "content": "{self.tr("Good evening")}"}}]}}'"""
        )

    def _lay_out(self, body: QWidget) -> None:
        texts = QVBoxLayout()
        texts.setSpacing(10)
        texts.addWidget(_label("pageTitle", self.tr("Endpoint"), body))
        about = _label(
            "pageText", self.tr("Other tools on this computer share your model. You always come first."), body
        )
        about.setWordWrap(True)
        texts.addWidget(about)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.fold, alignment=Qt.AlignmentFlag.AlignTop)
        head.addLayout(texts, 1)
        head.addWidget(self._switch_text, alignment=Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._switch, alignment=Qt.AlignmentFlag.AlignTop)
        address = self._card(
            self.tr("Address"), self._address, [self._copier(self._address, self.tr("Copy the address"))]
        )
        key_tools = [self._show_key, self._copier(None, self.tr("Copy the key"))]
        key = self._card(self.tr("Key"), self._key, key_tools)
        self._cards.setSpacing(14)
        self._cards.addWidget(address, 1)
        self._cards.addWidget(key, 1)
        column = QVBoxLayout()
        column.setSpacing(16)
        column.addLayout(head)
        column.addWidget(self._alert)
        column.addLayout(self._cards)
        column.addWidget(self._example_card(body))
        column.addWidget(self._state_text)
        column.addStretch(1)
        inner = QWidget(body)
        inner.setMaximumWidth(WIDTH)
        inner.setLayout(column)
        column.setContentsMargins(0, 0, 0, 0)
        outer = QVBoxLayout(body)
        outer.setContentsMargins(36, 28, 36, 24)
        outer.addWidget(inner)

    def _card(self, title: str, line: CodeLine, tools: list[QToolButton]) -> QFrame:
        card = QFrame(self)
        card.setObjectName("card")
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(line, 1)
        for tool in tools:
            row.addWidget(tool)
        column = QVBoxLayout(card)
        column.setContentsMargins(18, 14, 12, 12)
        column.setSpacing(4)
        column.addWidget(_label("cardLabel", title, card))
        column.addLayout(row)
        line.setAccessibleName(title)
        return card

    def _example_card(self, body: QWidget) -> QFrame:
        card = QFrame(body)
        card.setObjectName("card")
        head = QHBoxLayout()
        head.addWidget(_label("cardTitle", self.tr("Try it"), card), 1)
        head.addWidget(self._copier(None, self.tr("Copy the example"), example=True))
        column = QVBoxLayout(card)
        column.setContentsMargins(18, 12, 12, 16)
        column.setSpacing(8)
        column.addLayout(head)
        box = QHBoxLayout()
        box.setContentsMargins(0, 0, 6, 0)
        box.addWidget(self._example)
        column.addLayout(box)
        self._example.setAccessibleName(self.tr("Example of a request"))
        return card

    def _alert_card(self, body: QWidget) -> QFrame:
        card = QFrame(body)
        card.setObjectName("card")
        card.setProperty("alert", True)
        self._alert_icon = QLabel(card)
        self._alert_text = _label("alertText", "", card)
        self._alert_text.setWordWrap(True)
        again = QPushButton(self.tr("Use another port"), card)
        again.setObjectName("plain")
        again.clicked.connect(lambda: self.port_asked.emit(self._state.port + 1))
        row = QHBoxLayout(card)
        row.setContentsMargins(18, 12, 12, 12)
        row.setSpacing(10)
        row.addWidget(self._alert_icon)
        row.addWidget(self._alert_text, 1)
        row.addWidget(again)
        return card

    def _copier(self, line: CodeLine | None, name: str, *, example: bool = False) -> QToolButton:
        button = self._quiet_button("copy", name)

        def copy() -> None:
            text = line.text() if line is not None else self._state.key
            QGuiApplication.clipboard().setText(self._example_text(shown=True) if example else text)

        button.clicked.connect(copy)
        return button

    def _quiet_button(self, icon: str, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("quiet")
        button.setProperty("icon_name", icon)
        button.setIconSize(QSize(16, 16))
        button.setIcon(self._theme.icon(icon, "muted"))
        button.setAccessibleName(name)
        button.setToolTip(name)
        self._copy_buttons.append(button)
        return button

    def _toggle_key(self) -> None:
        self._key_shown = not self._key_shown
        name = self.tr("Hide the key") if self._key_shown else self.tr("Show the key")
        self._show_key.setAccessibleName(name)
        self._show_key.setToolTip(name)
        self._show_key.setProperty("icon_name", "eye-off" if self._key_shown else "eye")
        self._restyle()
        self.show_state(self._state)

    def _restyle(self) -> None:
        self.fold.setIcon(self._theme.icon("panel-left", "text"))
        self._alert_icon.setPixmap(self._theme.pixmap("triangle-alert", "accent", 16, self.devicePixelRatioF()))
        for button in self._copy_buttons:
            button.setIcon(self._theme.icon(str(button.property("icon_name")), "muted"))


def _label(name: str, text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setObjectName(name)
    return label
