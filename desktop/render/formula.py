"""Formulas in LaTeX → SVG, remembered. Pure; never on the GUI thread, since a hard one takes half a second."""

from __future__ import annotations

import re
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

LIMIT_S = 0.5
"""Nested fractions take exponential time: what takes longer shows as its source."""

LONGEST = 2_000
KEPT = 512
INLINE_PX, DISPLAY_PX = 16.0, 18.0
_BOX = re.compile(r'viewBox="(\S+) (\S+) (\S+) (\S+)"')

_known: OrderedDict[tuple[str, bool], Formula | None] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Formula:
    """`svg` is drawn in black. Sizes in pixels; the baseline is `ascent` below its top."""

    svg: str
    width: float
    ascent: float
    descent: float


class _TooLong(Exception):
    pass


def known(source: str, display: bool) -> bool:
    """Whether `formula` would answer at once."""
    return (source, display) in _known


def formula(source: str, *, display: bool) -> Formula | None:
    """None for what is no formula, or one that nobody wrote by hand. Never raises, never takes much over `LIMIT_S`."""
    key = source, display
    if key not in _known:
        _known[key] = _made(source, display) if len(source) <= LONGEST else None
        while len(_known) > KEPT:
            _known.popitem(last=False)
    return _known[key]


def _made(source: str, display: bool) -> Formula | None:
    before = sys.gettrace()
    try:
        # Late: they are slow to come, and most chats have no formula.
        from ziamath.config import config
        from ziamath.zmath import Latex

        config.svg2 = False  # <use> is beyond Qt's SVG
        sys.settrace(_deadline(time.perf_counter() + LIMIT_S))
        size = DISPLAY_PX if display else INLINE_PX
        svg = str(Latex(source, size=size, inline=not display).svg())
    except Exception:  # a formula that is none fails in as many ways as there are
        return None
    finally:
        sys.settrace(before)
    box = _BOX.search(svg)
    if box is None:
        return None
    _, top, width, height = map(float, box.groups())
    return Formula(svg, width, -top, height + top)


def _deadline(end: float) -> Callable[[FrameType, str, object], None]:
    """A tracer that ends whatever calls a function after `end`; it looks at calls only, so it costs little."""

    def look(frame: FrameType, event: str, argument: object) -> None:
        if time.perf_counter() > end:
            raise _TooLong

    return look
