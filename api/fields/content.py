"""The text of a file that came in base64 within a message."""

from __future__ import annotations

import base64
import binascii
import re

from api.errors import UnsupportedParameter

_DATA_URL = re.compile(r"data:([^;,]*)(?:;[^,]*)?;base64,", re.IGNORECASE)
_TEXTUAL = re.compile(
    r"text/.*|.*\+(?:json|xml|yaml)|application/(?:json|jsonl|ndjson|xml|(?:x-)?(?:yaml|toml|sh|sql|javascript))?"
    r"|application/octet-stream|",
    re.IGNORECASE,
)
"""Media types that may be text; an empty one, or that of any bytes, says nothing."""
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def text_of_file(data: str, media_type: str, path: str) -> str:
    """`data` is base64, or a data URL, whose media type counts. `path` names the part in errors.

    Raises UnsupportedParameter for a file that is no text in UTF-8."""
    if found := _DATA_URL.match(data):
        data, media_type = data[found.end() :], found[1]
    if not _TEXTUAL.fullmatch(media_type.strip()):
        raise UnsupportedParameter(path, f"Files of the type '{media_type[:40]}' are not supported; send text.")
    try:
        text = base64.b64decode(data, validate=True).decode("utf-8-sig")
    except (binascii.Error, ValueError):
        text = "\0"
    if _CONTROLS.search(text) or text.startswith("%PDF-"):
        raise UnsupportedParameter(path, "This file is not supported; send text in UTF-8, in base64.")
    return text


def named(name: object, text: str) -> str:
    """The text under its file's name, where it has one."""
    return f"{name}\n{text}" if isinstance(name, str) and name else text
