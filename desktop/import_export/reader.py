"""Files of other programs, and our own, → chats. What a file is, its content says, not its name.

What cannot be read is named, and costs nothing else."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from desktop.import_export.errors import ImportExportError, UnknownFormat, UnreadableFile
from desktop.import_export.formats import chatgpt, inglenook, jan, llama_server, lm_studio, open_webui
from desktop.import_export.formats.json_elements import BROKEN, decoded, elements
from desktop.import_export.formats.json_values import as_mapping, as_text
from desktop.import_export.formats.markdown import read_markdown_chat
from desktop.import_export.memory_limits import TOO_LARGE
from desktop.import_export.records import ImportItem, UnreadableChat
from desktop.platform.surrogates import well_formed

MAX_BYTES = 4 << 30
"""Of one unpacked document; a ZIP that would become larger is refused."""

DAMAGE_ERRORS = (LookupError, TypeError, ValueError, AttributeError, RecursionError, OverflowError)
"""What a damaged document makes its reader raise."""

MAX_UNKNOWN_ELEMENTS, MAX_UNREADABLE_CHATS = 10_000, 100_000
"""Elements before the first one that is a chat, and chats that cannot be read, after which a file is given up: it may
hold a hundred million of them."""

ZIP_ERRORS = (zipfile.BadZipFile, EOFError, RuntimeError, zlib.error, ValueError, LookupError)
"""What `zipfile` raises where bytes of an archive are wrong, a method is unknown, or a password is needed."""

DAMAGED, ZIP_UNREADABLE = "its chats are damaged", "it is damaged, or asks for a password"
MARKDOWN = (".md", ".markdown")


class Kind(NamedTuple):
    recognises: Callable[[object], bool]
    read: Callable[[Any], Iterator[ImportItem]]


KINDS = tuple(
    Kind(module.recognises, module.read) for module in (inglenook, chatgpt, open_webui, llama_server, lm_studio)
)


def read(path: Path) -> Iterator[ImportItem]:
    """The chats and empty folders in a file, or in all files below a folder that hold some. Blocks long.

    Raises UnknownFormat, UnreadableFile, where nothing in it could be read."""
    name = well_formed(path.name)
    try:
        pieces = _read_folder(path, name) if path.is_dir() else _read_file(path)
        yield from _require_readable(pieces, name)
    except OSError as error:
        raise UnreadableFile(name, error.strerror or str(error)) from error


def _require_readable(pieces: Iterator[ImportItem], name: str) -> Iterator[ImportItem]:
    """Raises UnreadableFile where it all could not be read. What could not be read comes last."""
    unread: list[UnreadableChat] = []
    found = False
    for piece in pieces:
        if isinstance(piece, UnreadableChat):
            unread.append(piece)
            if len(unread) > MAX_UNREADABLE_CHATS:
                raise UnreadableFile(name, DAMAGED)
        else:
            found = True
            yield piece
    if unread and not found:
        raise UnreadableFile(name, DAMAGED)
    yield from unread


def _read_folder(folder: Path, name: str) -> Iterator[ImportItem]:
    failure: ImportExportError = UnknownFormat(name)
    found = False
    for path in (folder, *sorted(folder.rglob("*"))):
        try:
            for piece in _read_in_folder(path):
                found = found or not isinstance(piece, UnreadableChat)
                yield piece
        except UnknownFormat:
            continue
        except (UnreadableFile, OSError) as error:
            reason = error.reason if isinstance(error, UnreadableFile) else error.strerror or str(error)
            failure = UnreadableFile(well_formed(path.name), reason)
            yield UnreadableChat(well_formed(path.name))
    if not found:
        raise failure


def _read_in_folder(path: Path) -> Iterator[ImportItem]:
    if path.is_dir() and jan.is_thread(path):
        try:
            thread = jan.read_thread(path)
        except DAMAGE_ERRORS:
            yield UnreadableChat(well_formed(path.name))
        else:
            yield from [thread] if thread is not None else []
    elif path.is_file() and path.suffix in (".json", ".zip", *MARKDOWN) and path.name != "thread.json":
        yield from _read_file(path)


def _read_file(path: Path) -> Iterator[ImportItem]:
    if zipfile.is_zipfile(path):
        yield from _read_zip(path)
    else:
        with _memory_errors(path.name):
            yield from _document(path.name, path.read_bytes(), path.stat().st_mtime)


@contextmanager
def _memory_errors(name: str) -> Iterator[None]:
    """A document that takes more memory than there is costs no other."""
    try:
        yield
    except MemoryError as error:
        raise UnreadableFile(well_formed(name), TOO_LARGE) from error


def _read_zip(path: Path) -> Iterator[ImportItem]:
    """ChatGPT gives a ZIP, whose chats may be split over `conversations.json`, `conversations-001.json` and so on."""
    name = well_formed(path.name)
    failure: ImportExportError = UnknownFormat(name)
    found = False
    try:
        with zipfile.ZipFile(path) as archive:
            for info in _documents_in(archive):
                try:
                    for piece in _packed_document(archive, info):
                        found = True
                        yield piece
                except UnknownFormat:
                    continue
                except UnreadableFile as error:
                    failure = UnreadableFile(name, error.reason)
                    yield UnreadableChat(well_formed(info.filename))
    except ZIP_ERRORS as error:
        raise UnreadableFile(name, ZIP_UNREADABLE) from error
    if not found:
        raise failure


def _documents_in(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    documents = [info for info in archive.infolist() if Path(info.filename).suffix == ".json"]
    chats = [info for info in documents if Path(info.filename).name.startswith("conversations")] or documents
    return chats or [info for info in archive.infolist() if Path(info.filename).suffix in MARKDOWN]


def _packed_document(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[ImportItem]:
    if info.file_size > MAX_BYTES:
        raise UnreadableFile(info.filename, TOO_LARGE)
    with _memory_errors(info.filename):
        try:
            content = archive.read(info)
        except ZIP_ERRORS as error:
            raise UnreadableFile(info.filename, ZIP_UNREADABLE) from error
        yield from _document(info.filename, content, 0.0)


def _document(name: str, content: bytes, modified_s: float) -> Iterator[ImportItem]:
    name = well_formed(Path(name).name)
    text = decoded(content)
    del content
    if name.lower().endswith(MARKDOWN):
        chats = list(read_markdown_chat(text, modified_s))
        if not chats:
            raise UnknownFormat(name)
        yield from chats
        return
    kind: Kind | None = None
    strange: list[UnreadableChat] = []
    try:
        for element in elements(text):
            if kind is None:
                kind = next((each for each in KINDS if element is not BROKEN and each.recognises(element)), None)
            if kind is None:
                strange.append(_unread(element))
                if len(strange) > MAX_UNKNOWN_ELEMENTS:
                    raise UnknownFormat(name)
            else:
                yield from _read_element(kind, element, name)
    except (ValueError, RecursionError) as error:
        raise UnknownFormat(name) from error
    if kind is None:
        raise UnknownFormat(name)
    yield from strange


def _read_element(kind: Kind, element: object, name: str) -> Iterator[ImportItem]:
    """Whatever a damaged chat does to its reader, it is a chat that could not be read."""
    if element is BROKEN:
        yield UnreadableChat("")
        return
    try:
        yield from kind.read(element)
    except ImportExportError as error:
        raise type(error)(name, error.reason) from error
    except DAMAGE_ERRORS:
        yield _unread(element)


def _unread(element: object) -> UnreadableChat:
    values = as_mapping(element)
    titles = (values.get("title"), values.get("name"), as_mapping(values.get("conv")).get("name"))
    title = next(filter(None, map(as_text, titles)), "")
    return UnreadableChat(" ".join(well_formed(title).split())[:80])
