"""Card with the memory use: a bar with a legend, and the chats and tools with the largest KV states."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPainterPath, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.endpoint import strings
from desktop.endpoint.memory_shares import MemoryShares
from desktop.platform.bidi import mirrored
from desktop.platform.number_format import size
from desktop.platform.theme import Theme, text_font
from desktop.widgets.card_parts import Card, label

MAX_HOLDERS = 6
BAR, LINE, GAP, SQUARE = 12, 22, 18, 8
"""In pixels: height of the bar, height of a line of the legend, gap between legend entries, size of a colour square."""


class MemoryCard(Card):
    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sum = label("pageText", "", self)
        self._disk = label("pageText", "", self)
        self._holders = label("pageText", "", self)
        self._holders.setWordWrap(True)
        self.bar = MemoryBar(theme, self)
        head = QHBoxLayout()
        head.addWidget(label("cardTitle", self.tr("Memory"), self), 1)
        head.addWidget(self._sum)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 14)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self.bar)
        column.addWidget(self._holders)
        column.addWidget(self._disk, alignment=Qt.AlignmentFlag.AlignRight)
        self.hide()

    def show_shares(self, shares: MemoryShares) -> None:
        used, left = size(shares.used), size(shares.available)
        self._sum.setText(self.tr("{used} used · {left} free").format(used=used, left=left))
        self._disk.setText(self.tr("Cached on disk: {size}").format(size=size(shares.snapshots)))
        self._disk.setVisible(shares.snapshots > 0)
        parts = [f"{strings.holder(each)} {strings.holder_size(each)}" for each in shares.holders[:MAX_HOLDERS]]
        self._holders.setText(self.tr("Used by: {list}").format(list=" · ".join(parts)))
        self._holders.setVisible(bool(parts))
        self.bar.show_shares(shares)
        self.show()


class MemoryBar(QWidget):
    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._parts: list[tuple[str, str, int]] = []
        self._total = 1
        theme.changed.connect(self._fit)
        self.setFixedHeight(BAR + 4 + LINE)

    def show_shares(self, shares: MemoryShares) -> None:
        parts = [
            ("accent", self.tr("Model"), shares.weights),
            ("share_chats", self.tr("Your chats"), shares.kv_window),
            ("share_tools", self.tr("Tools"), shares.kv_tools),
            ("share_room", self.tr("Free cache"), shares.kv_free),
            ("share_app", self.tr("App"), shares.others),
        ]
        self._parts = [part for part in parts if part[2] > 0 or part[0] in ("share_chats", "share_tools")]
        self._total = max(1, shares.used)
        self.setAccessibleName(self.tr("Memory"))
        self.setAccessibleDescription(", ".join(self._legend_text(part) for part in self._parts))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bar = QRectF(0, 0, self.width(), BAR)
        shape = QPainterPath()
        shape.addRoundedRect(bar, BAR / 2, BAR / 2)
        painter.save()
        painter.setClipPath(shape)
        painter.fillRect(bar, self._theme.colour("line"))
        left = 0.0
        for colour, _, n_bytes in self._parts:
            width = self.width() * n_bytes / self._total
            painter.fillRect(mirrored(QRectF(left, 0, width, BAR), bar), self._theme.colour(colour))
            left += width
        painter.restore()
        painter.setFont(text_font(12))
        for part, x, y in self._legend_positions():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour(part[0]))
            painter.drawRoundedRect(mirrored(QRectF(x, y + (LINE - SQUARE) / 2, SQUARE, SQUARE), bar), 2, 2)
            painter.setPen(self._theme.colour("muted"))
            room = QRectF(x + SQUARE + 6, y, self.width() - x - SQUARE - 6, LINE)
            painter.drawText(mirrored(room, bar), int(Qt.AlignmentFlag.AlignVCenter), self._legend_text(part))
        painter.end()

    def _legend_text(self, part: tuple[str, str, int]) -> str:
        return f"{part[1]} {size(part[2])}"

    def _legend_positions(self) -> list[tuple[tuple[str, str, int], int, int]]:
        """Places the legend entries in lines. Returns each part of the bar with the position of its entry."""
        metrics, x, y = _metrics(self), 0, BAR + 8
        places = []
        for part in self._parts:
            width = SQUARE + 6 + metrics.horizontalAdvance(self._legend_text(part))
            if x and x + width > self.width():
                x, y = 0, y + LINE
            places.append((part, x, y))
            x += width + GAP
        return places

    def _fit(self) -> None:
        places = self._legend_positions()
        self.setFixedHeight((places[-1][2] if places else BAR + 8) + LINE)
        self.update()


def _metrics(widget: QWidget) -> QFontMetrics:
    return QFontMetrics(text_font(12), widget)
