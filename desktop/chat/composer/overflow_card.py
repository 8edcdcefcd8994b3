"""Card above the composer, shown when a message does not fit. It lists the turns that would be left out, and offers
choices."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.chat import strings
from desktop.chat.composer.overflow import Overflow
from desktop.platform.theme import Theme, scaled
from desktop.widgets.card_parts import label
from desktop.widgets.flow import FlowLayout

WIDTH = 732
ROW_HEIGHT = 28
MAX_ROWS = 6
LIST_SHARE = 0.2
"""Maximum height of the list of turns, as a share of the height of the window."""


class OverflowCard(QFrame):
    """Offers choices for a message that does not fit. Hidden until `show_overflow` is called. Each choice has its own
    signal. `closed` is emitted if the user closes the card without choosing."""

    leave_out_requested = Signal()
    summary_requested = Signal()
    cancel_requested = Signal()
    new_chat_requested = Signal()
    closed = Signal()
    focus_left = Signal()
    """Emitted before the card is hidden, if the card has the focus."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.overflow: Overflow | None = None
        self.setObjectName("overflowCard")
        self.setMaximumWidth(WIDTH)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._icon = QLabel(self)
        self._title = label("overflowTitle", "", self)
        self._close = QToolButton(self)
        self._close.setObjectName("quiet")
        self._close.setAccessibleName(self.tr("Close"))
        self._close.setToolTip(self.tr("Close (Esc); your text stays"))
        self._close.clicked.connect(self.close_card)
        self._text = label("overflowText", "", self, wraps=True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._turns = self._make_turn_list()
        self._progress = QProgressBar(self)
        self._progress.setTextVisible(False)
        self._progress.setRange(0, 1000)
        self._progress.setFixedHeight(4)
        self._progress.setAccessibleName(self.tr("Progress of the summary"))
        self.leave_out = self._button("primary", self.tr("Leave them out"), self.leave_out_requested)
        self.summarise = self._button("plain", self.tr("Summarise them"), self.summary_requested)
        self.new_chat = self._button("plain", self.tr("Start afresh"), self.new_chat_requested)
        self.show_turns = self._button("cardQuiet", self.tr("Show them"), None)
        self.show_turns.clicked.connect(self._toggle_turns)
        self.cancel = self._button("plain", self.tr("Cancel"), self.cancel_requested)
        self._lay_out()
        theme.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    @property
    def is_summarising(self) -> bool:
        return not self._progress.isHidden()

    @property
    def text(self) -> str:
        """Title and text of the card; "" while the card is hidden."""
        return f"{self._title.text()}. {self._text.text()}" if self.isVisible() else ""

    def show_overflow(self, overflow: Overflow) -> None:
        self.overflow = overflow
        self._title.setText(strings.overflow_title(overflow))
        self._text.setText(strings.overflow_text(overflow))
        self._turns.clear()
        self._turns.addItems([f"{number}   {turn.first_line}" for number, turn in enumerate(overflow.turns, 1)])
        self._set_stage(overflow, summarising=False)
        self.show()
        self.setAccessibleName(strings.overflow_description(overflow))
        if overflow.kind == "turns":
            # No button gets the focus, because a second press of Enter would then make a choice.
            self.setFocus()
        else:
            self._announce(
                strings.overflow_description(overflow)
            )  # the focus stays in the text field, where the user can shorten the message

    def show_progress(self, share: float) -> None:
        """Show the progress of the summary, from 0 to 1, in place of the choices."""
        if self.overflow is None:
            return
        if not self.is_summarising:
            self._text.setText(strings.summarizing(len(self.overflow.turns)))
            self._set_stage(self.overflow, summarising=True)
            self.setFocus()
        self._progress.setValue(round(share * 1000))

    def end_progress(self) -> None:
        """Show the choices again, in place of the progress."""
        if self.overflow is not None and self.is_summarising:
            self.show_overflow(self.overflow)

    def close_card(self) -> None:
        """Cancel a running summary, hide the card and emit `closed`. Also called when the user presses Esc."""
        if self.is_summarising:
            self.cancel_requested.emit()
        self.dismiss()
        self.closed.emit()

    def dismiss(self) -> None:
        """Hide the card without emitting `closed`."""
        focused = self.window().focusWidget()
        if focused is self or (focused is not None and self.isAncestorOf(focused)):
            # `focus_left` is emitted before hiding, because hiding moves the focus to the next widget.
            self.focus_left.emit()
        self.overflow = None
        self._progress.hide()
        self.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        focused = self.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focused, QAbstractButton):
            focused.click()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_turns()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_turns()

    def _make_turn_list(self) -> QListWidget:
        turns = QListWidget(self)
        turns.setObjectName("overflowTurns")
        turns.setAccessibleName(self.tr("Turns that would be left out"))
        turns.setTextElideMode(Qt.TextElideMode.ElideRight)
        turns.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        turns.setUniformItemSizes(True)
        turns.hide()
        return turns

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(9)
        head.addWidget(self._icon)
        head.addWidget(self._title, 1)
        head.addWidget(self._close)
        self._choices = QWidget(self)
        flow = FlowLayout(8, self._choices)
        for button in (self.leave_out, self.summarise, self.new_chat, self.cancel, self.show_turns):
            flow.addWidget(button)
        self._choices.setSizePolicy(_height_for_width_policy())
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 9, 10, 15)
        column.setSpacing(0)
        column.addLayout(head)
        body = QVBoxLayout()
        body.setContentsMargins(0, 0, 8, 0)
        body.setSpacing(12)
        body.addWidget(self._text)
        body.addWidget(self._turns)
        body.addWidget(self._progress)
        body.addWidget(self._choices)
        column.addLayout(body)

    def _announce(self, text: str) -> None:
        if QAccessible.isActive():
            event = QAccessibleAnnouncementEvent(self, text)
            event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
            QAccessible.updateAccessibility(event)

    def _set_stage(self, overflow: Overflow, *, summarising: bool) -> None:
        choosing = overflow.kind == "turns" and not summarising
        for button in (self.leave_out, self.summarise, self.new_chat, self.show_turns):
            button.setVisible(choosing)
        self.cancel.setVisible(summarising)
        self._progress.setVisible(summarising)
        self._progress.setValue(0)
        self._choices.setVisible(choosing or summarising)
        self._show_list(False)
        self.updateGeometry()

    def _toggle_turns(self) -> None:
        self._show_list(self._turns.isHidden())

    def _show_list(self, shown: bool) -> None:
        self._turns.setVisible(shown)
        self.show_turns.setText(self.tr("Hide them") if shown else self.tr("Show them"))
        self._fit_turns()

    def _fit_turns(self) -> None:
        rows = min(self._turns.count(), MAX_ROWS)
        page, row = self.window().height(), scaled(ROW_HEIGHT)
        self._turns.setFixedHeight(max(row, min(rows * row + 2, round(page * LIST_SHARE))))

    def _button(self, name: str, text: str, requested: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        if requested is not None:
            button.clicked.connect(lambda: requested.emit())  # type: ignore[attr-defined]  # PySide gives bound signals no type
        return button

    def _restyle(self) -> None:
        self._icon.setPixmap(self._theme.pixmap("scissors", "accent", 16, self.devicePixelRatioF()))
        self._close.setIcon(self._theme.icon("x", "muted"))
        self._close.setIconSize(QSize(14, 14))


def _height_for_width_policy() -> QSizePolicy:
    policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    return policy
