"""Chips above the text field of the composer, one for each attached file: icon, name, number of tokens, remove
button."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QToolButton, QWidget

from desktop.chat.attachments.attachment_list import AttachmentItem
from desktop.chat.token_estimate import about
from desktop.platform.text_escaping import tooltip_text
from desktop.platform.theme import Theme
from desktop.widgets.flow import FlowLayout

NAME_WIDTH = 190
GAP = 8
CHIP_HEIGHT = 30
MAX_ROWS = 2
ICONS = {"code": "file-code", "csv": "table"}


class AttachmentChip(QFrame):
    removal_requested = Signal(str)

    def __init__(self, theme: Theme, item: AttachmentItem, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.item = item
        self.setObjectName("chip")
        self.setFixedHeight(CHIP_HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._icon = QLabel(self)
        self._name = QLabel(self)
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        self._tokens = QLabel(self)
        self._tokens.setObjectName("chipTokens")
        self._remove = QToolButton(self)
        self._remove.setObjectName("chipRemove")
        self._remove.setFixedSize(20, 20)
        self._remove.clicked.connect(lambda: self.removal_requested.emit(self.item.id))
        row = QHBoxLayout(self)
        row.setContentsMargins(9, 0, 5, 0)
        row.setSpacing(7)
        for widget in (self._icon, self._name, self._tokens, self._remove):
            row.addWidget(widget)
        self.show_item(item)
        self.restyle()

    @property
    def tab_stops(self) -> tuple[QWidget, QWidget]:
        """The chip and its remove button, in tab order."""
        return self, self._remove

    def show_item(self, item: AttachmentItem) -> None:
        self.item = item
        elided = self._name.fontMetrics().elidedText(item.name, Qt.TextElideMode.ElideMiddle, NAME_WIDTH)
        self._name.setText(elided)
        self._tokens.setText(self._token_count(item) if item.n_tokens is not None else "…")
        description = self._description(item)
        self.setToolTip(tooltip_text(description))
        self.setAccessibleName(description)
        self._remove.setAccessibleName(self.tr("Remove {name}").format(name=item.name))
        self._remove.setToolTip(self.tr("Remove"))

    def restyle(self) -> None:
        kind = self.item.attachment.kind if self.item.attachment is not None else "text"
        self._icon.setPixmap(self._theme.pixmap(ICONS.get(kind, "file-text"), "muted", 14, self.devicePixelRatioF()))
        self._remove.setIcon(self._theme.icon("x", "muted", 12))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removal_requested.emit(self.item.id)
        else:
            super().keyPressEvent(event)

    def _description(self, item: AttachmentItem) -> str:
        if item.attachment is None:
            return self.tr("{name}, being read").format(name=item.name)
        if item.n_tokens is None:
            return self.tr("{name}, tokens not counted yet").format(name=item.name)
        if item.is_estimate:
            return f"{item.name}, {self._token_count(item)}"
        return self.tr("{name}, %Ln tokens", "", item.n_tokens).format(name=item.name)

    def _token_count(self, item: AttachmentItem) -> str:
        count = self.tr("%Ln tokens", "", item.n_tokens or 0)
        return about(count) if item.is_estimate else count


class AttachmentChips(QScrollArea):
    """Area with one chip for each attached file. It shows two rows of chips and scrolls if there are more. It is hidden
    while there are no chips."""

    removal_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._chips: dict[str, AttachmentChip] = {}
        self.setObjectName("chips")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._content = QWidget(self)
        self._content.setObjectName("chipsHome")
        self._flow = FlowLayout(GAP, self._content)
        self.setWidget(self._content)
        theme.changed.connect(self._restyle)
        self.hide()

    @property
    def tab_stops(self) -> list[QWidget]:
        """All chips and their remove buttons, in tab order."""
        return [tab_stop for chip in self._chips.values() for tab_stop in chip.tab_stops]

    @property
    def chips(self) -> list[AttachmentChip]:
        return list(self._chips.values())

    def show_items(self, items: Sequence[AttachmentItem]) -> None:
        """Show one chip for each item. The chip of an item that was already shown is reused, so that it keeps the
        keyboard focus."""
        for removed_id in self._chips.keys() - {item.id for item in items}:
            chip = self._chips.pop(removed_id)
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        for item in items:
            if item.id in self._chips:
                self._chips[item.id].show_item(item)
                self._chips[item.id].restyle()
            else:
                self._add(item)
        self.setVisible(bool(items))
        self._flow.invalidate()
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _add(self, item: AttachmentItem) -> None:
        chip = AttachmentChip(self._theme, item, self._content)
        chip.removal_requested.connect(self.removal_requested)
        self._flow.addWidget(chip)
        self._chips[item.id] = chip
        chip.show()

    def _fit(self) -> None:
        height = self._flow.heightForWidth(self.viewport().width())
        self.setFixedHeight(max(1, min(height, MAX_ROWS * CHIP_HEIGHT + (MAX_ROWS - 1) * GAP + CHIP_HEIGHT // 3)))

    def _restyle(self) -> None:
        for chip in self._chips.values():
            chip.restyle()
