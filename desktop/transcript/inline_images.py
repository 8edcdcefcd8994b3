"""Formulas and pictures among the words: made off the GUI thread, remembered, drawn sharply at any scale."""

from __future__ import annotations

import logging
import math
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from desktop.render.blocks import InlineImage
from desktop.render.formula_rendering import Formula, cached_formula, formula
from desktop.transcript.local_pictures import BlockedPicture, read_picture

KEPT = 4_000
TRIES = 3
"""So often one is made: if it was dropped each time, there is no room for all that are on the page."""
READY_MS = 50
"""What is made within this time is drawn together."""
KEPT_BYTES = 96_000_000
MOST_PIXELS = 3_000_000
"""Of one formula in memory: a larger one is drawn less sharply."""
HIGHEST = 480
"""Pixels of the screen that a picture takes at most."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RenderedImage:
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


class InlineImageCache(QObject):
    """One for each transcript. `ready` comes when more can be drawn. GUI thread only."""

    ready = Signal()
    _made = Signal(object, object)

    def __init__(self, half_x: float, parent: QObject) -> None:
        """`half_x`: half the height of an x, around which Qt centres what stands in a line."""
        super().__init__(parent)
        self.folders: tuple[Path, ...] = ()
        """Where pictures may lie besides the person's own folder."""
        self.scale = 1.0
        """Pixels of the device for one of the screen."""
        self._half_x = half_x
        self._known: OrderedDict[tuple[InlineImage, float], RenderedImage | None] = OrderedDict()
        self._waiting: deque[tuple[InlineImage, float]] = deque()
        self._n_bytes = 0
        self._asked: set[tuple[InlineImage, float]] = set()
        self._tries: dict[tuple[InlineImage, float], int] = {}
        self._ready_timer = QTimer(self, singleShot=True, interval=READY_MS)
        self._ready_timer.timeout.connect(self.ready)
        self._withheld: set[str] = set()
        self._allowed: set[str] = set()
        self._lock = threading.Lock()
        self._working = False
        self._made.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def get(self, inset: InlineImage) -> RenderedImage | None:
        """None while it is being made, and for what cannot be drawn: then `inset.shown` stands in."""
        key = inset, self.scale
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        ready = cached_formula(inset.source, inset.display) if inset.kind == "formula" else None
        if ready is not None:  # read ahead: no flicker
            self._keep(key, _drawn_or_none(ready[0], self.scale, self._half_x))
            return self._known.get(key)
        if key not in self._asked and self._tries.get(key, 0) < TRIES:
            self._asked.add(key)
            self._tries[key] = self._tries.get(key, 0) + 1
            if inset.source in self._allowed:  # its folder may be slow for ever: that must hold up nothing else
                threading.Thread(target=self._make_one, args=(key,), name="picture", daemon=True).start()
                return None
            with self._lock:
                self._waiting.append(key)
                start, self._working = not self._working, True
            if start:  # it ends with its work, so that nothing of it is left behind
                threading.Thread(target=self._work, name="inline_images", daemon=True).start()
        return None

    def is_blocked(self, inset: InlineImage) -> bool:
        """Whether this picture is only read once `allow` says so."""
        return inset.kind == "picture" and inset.source in self._withheld

    def allow(self, inset: InlineImage) -> None:
        """The person wants to see this picture, wherever it lies."""
        self._withheld.discard(inset.source)
        self._allowed.add(inset.source)
        for key in [key for key in self._known if key[0].source == inset.source]:
            self._drop(key)
            self._tries.pop(key, None)
        self.ready.emit()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._working = False
                    return
                key = self._waiting.popleft()
            if not self._make_one(key):
                return

    def _make_one(self, key: tuple[InlineImage, float]) -> bool:
        """Any thread. Whatever goes wrong with one leaves the others alone. False when the transcript is gone."""
        made: RenderedImage | BlockedPicture | None = None
        try:
            made = self._make(*key)
        except Exception:
            log.exception("a %s could not be drawn", key[0].kind)
        try:
            self._made.emit(key, made)
        except RuntimeError:
            return False
        return True

    def _take(self, key: tuple[InlineImage, float], made: RenderedImage | BlockedPicture | None) -> None:
        self._asked.discard(key)
        if isinstance(made, BlockedPicture):
            self._withheld.add(key[0].source)
        self._keep(key, made if isinstance(made, RenderedImage) else None)
        if made is not None and not self._ready_timer.isActive():
            self._ready_timer.start()

    def _keep(self, key: tuple[InlineImage, float], drawn: RenderedImage | None) -> None:
        self._drop(key)
        self._known[key] = drawn
        self._n_bytes += drawn.image.sizeInBytes() if drawn is not None else 0
        while len(self._known) > KEPT or (self._n_bytes > KEPT_BYTES and len(self._known) > 1):
            self._drop(next(iter(self._known)))

    def _drop(self, key: tuple[InlineImage, float]) -> None:
        drawn = self._known.pop(key, None)
        self._n_bytes -= drawn.image.sizeInBytes() if drawn is not None else 0

    def _make(self, inset: InlineImage, scale: float) -> RenderedImage | BlockedPicture | None:
        """Any thread. None where it cannot be drawn."""
        if inset.kind == "formula":
            return _drawn_or_none(formula(inset.source, display=inset.display), scale, self._half_x)
        image = read_picture(inset.source, anywhere=inset.source in self._allowed, folders=self.folders)
        if image is None or isinstance(image, BlockedPicture):
            return image
        shrink = min(1.0, HIGHEST / image.height())
        return RenderedImage(image, image.width() * shrink, image.height() * shrink, is_formula=False)


def _drawn_or_none(made: Formula | None, scale: float, half_x: float) -> RenderedImage | None:
    return _drawn(made, scale, half_x) if made is not None else None


def _drawn(made: Formula, scale: float, half_x: float) -> RenderedImage:
    """With so much room above or below that its baseline falls on the line's: Qt centres it half an x above that."""
    height = math.ceil(max(2 * made.ascent - half_x, 2 * made.descent + half_x))
    baseline = round((height + half_x) / 2)
    scale = min(scale, math.sqrt(MOST_PIXELS / max(1.0, made.width * height)))
    size = QSize(max(1, math.ceil(made.width * scale)), max(1, math.ceil(height * scale)))
    image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(scale, scale)
    box = QRectF(0, baseline - made.ascent, made.width, made.ascent + made.descent)
    QSvgRenderer(QByteArray(made.svg.encode())).render(painter, box)
    painter.end()
    return RenderedImage(image, image.width() / scale, float(height), is_formula=True)
