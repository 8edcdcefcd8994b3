"""What may be logged of an error: its kind and its way through the code, never what it says.

An error's text may hold words of a chat or a prompt, a file's name or a key. A developer finds the place without it.
"""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator


def redacted_traceback(error: BaseException) -> str:
    """The kind of an error and of those it came from, each with its way through the code, the innermost place last.

    Several lines, indented, for the end of a log message."""
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
