"""Files of other programs, and our own, → chats. What a file is, its content says, not its name.

What cannot be read is named, and costs nothing else."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from desktop.exchange import chatgpt, jan, llama_server, lm_studio, open_webui, own
from desktop.exchange.elements import BROKEN, decoded, elements
from desktop.exchange.errors import ExchangeError, NotRecognised, Unreadable
from desktop.exchange.limits import TOO_LARGE
from desktop.exchange.records import Piece, Unread
from desktop.exchange.transcript import read_markdown
from desktop.exchange.values import as_mapping, as_text
from desktop.surrogates import well_formed

MOST_BYTES = 4 << 30
"""Of one unpacked document; a ZIP that would become larger is refused."""

DAMAGE = (LookupError, TypeError, ValueError, AttributeError, RecursionError, OverflowError)
"""What a damaged document makes its reader raise."""

MOST_STRANGE, MOST_UNREAD = 10_000, 100_000
"""Elements before the first one that is a chat, and chats that cannot be read, after which a file is given up: it may
hold a hundred million of them."""

ZIP_DAMAGE = (zipfile.BadZipFile, EOFError, RuntimeError, zlib.error, ValueError, LookupError)
"""What `zipfile` raises where bytes of an archive are wrong, a method is unknown, or a password is needed."""

DAMAGED, ZIP_UNREADABLE = "its chats are damaged", "it is damaged, or asks for a password"
MARKDOWN = (".md", ".markdown")


class Kind(NamedTuple):
    recognises: Callable[[object], bool]
    read: Callable[[Any], Iterator[Piece]]


KINDS = tuple(Kind(module.recognises, module.read) for module in (own, chatgpt, open_webui, llama_server, lm_studio))


def read(path: Path) -> Iterator[Piece]:
    """The chats and empty folders in a file, or in all files below a folder that hold some. Blocks long.

    Raises NotRecognised, Unreadable, where nothing in it could be read."""
    name = well_formed(path.name)
    try:
        pieces = _read_folder(path, name) if path.is_dir() else _read_file(path)
        yield from _something_of(pieces, name)
    except OSError as error:
        raise Unreadable(name, error.strerror or str(error)) from error


def _something_of(pieces: Iterator[Piece], name: str) -> Iterator[Piece]:
    """Raises Unreadable where it all could not be read. What could not be read comes last."""
    unread: list[Unread] = []
    found = False
    for piece in pieces:
        if isinstance(piece, Unread):
            unread.append(piece)
            if len(unread) > MOST_UNREAD:
                raise Unreadable(name, DAMAGED)
        else:
            found = True
            yield piece
    if unread and not found:
        raise Unreadable(name, DAMAGED)
    yield from unread


def _read_folder(folder: Path, name: str) -> Iterator[Piece]:
    failure: ExchangeError = NotRecognised(name)
    found = False
    for path in (folder, *sorted(folder.rglob("*"))):
        try:
            for piece in _read_in_folder(path):
                found = found or not isinstance(piece, Unread)
                yield piece
        except NotRecognised:
            continue
        except (Unreadable, OSError) as error:
            reason = error.reason if isinstance(error, Unreadable) else error.strerror or str(error)
            failure = Unreadable(well_formed(path.name), reason)
            yield Unread(well_formed(path.name))
    if not found:
        raise failure


def _read_in_folder(path: Path) -> Iterator[Piece]:
    if path.is_dir() and jan.is_thread(path):
        try:
            thread = jan.read_thread(path)
        except DAMAGE:
            yield Unread(well_formed(path.name))
        else:
            yield from [thread] if thread is not None else []
    elif path.is_file() and path.suffix in (".json", ".zip", *MARKDOWN) and path.name != "thread.json":
        yield from _read_file(path)


def _read_file(path: Path) -> Iterator[Piece]:
    if zipfile.is_zipfile(path):
        yield from _read_zip(path)
    else:
        with _within_memory(path.name):
            yield from _document(path.name, path.read_bytes(), path.stat().st_mtime)


@contextmanager
def _within_memory(name: str) -> Iterator[None]:
    """A document that takes more memory than there is costs no other."""
    try:
        yield
    except MemoryError as error:
        raise Unreadable(well_formed(name), TOO_LARGE) from error


def _read_zip(path: Path) -> Iterator[Piece]:
    """ChatGPT gives a ZIP, whose chats may be split over `conversations.json`, `conversations-001.json` and so on."""
    name = well_formed(path.name)
    failure: ExchangeError = NotRecognised(name)
    found = False
    try:
        with zipfile.ZipFile(path) as archive:
            for info in _documents_in(archive):
                try:
                    for piece in _packed_document(archive, info):
                        found = True
                        yield piece
                except NotRecognised:
                    continue
                except Unreadable as error:
                    failure = Unreadable(name, error.reason)
                    yield Unread(well_formed(info.filename))
    except ZIP_DAMAGE as error:
        raise Unreadable(name, ZIP_UNREADABLE) from error
    if not found:
        raise failure


def _documents_in(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    documents = [info for info in archive.infolist() if Path(info.filename).suffix == ".json"]
    chats = [info for info in documents if Path(info.filename).name.startswith("conversations")] or documents
    return chats or [info for info in archive.infolist() if Path(info.filename).suffix in MARKDOWN]


def _packed_document(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[Piece]:
    if info.file_size > MOST_BYTES:
        raise Unreadable(info.filename, TOO_LARGE)
    with _within_memory(info.filename):
        try:
            content = archive.read(info)
        except ZIP_DAMAGE as error:
            raise Unreadable(info.filename, ZIP_UNREADABLE) from error
        yield from _document(info.filename, content, 0.0)


def _document(name: str, content: bytes, modified_s: float) -> Iterator[Piece]:
    name = well_formed(Path(name).name)
    text = decoded(content)
    del content
    if name.lower().endswith(MARKDOWN):
        chats = list(read_markdown(text, modified_s))
        if not chats:
            raise NotRecognised(name)
        yield from chats
        return
    kind: Kind | None = None
    strange: list[Unread] = []
    try:
        for element in elements(text):
            if kind is None:
                kind = next((each for each in KINDS if element is not BROKEN and each.recognises(element)), None)
            if kind is None:
                strange.append(_unread(element))
                if len(strange) > MOST_STRANGE:
                    raise NotRecognised(name)
            else:
                yield from _guarded(kind, element, name)
    except (ValueError, RecursionError) as error:
        raise NotRecognised(name) from error
    if kind is None:
        raise NotRecognised(name)
    yield from strange


def _guarded(kind: Kind, element: object, name: str) -> Iterator[Piece]:
    """Whatever a damaged chat does to its reader, it is a chat that could not be read."""
    if element is BROKEN:
        yield Unread("")
        return
    try:
        yield from kind.read(element)
    except ExchangeError as error:
        raise type(error)(name, error.reason) from error
    except DAMAGE:
        yield _unread(element)


def _unread(element: object) -> Unread:
    values = as_mapping(element)
    titles = (values.get("title"), values.get("name"), as_mapping(values.get("conv")).get("name"))
    title = next(filter(None, map(as_text, titles)), "")
    return Unread(" ".join(well_formed(title).split())[:80])
