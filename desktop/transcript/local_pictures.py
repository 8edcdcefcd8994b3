"""Loads pictures from data URLs and local files. The addresses are untrusted, because a model wrote them. All functions
may be called on any thread."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes, urlsplit
from urllib.request import url2pathname

from PySide6.QtCore import QBuffer, QSize, Qt
from PySide6.QtGui import QImage, QImageReader

from desktop.render.safe_addresses import is_local_image
from desktop.transcript.picture_access import path_in_home, read_regular_file

MAX_FILE_BYTES = 20_000_000
MAX_PIXELS = 40_000_000
"""A picture with more pixels is not decoded."""
MAX_DECODED_SIZE = QSize(1_400, 960)
"""A larger picture is scaled down while decoding."""
FORMATS = frozenset({b"png", b"jpeg", b"jpg", b"gif", b"webp", b"bmp"})


@dataclass(frozen=True, slots=True)
class BlockedPicture:
    """The result for a picture outside the allowed folders, which is only loaded if the user requests it."""


def read_picture(
    address: str, *, anywhere: bool = False, folders: Sequence[Path] = ()
) -> QImage | BlockedPicture | None:
    """Loads and decodes a picture. Returns None if there is no such picture, or if it is too large. Never raises.

    Pictures in the home folder and in `folders` are allowed; with `anywhere`, those in every local folder."""
    try:
        content = _content(address, anywhere, folders)
    except (OSError, ValueError, binascii.Error):
        return None
    return content if isinstance(content, BlockedPicture) else _decoded(content)


def _decoded(content: bytes | None) -> QImage | None:
    if content is None:
        return None
    buffer = QBuffer()
    buffer.setData(content)
    reader = QImageReader(buffer)
    reader.setAutoTransform(True)
    size = reader.size()
    if bytes(reader.format().data()) not in FORMATS or not size.isValid():
        return None
    if size.width() * size.height() > MAX_PIXELS:
        return None
    if size.width() > MAX_DECODED_SIZE.width() or size.height() > MAX_DECODED_SIZE.height():
        reader.setScaledSize(size.scaled(MAX_DECODED_SIZE, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return None if image.isNull() else image


def _content(address: str, anywhere: bool, folders: Sequence[Path]) -> bytes | BlockedPicture | None:
    if address[:5].lower() == "data:":
        head, _, data = address.partition(",")
        if len(data) > 2 * MAX_FILE_BYTES:
            return None
        plain = unquote_to_bytes(data)
        return base64.b64decode(plain) if head.lower().endswith(";base64") else plain
    path = url2pathname(urlsplit(address).path) if address[:5].lower() == "file:" else unquote(address)
    if not is_local_image(path):  # pictures on other machines are never loaded, not even on request
        return None
    for folder in folders:
        if (found := path_in_home(path, home=folder, remote=())) is not None:
            return read_regular_file(found, MAX_FILE_BYTES)
    allowed = Path(path) if anywhere else path_in_home(path)
    return read_regular_file(allowed, MAX_FILE_BYTES) if allowed is not None else BlockedPicture()
