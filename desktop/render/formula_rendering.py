"""Formulas in LaTeX → SVG or MathML, bounded in time, size and memory. Pure; never on the GUI thread, since a hard one
takes half a second."""

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
"""Processor time. Nested fractions take exponential time: what takes longer shows as its source."""

LONGEST = 2_000
WIDEST, HIGHEST = 8_000.0, 4_000.0
"""Pixels. `\\hspace{100000em}` asks for more: that shows as its source, too."""

KEPT = 512
KEPT_BYTES = 32_000_000
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
"""No `href`, and nothing else that does more than set out a formula."""


@dataclass(frozen=True, slots=True)
class Formula:
    """`svg` is drawn in black. Sizes in pixels; the baseline is `ascent` below its top."""

    svg: str
    width: float
    ascent: float
    descent: float


class _TooLong(Exception):
    pass


class _Cache:
    """The formulas that were asked for last, within `KEPT` and `KEPT_BYTES`. Any thread."""

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
            while len(self._formulas) > KEPT or self._n_bytes > KEPT_BYTES:
                self._n_bytes -= _n_bytes(*self._formulas.popitem(last=False))


_cache = _Cache()
_making = threading.Lock()
"""The typesetter keeps its configuration and its fonts in globals."""


def cached_formula(source: str, display: bool) -> tuple[Formula | None] | None:
    """What `formula` gave for it, in a tuple; None where that is not known. At once, on any thread."""
    return _cache.get((source, display))


def formula(source: str, *, display: bool) -> Formula | None:
    """None for what is no formula, or one that nobody wrote by hand. Never raises, never takes much over `LIMIT_S`."""
    if len(source) > LONGEST:
        return None
    key = source, display
    found = _cache.get(key)
    if found is not None:
        return found[0]
    made = _within_limit(lambda: _typeset(source, display))
    _cache.put(key, made)
    return made


def mathml(source: str, *, display: bool) -> str | None:
    """A `<math>` element with the LaTeX as its annotation; None where it is no formula. As bounded as `formula`."""
    if len(source) > LONGEST:
        return None
    return _within_limit(lambda: _as_mathml(source, display))


def _within_limit(make: Callable[[], T]) -> T | None:
    """None where it fails or takes longer than `LIMIT_S`."""
    with _making:
        before = sys.gettrace()
        try:
            # Late: they are slow to come, and most chats have no formula. Not within the limit.
            import ziamath.tex
            import ziamath.zmath  # noqa: F401

            sys.settrace(_deadline(time.thread_time() + LIMIT_S))
            return make()
        except Exception:  # a formula that is none fails in as many ways as there are
            return None
        finally:
            sys.settrace(before)


def _typeset(source: str, display: bool) -> Formula | None:
    from ziamath.config import config
    from ziamath.zmath import Latex

    config.svg2 = False  # <use> is beyond Qt's SVG
    size = DISPLAY_PX if display else INLINE_PX
    svg = str(Latex(source, size=size, inline=not display).svg())
    box = _BOX.search(svg)
    if box is None:
        return None
    _, top, width, height = map(float, box.groups())
    made = Formula(svg, width, -top, height + top)
    is_sane = all(map(math.isfinite, (made.width, made.ascent, made.descent)))
    return made if is_sane and 0 < width <= WIDEST and 0 < height <= HIGHEST else None


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
    """Without namespaces and attributes that are not needed; an element that is not known becomes an `mrow`."""
    name = str(element.tag).rpartition("}")[2]
    kept = {key: value for key, value in element.attrib.items() if _ATTRIBUTE.fullmatch(key)}
    cleaned = ElementTree.Element(name if _TAG.fullmatch(name) else "mrow", kept)
    cleaned.text, cleaned.tail = element.text, element.tail
    cleaned.extend(_cleaned(child) for child in element)
    return cleaned


def _n_bytes(key: tuple[str, bool], made: Formula | None) -> int:
    return 2 * len(key[0]) + (len(made.svg) if made is not None else 0) + 200


def _deadline(end: float) -> Callable[[FrameType, str, object], None]:
    """A tracer that ends whatever calls a function after `end`; it looks at calls only, so it costs little."""

    def look(frame: FrameType, event: str, argument: object) -> None:
        if time.thread_time() > end:
            raise _TooLong

    return look
