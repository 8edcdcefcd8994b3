"""Context meter of the composer: a ring and two numbers, the used tokens and the context length."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from desktop.chat.token_estimate import about
from desktop.platform.number_format import whole
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import set_style_flag
from desktop.widgets.status_icons import draw_ring

RING = 16


class ContextMeter(QLabel):
    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._share = 0.0
        self.setObjectName("contextMeter")
        self.setContentsMargins(RING + 6, 0, 0, 0)
        self.hide()

    def show_usage(self, n_tokens: int, n_ctx: int, n_left_out: int = 0, *, is_estimate: bool = False) -> None:
        """Show how much of the context is used. Hidden if `n_tokens` or `n_ctx` is 0. `n_left_out` is the number of
        turns left out of the prompt. `is_estimate`: `n_tokens` is estimated from the length of the texts."""
        self._share = min(1.0, n_tokens / n_ctx) if n_ctx else 0.0
        used = about(whole(n_tokens)) if is_estimate else whole(n_tokens)
        self.setText(self.tr("{used} of {all}").format(used=used, all=whole(n_ctx)))
        texts = [self.tr("Tokens of this chat and your draft, out of the model’s context")]
        if n_left_out:
            texts.append(self.tr("Oldest turns left out: {n}").format(n=n_left_out))
        if n_ctx and n_tokens > n_ctx:
            texts.append(self.tr("This is more than the model can read"))
        self.setToolTip("\n".join(texts))
        self.setAccessibleName(". ".join([self.text(), *texts]))
        over = bool(n_ctx) and n_tokens > n_ctx
        set_style_flag(self, "over", over)
        self.setVisible(bool(n_tokens and n_ctx))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_ring(painter, QRectF(1.5, (self.height() - RING) / 2 + 1.5, RING - 3, RING - 3), self._share, self._theme)
