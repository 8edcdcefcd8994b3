"""Formulas and pictures among the words: made off the GUI thread, remembered, drawn sharply at any scale."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from desktop.render.blocks import Inset
from desktop.render.formula import Formula, formula, known
from desktop.transcript.pictures import read_picture

KEPT = 256
HIGHEST = 480
"""Pixels of the screen that a picture takes at most."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Ready to be drawn, `width` by `height` on the screen. A formula is in one colour, which the page gives it."""

    image: QImage
    width: float
    height: float
    is_formula: bool

    def in_colour(self, colour: QColor) -> QImage:
        if not self.is_formula:
            return self.image
        image = self.image.copy()
        painter = QPainter(image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
        painter.fillRect(image.rect(), colour)
        painter.end()
        return image


class Insets(QObject):
    """One for each transcript. `ready` comes when more can be drawn. GUI thread only."""

    ready = Signal()
    _made = Signal(object, object)

    def __init__(self, half_x: float, parent: QObject) -> None:
        """`half_x`: half the height of an x, around which Qt centres what stands in a line."""
        super().__init__(parent)
        self.scale = 1.0
        """Pixels of the device for one of the screen."""
        self._half_x = half_x
        self._known: OrderedDict[tuple[Inset, float], Drawn | None] = OrderedDict()
        self._waiting: deque[tuple[Inset, float]] = deque()
        self._asked: set[tuple[Inset, float]] = set()
        self._lock = threading.Lock()
        self._working = False
        self._made.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def get(self, inset: Inset) -> Drawn | None:
        """None while it is being made, and for what cannot be drawn: then `inset.shown` stands in."""
        key = inset, self.scale
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        if inset.kind == "formula" and known(inset.source, inset.display):  # read ahead: no flicker
            self._keep(key, self._make(*key))
            return self._known[key]
        if key not in self._asked:
            self._asked.add(key)
            with self._lock:
                self._waiting.append(key)
                start, self._working = not self._working, True
            if start:  # it ends with its work, so that nothing of it is left behind
                threading.Thread(target=self._work, name="insets", daemon=True).start()
        return None

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._working = False
                    return
                key = self._waiting.popleft()
            drawn = self._make(*key)
            try:
                self._made.emit(key, drawn)
            except RuntimeError:  # the transcript is gone
                return

    def _take(self, key: tuple[Inset, float], drawn: Drawn | None) -> None:
        self._asked.discard(key)
        self._keep(key, drawn)
        if drawn is not None:
            self.ready.emit()

    def _keep(self, key: tuple[Inset, float], drawn: Drawn | None) -> None:
        self._known[key] = drawn
        while len(self._known) > KEPT:
            self._known.popitem(last=False)

    def _make(self, inset: Inset, scale: float) -> Drawn | None:
        """Any thread. None where it cannot be drawn."""
        if inset.kind == "formula":
            made = formula(inset.source, display=inset.display)
            return _drawn(made, scale, self._half_x) if made else None
        image = read_picture(inset.source)
        if image is None:
            return None
        shrink = min(1.0, HIGHEST / image.height())
        return Drawn(image, image.width() * shrink, image.height() * shrink, is_formula=False)


def _drawn(made: Formula, scale: float, half_x: float) -> Drawn:
    """With so much room above or below that its baseline falls on the line's: Qt centres it half an x above that."""
    height = math.ceil(max(2 * made.ascent - half_x, 2 * made.descent + half_x))
    baseline = round((height + half_x) / 2)
    size = QSize(math.ceil(made.width * scale), math.ceil(height * scale))
    image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(scale, scale)
    box = QRectF(0, baseline - made.ascent, made.width, made.ascent + made.descent)
    QSvgRenderer(QByteArray(made.svg.encode())).render(painter, box)
    painter.end()
    return Drawn(image, image.width() / scale, height, is_formula=True)
