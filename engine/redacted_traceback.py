"""Tracebacks for the log without error messages, because a message can contain text of a chat, a file name or a key."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator


def redacted_traceback(error: BaseException) -> str:
    """Returns the types and stack frames of an error and its causes, as several indented lines. The innermost frame of
    each error is last."""
    return "\n".join(_lines(error))


def _lines(error: BaseException) -> Iterator[str]:
    seen: set[int] = set()
    inner: BaseException | None = error
    while inner is not None and id(inner) not in seen:
        seen.add(id(inner))
        code = errno.errorcode.get(inner.errno or 0, "") if isinstance(inner, OSError) else ""
        yield f"  {type(inner).__module__}.{type(inner).__qualname__} {code}".rstrip()
        for frame, line in traceback.walk_tb(inner.__traceback__):
            yield f"    {frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}"
        inner = inner.__cause__ or inner.__context__
