"""Formulas and pictures within the text of messages. They are rendered on other threads at the scale of the screen,
and cached."""

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

MAX_CACHED, MAX_CACHED_BYTES = 4_000, 96_000_000
MAX_TRIES = 3
"""An image is rendered at most this many times. It is rendered again only if the cache has evicted it. The page then
has more images than the cache can hold."""
READY_DELAY_MS = 50
"""Images that become ready within this time are drawn together."""
MAX_FORMULA_PIXELS = 3_000_000
"""The largest number of pixels in the image of a formula. A larger formula is rendered at a lower scale."""
MAX_PICTURE_HEIGHT = 480
"""The largest height of a picture on the page, in device-independent pixels."""

log = logging.getLogger(__name__)


Key = tuple[InlineImage, float]
"""The key of the cache: an image, and the scale at which it is rendered."""


@dataclass(frozen=True, slots=True)
class RenderedImage:
    """A rendered image and its size on the page. The image of a formula is a mask that is filled with the text
    colour."""

    image: QImage
    width: float
    height: float
    """Width and height in device-independent pixels."""
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
    """Renders and caches the formulas and pictures of one transcript. GUI thread only."""

    ready = Signal()
    """Images for which `get` returned None may be ready now."""
    _rendered = Signal(object, object)

    def __init__(self, half_x: float, parent: QObject) -> None:
        """`half_x` is half the height of the letter x in pixels. Qt centres an image in a line of text at this height
        above the baseline."""
        super().__init__(parent)
        self.folders: tuple[Path, ...] = ()
        """Folders whose pictures are loaded without asking, in addition to the home folder."""
        self.scale = 1.0
        """Device pixels per device-independent pixel."""
        self._half_x = half_x
        self._cached: OrderedDict[Key, RenderedImage | None] = OrderedDict()
        """The cached images, the least recently used first. The value is None for an image that cannot be rendered."""
        self._n_bytes = 0
        self._pending: set[Key] = set()
        self._n_tries: dict[Key, int] = {}
        self._blocked: set[str] = set()
        self._allowed: set[str] = set()
        self._ready_timer = QTimer(self, singleShot=True, interval=READY_DELAY_MS)
        self._ready_timer.timeout.connect(self.ready)
        self._lock = threading.Lock()
        self._queue: deque[Key] = deque()
        """The images that wait to be rendered. `_lock` guards the queue and `_is_working`."""
        self._is_working = False
        self._rendered.connect(self._store, Qt.ConnectionType.QueuedConnection)

    def get(self, image: InlineImage) -> RenderedImage | None:
        """The rendered image. Returns None if it cannot be rendered, or is not rendered yet; in that case its rendering
        is started."""
        key = image, self.scale
        if key in self._cached:
            self._cached.move_to_end(key)
            return self._cached[key]
        known = cached_formula(image.source, image.display) if image.kind == "formula" else None
        if known is not None:  # the formula was rendered in advance, so it is drawn at once without flicker
            self._put(key, _rasterized(known[0], self.scale, self._half_x))
            return self._cached.get(key)
        if key not in self._pending and self._n_tries.get(key, 0) < MAX_TRIES:
            self._pending.add(key)
            self._n_tries[key] = self._n_tries.get(key, 0) + 1
            self._start(key)
        return None

    def is_blocked(self, image: InlineImage) -> bool:
        """Whether the picture is only loaded after `allow` was called for it."""
        return image.kind == "picture" and image.source in self._blocked

    def allow(self, image: InlineImage) -> None:
        """Loads a blocked picture from any local folder. Called when the user requests it."""
        self._blocked.discard(image.source)
        self._allowed.add(image.source)
        for key in [key for key in self._cached if key[0].source == image.source]:
            self._drop(key)
            self._n_tries.pop(key, None)
        self.ready.emit()

    def _start(self, key: Key) -> None:
        if key[0].source in self._allowed:  # a folder may not respond, which must not block other images
            threading.Thread(target=self._render_one, args=(key,), name="picture", daemon=True).start()
            return
        with self._lock:
            self._queue.append(key)
            start, self._is_working = not self._is_working, True
        if start:  # the thread ends when the queue is empty
            threading.Thread(target=self._work, name="inline images", daemon=True).start()

    def _work(self) -> None:
        """Renders the images in the queue. Runs on the worker thread."""
        while True:
            with self._lock:
                if not self._queue:
                    self._is_working = False
                    return
                key = self._queue.popleft()
            if not self._render_one(key):
                return

    def _render_one(self, key: Key) -> bool:
        """Renders an image and sends it to the GUI thread. Returns False if the transcript was deleted. Never raises.
        May be called on any thread."""
        rendered: RenderedImage | BlockedPicture | None = None
        try:
            rendered = self._render(*key)
        except Exception:
            log.exception("cannot render a %s", key[0].kind)
        try:
            self._rendered.emit(key, rendered)
        except RuntimeError:
            return False
        return True

    def _render(self, image: InlineImage, scale: float) -> RenderedImage | BlockedPicture | None:
        """Renders a formula or loads a picture. Returns None if that is not possible. May be called on any thread."""
        if image.kind == "formula":
            return _rasterized(formula(image.source, display=image.display), scale, self._half_x)
        picture = read_picture(image.source, anywhere=image.source in self._allowed, folders=self.folders)
        if picture is None or isinstance(picture, BlockedPicture):
            return picture
        shrink = min(1.0, MAX_PICTURE_HEIGHT / picture.height())
        return RenderedImage(picture, picture.width() * shrink, picture.height() * shrink, is_formula=False)

    def _store(self, key: Key, rendered: RenderedImage | BlockedPicture | None) -> None:
        self._pending.discard(key)
        if isinstance(rendered, BlockedPicture):
            self._blocked.add(key[0].source)
        self._put(key, rendered if isinstance(rendered, RenderedImage) else None)
        if rendered is not None and not self._ready_timer.isActive():
            self._ready_timer.start()

    def _put(self, key: Key, rendered: RenderedImage | None) -> None:
        self._drop(key)
        self._cached[key] = rendered
        self._n_bytes += rendered.image.sizeInBytes() if rendered is not None else 0
        while len(self._cached) > MAX_CACHED or (self._n_bytes > MAX_CACHED_BYTES and len(self._cached) > 1):
            self._drop(next(iter(self._cached)))

    def _drop(self, key: Key) -> None:
        rendered = self._cached.pop(key, None)
        self._n_bytes -= rendered.image.sizeInBytes() if rendered is not None else 0


def _rasterized(made: Formula | None, scale: float, half_x: float) -> RenderedImage | None:
    """The image of a formula, padded above or below so that its baseline is on the baseline of the line.

    Qt centres an image in its line at `half_x` above the baseline."""
    if made is None:
        return None
    height = math.ceil(max(2 * made.ascent - half_x, 2 * made.descent + half_x))
    baseline = round((height + half_x) / 2)
    scale = min(scale, math.sqrt(MAX_FORMULA_PIXELS / max(1.0, made.width * height)))
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
