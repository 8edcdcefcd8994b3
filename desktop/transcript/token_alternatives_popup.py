"""The popup with the alternatives of a word in an answer: other tokens that the model considered there, with their
probabilities."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QVBoxLayout, QWidget

from desktop.chat.token_alternatives import TokenAlternative
from desktop.platform.text_escaping import button_text
from desktop.platform.theme import Theme, code_font, text_font

SHADOW = 18
"""The width of the shadow around the card in pixels. The shadow is part of the card's widget."""
SHADOW_OFFSET = 4
"""How much lower than the card its shadow is drawn, in pixels."""
RADIUS, ROW_RADIUS = 12, 7
ROW_HEIGHT = 30
ROW_PADDING = 8
BAR_WIDTH, BAR_HEIGHT = 72, 6
PERCENT_WIDTH = 40
GAP = 10
MIN_WORD_WIDTH, MAX_WORD_WIDTH = 84, 190
N_PLACEHOLDERS = 4
"""The number of rows that are shown while the alternatives are computed."""
WORD_GAP = 4
"""The distance between the word and the card in pixels."""


class AlternativeRow(QAbstractButton):
    """A row of the popup: a word with its probability as a bar and as a percentage. Without `choice`, it is a grey
    placeholder."""

    def __init__(self, choice: TokenAlternative | None, word_width: int, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.choice = choice
        self.is_current = False
        self._word_width = word_width
        self._theme = theme
        self.setEnabled(choice is not None)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if choice is not None:
            self.setText(button_text(choice.word))
            self.setAccessibleName(self.tr("{word}, {percent}").format(word=choice.word, percent=percent(choice)))

    def sizeHint(self) -> QSize:
        return QSize(2 * ROW_PADDING + self._word_width + GAP + BAR_WIDTH + PERCENT_WIDTH, ROW_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if self.is_current:
            painter.setBrush(self._theme.colour("soft"))
            painter.drawRoundedRect(self.rect(), ROW_RADIUS, ROW_RADIUS)
        word = QRect(ROW_PADDING, 0, self._word_width, self.height())
        bar = QRectF(word.right() + 1 + GAP, (self.height() - BAR_HEIGHT) / 2, BAR_WIDTH, BAR_HEIGHT)
        self._paint_bar(painter, bar, "line", 1.0)
        if self.choice is None:
            self._paint_bar(painter, QRectF(ROW_PADDING, bar.top() - 2, self._word_width * 0.7, 10), "line", 1.0)
            return
        self._paint_bar(painter, bar, "accent", max(self.choice.probability, BAR_HEIGHT / BAR_WIDTH))
        painter.setPen(self._theme.colour("text"))
        painter.setFont(code_font(13))
        metrics = QFontMetrics(painter.font())
        elided = metrics.elidedText(self.choice.word, Qt.TextElideMode.ElideRight, word.width())
        painter.drawText(word, Qt.AlignmentFlag.AlignVCenter, elided)
        painter.setPen(self._theme.colour("muted"))
        painter.setFont(text_font(13))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(self.rect().adjusted(0, 0, -ROW_PADDING, 0), right, percent(self.choice))

    def _paint_bar(self, painter: QPainter, box: QRectF, token: str, share: float) -> None:
        painter.setBrush(self._theme.colour(token))
        filled = QRectF(box.topLeft(), box.size())
        filled.setWidth(box.width() * min(1.0, share))
        painter.drawRoundedRect(filled, box.height() / 2, box.height() / 2)


class _Card(QWidget):
    """The background of the popup: a card with a shadow."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = QRectF(self.rect()).adjusted(SHADOW, SHADOW, -SHADOW, -SHADOW)
        painter.setPen(Qt.PenStyle.NoPen)
        shade = self._theme.colour("shadow")
        shade.setAlpha(3)
        painter.setBrush(shade)
        for spread in range(SHADOW - SHADOW_OFFSET, 0, -1):
            around = card.adjusted(-spread, SHADOW_OFFSET - spread, spread, SHADOW_OFFSET + spread)
            painter.drawRoundedRect(around, RADIUS + spread, RADIUS + spread)
        painter.setPen(self._theme.colour("line"))
        painter.setBrush(self._theme.colour("surface"))
        painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)


class TokenAlternativesPopup(QWidget):
    """The popup. It opens with placeholders, which `show_alternatives` replaces. The arrow keys or the mouse choose a
    word; Esc or a click outside the card closes the popup. GUI thread only.

    The widget covers its parent to receive clicks outside the card. It deletes itself when it is closed."""

    chosen = Signal(str)
    """The user has chosen a word. Emitted after the popup was closed."""
    closed = Signal()

    def __init__(self, word: str, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._container = parent
        self._word = word
        self._theme = theme
        self._word_box = QRect()
        self._is_open = True
        self._focused_before: QWidget | None = None
        self._card = _Card(theme, self)
        self._title = self._label(self.tr("Instead of “{word}”").format(word=_short(word)))
        self._note = self._label(self.tr("Looking for other words…"))
        self._column = QVBoxLayout(self._card)
        self._column.setContentsMargins(SHADOW + 8, SHADOW + 8, SHADOW + 8, SHADOW + 8)
        self._column.setSpacing(0)
        self._column.addWidget(self._title)
        self._column.addSpacing(2)
        self._rows: list[AlternativeRow] = []
        self._make_rows([None] * N_PLACEHOLDERS)
        self._column.addSpacing(2)
        self._column.addWidget(self._note)
        self.setAccessibleName(self._title.text())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        parent.installEventFilter(self)
        self.hide()

    @property
    def rows(self) -> list[AlternativeRow]:
        return list(self._rows)

    @property
    def current(self) -> int:
        """The number of the row that Enter chooses; -1 if there is none."""
        return next((number for number, row in enumerate(self._rows) if row.is_current), -1)

    def open_at(self, word: QRect) -> None:
        """Shows the card below a word, or above it if there is too little space below. `word` is the word's rectangle
        on the screen."""
        self._word_box = QRect(self._container.mapFromGlobal(word.topLeft()), word.size())
        self.setGeometry(self._container.rect())
        self._arrange()
        self.show()
        self.raise_()
        self._focused_before = QApplication.focusWidget()
        self.setFocus()

    def show_alternatives(self, choices: Sequence[TokenAlternative]) -> None:
        """Replaces the placeholders by words. `choices` are in descending order of probability and contain the original
        word."""
        for row in self._rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._make_rows(choices)
        others = [number for number, choice in enumerate(choices) if choice.word != self._word]
        found = self.tr("Choose one to go on from there") if others else self.tr("Nothing else was likely here")
        self._note.setText(found)
        if choices:
            self._make_current(others[0] if others else 0)
        self._arrange()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Down | Qt.Key.Key_Tab:
                self._step(1)
            case Qt.Key.Key_Up | Qt.Key.Key_Backtab:
                self._step(-1)
            case Qt.Key.Key_Home if self._is_filled:
                self._make_current(0)
            case Qt.Key.Key_End if self._is_filled:
                self._make_current(len(self._rows) - 1)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Space if self.current >= 0:
                self._choose(self._rows[self.current])
            case Qt.Key.Key_Escape:
                self.close()

    def event(self, event: QEvent) -> bool:
        """Handles the Escape key before the window does. The window would stop an answer."""
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.close()

    def focusNextPrevChild(self, forward: bool) -> bool:
        self._step(1 if forward else -1)
        return True

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        if self._is_open:
            self._is_open = False
            self._container.removeEventFilter(self)
            if self._focused_before is not None:
                self._focused_before.setFocus()
            self.closed.emit()
            self.deleteLater()

    @property
    def _is_filled(self) -> bool:
        return bool(self._rows) and self._rows[0].choice is not None

    def _label(self, text: str) -> QLabel:
        label = QLabel(text, self._card)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setFont(text_font(12))
        label.setStyleSheet(f"color: {self._theme.colour('muted').name()}; background: transparent;")
        label.setContentsMargins(ROW_PADDING, 4, ROW_PADDING, 4)
        return label

    def _make_rows(self, choices: Sequence[TokenAlternative | None]) -> None:
        metrics = QFontMetrics(code_font(13))
        widths = [metrics.horizontalAdvance(choice.word) for choice in choices if choice is not None]
        width = min(MAX_WORD_WIDTH, max([MIN_WORD_WIDTH, *widths]))
        self._rows = [AlternativeRow(choice, width, self._theme, self._card) for choice in choices]
        for number, row in enumerate(self._rows):
            row.clicked.connect(lambda _=False, row=row: self._choose(row))
            row.installEventFilter(self)
            self._column.insertWidget(2 + number, row)
            row.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Enter and isinstance(watched, AlternativeRow) and watched.isEnabled():
            self._make_current(self._rows.index(watched))
        elif watched is self._container and event.type() == QEvent.Type.Resize:
            self.close()  # the word has moved because of the resize
        return False

    def _step(self, step: int) -> None:
        if self._is_filled:
            self._make_current((self.current + step) % len(self._rows))

    def _make_current(self, number: int) -> None:
        for place, row in enumerate(self._rows):
            row.is_current = place == number
            row.update()
        self.setAccessibleDescription(self._rows[number].accessibleName())

    def _choose(self, row: AlternativeRow) -> None:
        if row.choice is not None and self._is_open:
            self.close()
            self.chosen.emit(row.choice.word)

    def _arrange(self) -> None:
        """Sizes the card to its rows, and places it below or above the word, inside the parent."""
        card, area = self._card, self.rect()
        self._column.invalidate()
        card.resize(card.sizeHint())
        corner = self._word_box.bottomLeft() + QPoint(-SHADOW - 2 * ROW_PADDING, WORD_GAP - SHADOW + 1)
        if corner.y() + card.height() - SHADOW > area.bottom() - 4:
            corner.setY(self._word_box.top() - WORD_GAP - card.height() + SHADOW)
        x = max(-SHADOW + 4, min(corner.x(), area.right() - card.width() + SHADOW - 4))
        card.move(x, max(-SHADOW + 4, corner.y()))


def percent(choice: TokenAlternative) -> str:
    share = round(100 * choice.probability)
    return f"{share}%" if share >= 1 else "<1%"


def _short(word: str) -> str:
    return word if len(word) <= 32 else word[:31] + "…"
