"""Checks addresses in untrusted text: which links may be opened, and which images may be loaded. All functions may be
called on any thread."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

LINK_SCHEMES = frozenset({"http", "https", "mailto"})
_ABSOLUTE_PATH = re.compile(r"/(?![/\\])|/?[A-Za-z]:[/\\](?![/\\])")


def is_safe_link(address: str) -> bool:
    """Whether a link may be opened. Only http, https and mailto are safe."""
    try:
        return urlsplit(address.strip()).scheme.lower() in LINK_SCHEMES
    except ValueError:
        return False


def is_local_image(address: str) -> bool:
    """Whether the address of an image is a data URL or a local file. `//host/x`, for example, is on another machine."""
    if address[:11].lower() == "data:image/":
        return True
    path = address[7:] if address[:8].lower() == "file:///" else address
    return bool(_ABSOLUTE_PATH.match(unquote(path)))
