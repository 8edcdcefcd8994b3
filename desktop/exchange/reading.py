"""Files of other programs, and our own, → chats. What a file is, its content says, not its name."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from desktop.exchange import chatgpt, jan, llama_server, lm_studio, open_webui, own
from desktop.exchange.errors import ExchangeError, NotRecognised, Unreadable
from desktop.exchange.records import Piece

MOST_BYTES = 4 << 30
"""Of one unpacked document; a ZIP that would become larger is refused."""


class Kind(NamedTuple):
    recognises: Callable[[object], bool]
    read: Callable[[Any], Iterator[Piece]]


KINDS = tuple(Kind(module.recognises, module.read) for module in (own, chatgpt, open_webui, llama_server, lm_studio))


def read(path: Path) -> Iterator[Piece]:
    """The chats and empty folders in a file, or in all files below a folder that hold some. Blocks long.

    Raises NotRecognised, Unreadable; in a folder, only where nothing in it could be read."""
    try:
        yield from _read_folder(path) if path.is_dir() else _read_file(path)
    except OSError as error:
        raise Unreadable(path.name, error.strerror or str(error)) from error


def _read_folder(folder: Path) -> Iterator[Piece]:
    failure: ExchangeError = NotRecognised(folder.name)
    found = False
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_dir() and jan.is_thread(path):
                each = _guarded(path.name, lambda path=path: iter(filter(None, [jan.read_thread(path)])))  # type: ignore[misc]
            elif path.is_file() and path.suffix in (".json", ".zip") and path.name != "thread.json":
                each = _read_file(path)
            else:
                continue
            for piece in each:
                found = True
                yield piece
        except ExchangeError as error:
            failure = error if isinstance(error, Unreadable) else failure
    if not found:
        raise failure


def _read_file(path: Path) -> Iterator[Piece]:
    if zipfile.is_zipfile(path):
        yield from _read_zip(path)
    else:
        yield from _document(path.name, path.read_bytes())


def _read_zip(path: Path) -> Iterator[Piece]:
    """ChatGPT gives a ZIP, whose chats may be split over `conversations.json`, `conversations-001.json` and so on."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info for info in archive.infolist() if Path(info.filename).suffix == ".json"]
            chats = [info for info in names if Path(info.filename).name.startswith("conversations")] or names
            if not chats:
                raise NotRecognised(path.name)
            for info in chats:
                if info.file_size > MOST_BYTES:
                    raise Unreadable(path.name, "it is too large")
                yield from _document(path.name, archive.read(info))
    except (zipfile.BadZipFile, EOFError, RuntimeError, zlib.error) as error:
        raise Unreadable(path.name, str(error)) from error


def _document(name: str, content: bytes) -> Iterator[Piece]:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NotRecognised(name) from error
    for kind in KINDS:
        if kind.recognises(data):
            yield from _guarded(name, lambda kind=kind: kind.read(data))  # type: ignore[misc]
            return
    raise NotRecognised(name)


def _guarded(name: str, start: Callable[[], Iterator[Piece]]) -> Iterator[Piece]:
    """Whatever a damaged document does to its reader is one error with the file's name."""
    try:
        yield from start()
    except ExchangeError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Unreadable(name, str(error)) from error
