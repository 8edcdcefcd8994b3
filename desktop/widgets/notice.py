"""A few words above the composer: what happened, and what one can do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from desktop.theme import Theme
from desktop.widgets.card_parts import mark

WIDEST = 560
GAP = 12


class Notice(QFrame):
    """Floats at the lower edge of its parent, as far above it as `floor` says. One at a time: the newest is seen. GUI
    thread only."""

    def __init__(self, theme: Theme, floor: Callable[[], int], parent: QWidget) -> None:
        super().__init__(parent)
        self._floor = floor
        self._theme = theme
        self._home = parent
        self._act: Callable[[], None] | None = None
        self._alert = False
        self._topic = ""
        self.setObjectName("notice")
        self._icon = QLabel(self)
        self._text = QLabel(self)
        self._text.setWordWrap(True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._action = QPushButton(self)
        self._action.setObjectName("link")
        self._action.clicked.connect(self._acted)
        self._dismiss = QToolButton(self)
        self._dismiss.setObjectName("quiet")
        self._dismiss.setAccessibleName(self.tr("Dismiss"))
        self._dismiss.clicked.connect(self.hide)
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 8, 8)
        row.setSpacing(8)
        for widget in (self._icon, self._text, self._action, self._dismiss):
            row.addWidget(widget, 1 if widget is self._text else 0)
        self._fade = QTimer(self, singleShot=True)
        self._fade.timeout.connect(self.hide)
        theme.changed.connect(self._restyle)
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text() if self.isVisible() else ""

    def tell(
        self,
        text: str,
        *,
        alert: bool = False,
        action: str = "",
        act: Callable[[], None] | None = None,
        for_ms: int = 0,
        topic: str = "",
    ) -> None:
        """Shows `text`; with `for_ms` it goes by itself, else when it is dismissed."""
        self._text.setText(text)
        self._alert, self._act, self._topic = alert, act, topic
        self._action.setText(action)
        self._action.setVisible(bool(action))
        self.setAccessibleName(text)
        self._restyle()
        self.place()
        self.show()
        self.raise_()
        self._fade.stop()
        if for_ms:
            self._fade.start(for_ms)

    def clear(self, topic: str) -> None:
        """Takes back what was said about this: it is no longer so."""
        if topic == self._topic:
            self.hide()

    def place(self) -> None:
        """Finds its place anew after its parent has changed."""
        home, margins = self._home, self._row.contentsMargins()
        beside = [widget for widget in (self._icon, self._action, self._dismiss) if not widget.isHidden()]
        others = sum(widget.sizeHint().width() + self._row.spacing() for widget in beside)
        words = self._text.fontMetrics().horizontalAdvance(self._text.text()) + 4
        width = min(home.width() - 32, WIDEST, words + others + margins.left() + margins.right())
        self.resize(width, max(44, self.heightForWidth(width)))
        self.move((home.width() - width) // 2, max(GAP, home.height() - self._floor() - self.height() - GAP))

    def _acted(self) -> None:
        self.hide()
        if self._act is not None:
            self._act()

    def _restyle(self) -> None:
        mark(self, "alert", self._alert)
        token = "accent" if self._alert else "muted"
        name = "triangle-alert" if self._alert else "info"
        self._icon.setPixmap(self._theme.pixmap(name, token, 16, self.devicePixelRatioF()))
        self._dismiss.setIcon(self._theme.icon("x", "muted"))
