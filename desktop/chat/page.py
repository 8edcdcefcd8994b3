"""The chat page: header, greeting or transcript, composer, settings sheet, overflow card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from desktop.chat.composer.composer import Composer
from desktop.chat.greeting import Greeting
from desktop.chat.header import Header
from desktop.platform.theme import Theme
from desktop.widgets.page_view import PageView

if TYPE_CHECKING:
    from desktop.chat.chat_settings.settings_sheet import ChatSettingsSheet
    from desktop.chat.composer.overflow_card import OverflowCard
    from desktop.transcript.view import TranscriptView
    from desktop.widgets.side_sheet import SideSheet

_MOVES = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide)


class ChatPage(PageView, QWidget):
    """Page that shows the open chat. It is made before the window is first painted; the transcript, the settings sheet
    and the overflow card are added afterwards. GUI thread only."""

    composer_moved = Signal()
    """Emitted when the composer or the overflow card was moved, resized, shown or hidden. The window then moves the
    toasts, which are placed above them."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.header = Header(theme, self)
        self.sidebar_button = self.header.sidebar_button
        self.stage = QStackedWidget(self)
        self.stage.setObjectName("stage")
        self.greeting = Greeting(theme, parent=self.stage)
        self.composer = Composer(theme, self)
        self.transcript: TranscriptView | None = None
        self.settings_sheet: ChatSettingsSheet | None = None
        self.overflow_card: OverflowCard | None = None
        self._compare_sheet: SideSheet | None = None
        self._column = QVBoxLayout(self)
        self.place = QLabel(self.tr("Runs on this computer. Nothing leaves it."), self)
        self._lay_out()

    def add_transcript(self, transcript: TranscriptView) -> None:
        self.transcript = transcript
        self.stage.addWidget(transcript)

    def add_composer_panels(self, settings: ChatSettingsSheet, card: OverflowCard) -> None:
        """Add the settings sheet and the overflow card."""
        self.settings_sheet = self.side_sheet = settings
        self.overflow_card = card
        card.installEventFilter(self)
        settings.taken_width_changed.connect(lambda taken: self._column.setContentsMargins(0, 0, taken, 12))
        above = QHBoxLayout()
        above.setContentsMargins(16, 8, 16, 10)
        above.addStretch(1)
        above.addWidget(card, 1000)
        above.addStretch(1)
        self._column.insertLayout(self._column.indexOf(self.stage) + 1, above)

    def add_compare_sheet(self, sheet: SideSheet) -> None:
        """Add the sheet for comparing models. While one sheet is open, the other one is closed."""
        sheet.taken_width_changed.connect(lambda taken: self._column.setContentsMargins(0, 0, taken, 12))
        sheet.installEventFilter(self)
        self._compare_sheet = sheet

    def open_compare_sheet(self) -> None:
        if self._compare_sheet is not None and self.settings_sheet is not None:
            self.settings_sheet.close_sheet()
            self.side_sheet = self._compare_sheet
            self._compare_sheet.open_sheet()

    def open_settings_sheet(self) -> None:
        if self.settings_sheet is not None:
            if self._compare_sheet is not None:
                self._compare_sheet.close_sheet()
            self.side_sheet = self.settings_sheet
            self.settings_sheet.open_sheet()

    def show_place(self, text: str) -> None:
        """Show below the composer where the model computes."""
        self.place.setText(text)

    def show_greeting(self, greeting: bool) -> None:
        """Show the greeting if `greeting` is True, otherwise the transcript."""
        if greeting:
            self.greeting.greet()
            self.stage.setCurrentWidget(self.greeting)
        elif self.transcript is not None:
            self.stage.setCurrentWidget(self.transcript)

    def close_topmost(self) -> bool:
        """Close the settings sheet or the overflow card, whichever is open. Returns False if neither is."""
        if super().close_topmost():
            return True
        if self.overflow_card is not None and self.overflow_card.isVisible():
            self.overflow_card.close_card()
            return True
        return False

    def top_of_composer(self, ancestor: QWidget) -> int:
        """Upper edge of the overflow card, or of the composer if the card is hidden, in pixels relative to
        `ancestor`."""
        card = self.overflow_card
        lowest = card if card is not None and card.isVisible() else self.composer
        return lowest.mapTo(ancestor, QPoint(0, 0)).y()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVES:
            self.composer_moved.emit()
        return super().eventFilter(watched, event)

    def _lay_out(self) -> None:
        self.place.setObjectName("composerNote")
        self.place.setTextFormat(Qt.TextFormat.PlainText)
        middle = QHBoxLayout()
        middle.setContentsMargins(16, 0, 16, 0)
        middle.addStretch(1)
        middle.addWidget(self.composer, 1000)
        middle.addStretch(1)
        self.stage.addWidget(self.greeting)
        # If the window is not high enough, the greeting or transcript shrinks and the composer keeps its height.
        self.stage.setMinimumHeight(1)
        column = self._column
        column.setContentsMargins(0, 0, 0, 12)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.stage, 1)
        column.addLayout(middle)
        column.addSpacing(10)
        column.addWidget(self.place, alignment=Qt.AlignmentFlag.AlignHCenter)
        self.composer.installEventFilter(self)
