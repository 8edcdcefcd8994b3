"""A card that offers a model, shows the progress of its download, and offers to load it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.models import offer_strings
from desktop.models.model_offer import OfferedModel
from desktop.widgets.card_parts import Card, label, link


class OfferCard(Card):
    """Hidden until `show_offer` is called with an offer."""

    download_requested = Signal()
    load_requested = Signal()
    models_requested = Signal()
    declined = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offered: OfferedModel | None = None
        self.title = label("cardTitle", "", self, wraps=True)
        self.text = label("cardLabel", "", self, wraps=True)
        self.main = QPushButton(self)
        self.main.setObjectName("primary")
        self.main.clicked.connect(self._main_clicked)
        self.other = link("", self)
        self.other.clicked.connect(self._other_clicked)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.main)
        buttons.addWidget(self.other)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(6)
        column.addWidget(self.title)
        column.addWidget(self.text)
        column.addLayout(buttons)
        self.hide()

    def show_offer(self, offered: OfferedModel | None) -> None:
        self._offered = offered
        if offered is not None:
            self.title.setText(offer_strings.title(offered))
            self.text.setText(offer_strings.text(offered))
            main = offer_strings.main_button(offered)
            if not main and self.main.hasFocus():
                self.other.setFocus()
            self.main.setText(main)
            self.main.setVisible(bool(main))
            self.other.setText(offer_strings.other_button(offered))
        elif (focused := self.window().focusWidget()) is not None and self.isAncestorOf(focused):
            self.focusNextChild()  # without this, Qt would move the focus out of the page
        self.setVisible(offered is not None)

    def _main_clicked(self) -> None:
        if self._offered is not None:
            (self.load_requested if self._offered.stage == "downloaded" else self.download_requested).emit()

    def _other_clicked(self) -> None:
        if self._offered is not None:
            (self.declined if offer_strings.declines(self._offered) else self.models_requested).emit()
