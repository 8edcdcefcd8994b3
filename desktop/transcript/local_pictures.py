"""Pictures in the text itself or on this machine, read with care: a model named them. Any thread."""

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

from desktop.render.html import is_local_image
from desktop.transcript.picture_access import path_in_home, read_regular_file

LARGEST_BYTES = 20_000_000
LARGEST_PIXELS = 40_000_000
MOST_PIXELS = QSize(1_400, 960)
"""Of a picture in memory."""
FORMATS = frozenset({b"png", b"jpeg", b"jpg", b"gif", b"webp", b"bmp"})


@dataclass(frozen=True, slots=True)
class BlockedPicture:
    """In place of a picture that lies outside the person's folders: it is only read when the person asks for it."""


def read_picture(
    address: str, *, anywhere: bool = False, folders: Sequence[Path] = ()
) -> QImage | BlockedPicture | None:
    """None where there is none, or one that would take more than it is worth. `anywhere`: the person asked for it;
    `folders`: places besides the person's own."""
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
    if size.width() * size.height() > LARGEST_PIXELS:
        return None
    if size.width() > MOST_PIXELS.width() or size.height() > MOST_PIXELS.height():
        reader.setScaledSize(size.scaled(MOST_PIXELS, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return None if image.isNull() else image


def _content(address: str, anywhere: bool, folders: Sequence[Path]) -> bytes | BlockedPicture | None:
    if address[:5].lower() == "data:":
        head, _, data = address.partition(",")
        if len(data) > 2 * LARGEST_BYTES:
            return None
        plain = unquote_to_bytes(data)
        return base64.b64decode(plain) if head.lower().endswith(";base64") else plain
    path = url2pathname(urlsplit(address).path) if address[:5].lower() == "file:" else unquote(address)
    if not is_local_image(path):  # on another machine, also after a click
        return None
    for folder in folders:
        if (known := path_in_home(path, home=folder, remote=())) is not None:
            return read_regular_file(known, LARGEST_BYTES)
    own = Path(path) if anywhere else path_in_home(path)
    return read_regular_file(own, LARGEST_BYTES) if own is not None else BlockedPicture()
