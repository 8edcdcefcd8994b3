"""The buttons of answers that stand side by side: one over each card, and those of the one that is kept."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QPoint, Qt
from PySide6.QtWidgets import QPushButton, QWidget

from desktop.platform.theme import Theme
from desktop.transcript.comparison import ComparisonItem
from desktop.transcript.message_callbacks import MessageCallbacks
from desktop.transcript.message_controls import MessageControls

translate = QCoreApplication.translate


class ComparisonControls(MessageControls):
    """GUI thread only."""

    def __init__(self, item: ComparisonItem, theme: Theme, parent: QWidget, callbacks: MessageCallbacks) -> None:
        super().__init__(item, theme, parent, callbacks)
        self._beside = item
        self._cards: dict[str, QPushButton] = {}

    def arrange(self, corner: QPoint, versions: tuple[int, int]) -> None:
        for number, (message_id, box) in enumerate(self._beside.choices(), start=1):
            card = self._cards.get(message_id) or self._card(message_id)
            kept = message_id == self._beside.message.id
            name = translate("transcript", "Answer {n}, kept") if kept else translate("transcript", "Keep answer {n}")
            card.setAccessibleName(name.format(n=number))
            card.setGeometry(box.translated(corner))
            card.show()
        super().arrange(corner, versions)

    def _all(self) -> list[QWidget]:
        return [*super()._all(), *self._cards.values()]

    def _card(self, message_id: str) -> QPushButton:
        card = QPushButton(self._parent)
        card.setObjectName("answerCard")
        card.setCursor(Qt.CursorShape.PointingHandCursor)
        card.clicked.connect(lambda: self._callbacks.pick(message_id))
        self._cards[message_id] = card
        return card
