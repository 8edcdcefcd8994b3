"""The target of a request, brought to the one form that is routed and guarded."""

from __future__ import annotations

import re

from starlette.types import Scope

_ABSOLUTE = re.compile(r"(?i)http://([^/?#]*)(.*)", re.DOTALL)
_SLASHES = re.compile(r"/{2,}")


def normalized(scope: Scope) -> Scope:
    """A copy of `scope`: an absolute URL as target becomes its path, whose host replaces the Host header (RFC 9112,
    3.2.2); repeated slashes become one, and one at the end is left out; HEAD becomes GET, whose body the server leaves
    out."""
    path, headers = scope["path"], scope["headers"]
    if found := _ABSOLUTE.fullmatch(path):
        authority, path = found[1], found[2] or "/"
        headers = [(name, value) for name, value in headers if name != b"host"]
        headers.append((b"host", authority.encode("latin-1", "replace")))
    path = _SLASHES.sub("/", path)
    path = path.rstrip("/") or "/"
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    return {**scope, "path": path, "raw_path": path.encode(), "headers": headers, "method": method}
