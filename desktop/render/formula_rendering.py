"""Renders LaTeX formulas to SVG or MathML, with limits on time, size and memory.

Do not call this on the GUI thread, because a complex formula takes up to half a second."""

from __future__ import annotations

import math
import re
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar
from xml.etree import ElementTree

T = TypeVar("T")

LIMIT_S = 0.5
"""The limit of the CPU time for one formula, in seconds. Nested fractions take exponential time. A formula that exceeds
the limit is shown as source."""

MAX_LENGTH = 2_000
MAX_WIDTH, MAX_HEIGHT = 8_000.0, 4_000.0
"""The largest size of a formula in pixels. A larger one, such as `\\hspace{100000em}`, is shown as source."""

MAX_CACHED, MAX_CACHED_BYTES = 512, 32_000_000
INLINE_PX, DISPLAY_PX = 16.0, 18.0
_BOX = re.compile(r'viewBox="(\S+) (\S+) (\S+) (\S+)"')
_TAG = re.compile(
    "m(?:ath|row|i|n|o|s|space|text|frac|sqrt|root|style|padded|phantom|fenced|enclose|sub|sup|subsup|under|over|"
    "underover|multiscripts|prescripts|table|tr|td|error)|none"
)
_ATTRIBUTE = re.compile(
    "display|displaystyle|scriptlevel|mathvariant|mathsize|stretchy|fence|separator|form|accent|accentunder|lspace|"
    "rspace|minsize|maxsize|symmetric|largeop|movablelimits|width|height|depth|voffset|linethickness|columnalign|"
    "rowalign|columnspacing|rowspacing|columnlines|rowlines|frame|notation|open|close"
)
"""The attributes of MathML elements that are kept. They only affect the layout; `href` is not among them."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A rendered formula. `svg` is drawn in black. Sizes are in pixels; `ascent` is the distance from the top to the
    baseline."""

    svg: str
    width: float
    ascent: float
    descent: float


class _TimedOut(Exception):
    pass


class _Cache:
    """A cache of the most recently rendered formulas, limited in number and in bytes. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._formulas: OrderedDict[tuple[str, bool], Formula | None] = OrderedDict()
        self._n_bytes = 0

    def get(self, key: tuple[str, bool]) -> tuple[Formula | None] | None:
        with self._lock:
            return (self._formulas[key],) if key in self._formulas else None

    def put(self, key: tuple[str, bool], made: Formula | None) -> None:
        with self._lock:
            if key in self._formulas:
                self._n_bytes -= _n_bytes(key, self._formulas.pop(key))
            self._formulas[key] = made
            self._n_bytes += _n_bytes(key, made)
            while len(self._formulas) > MAX_CACHED or self._n_bytes > MAX_CACHED_BYTES:
                self._n_bytes -= _n_bytes(*self._formulas.popitem(last=False))


_cache = _Cache()
_render_lock = threading.Lock()
"""Serializes the calls of ziamath, which keeps its configuration and fonts in globals."""


def cached_formula(source: str, display: bool) -> tuple[Formula | None] | None:
    """Looks up the result of `formula` in the cache. Returns it in a 1-tuple, or None if it is not cached.
    Thread-safe."""
    return _cache.get((source, display))


def formula(source: str, *, display: bool) -> Formula | None:
    """Renders a formula. Returns None if it is invalid or exceeds a limit. Cached. Never raises. May be called on any
    thread but the GUI thread."""
    if len(source) > MAX_LENGTH:
        return None
    key = source, display
    found = _cache.get(key)
    if found is not None:
        return found[0]
    made = _within_limit(lambda: _typeset(source, display))
    _cache.put(key, made)
    return made


def mathml(source: str, *, display: bool) -> str | None:
    """The formula as a `<math>` element that is annotated with the LaTeX source. Returns None if the formula is invalid
    or exceeds a limit. Never raises."""
    if len(source) > MAX_LENGTH:
        return None
    return _within_limit(lambda: _as_mathml(source, display))


def _within_limit(make: Callable[[], T]) -> T | None:
    """Calls `make` and returns its result. Returns None if it raises, or takes longer than `LIMIT_S` of CPU time."""
    with _render_lock:
        before = sys.gettrace()
        try:
            # This import is slow and rarely needed. It is done before the time limit starts.
            import ziamath.tex
            import ziamath.zmath  # noqa: F401

            sys.settrace(_deadline(time.thread_time() + LIMIT_S))
            return make()
        except Exception:  # the parser raises many kinds of errors for invalid input
            return None
        finally:
            sys.settrace(before)


def _typeset(source: str, display: bool) -> Formula | None:
    from ziamath.config import config
    from ziamath.zmath import Latex

    config.svg2 = False  # Qt's SVG renderer does not support <use>
    size = DISPLAY_PX if display else INLINE_PX
    svg = str(Latex(source, size=size, inline=not display).svg())
    box = _BOX.search(svg)
    if box is None:
        return None
    _, top, width, height = map(float, box.groups())
    made = Formula(svg, width, -top, height + top)
    is_finite = all(map(math.isfinite, (made.width, made.ascent, made.descent)))
    return made if is_finite and 0 < width <= MAX_WIDTH and 0 < height <= MAX_HEIGHT else None


def _as_mathml(source: str, display: bool) -> str:
    from ziamath.tex import tex2mml

    read = ElementTree.fromstring(tex2mml(source, inline=not display))
    content = ElementTree.Element("mrow")
    content.extend(_cleaned(child) for child in read)
    math_element = ElementTree.Element("math", {"display": "block" if display else "inline"})
    semantics = ElementTree.SubElement(math_element, "semantics")
    semantics.append(content)
    annotation = ElementTree.SubElement(semantics, "annotation", {"encoding": "application/x-tex"})
    annotation.text = source
    return ElementTree.tostring(math_element, encoding="unicode")


def _cleaned(element: ElementTree.Element) -> ElementTree.Element:
    """A copy of a MathML element without namespaces and unknown attributes. An unknown element becomes an `mrow`."""
    name = str(element.tag).rpartition("}")[2]
    kept = {key: value for key, value in element.attrib.items() if _ATTRIBUTE.fullmatch(key)}
    cleaned = ElementTree.Element(name if _TAG.fullmatch(name) else "mrow", kept)
    cleaned.text, cleaned.tail = element.text, element.tail
    cleaned.extend(_cleaned(child) for child in element)
    return cleaned


def _n_bytes(key: tuple[str, bool], made: Formula | None) -> int:
    return 2 * len(key[0]) + (len(made.svg) if made is not None else 0) + 200


def _deadline(end: float) -> Callable[[FrameType, str, object], None]:
    """A trace function that raises at the first function call after the CPU time `end`. It traces only calls, which is
    cheap."""

    def check(frame: FrameType, event: str, argument: object) -> None:
        if time.thread_time() > end:
            raise _TimedOut

    return check
