"""Reads chats from export files of Inglenook and other programs, and from ZIP archives and folders of such files.

The format is detected by the content. A chat or file that cannot be read is reported and does not affect the others.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from desktop.import_export.errors import (
    DAMAGE_ERRORS,
    ZIP_ERRORS,
    ImportExportError,
    Problem,
    UnknownFormat,
    UnreadableFile,
    file_error,
)
from desktop.import_export.formats import chatgpt, inglenook, jan, llama_server, lm_studio, open_webui
from desktop.import_export.formats.foreign_json import BROKEN, as_mapping, as_text, decoded, elements
from desktop.import_export.formats.markdown import read_markdown_chat
from desktop.import_export.records import ImportItem, UnreadableChat
from desktop.platform.surrogates import well_formed

MAX_BYTES = 4 << 30
"""Size limit of one document after unpacking."""

MAX_UNKNOWN_ELEMENTS, MAX_UNREADABLE_CHATS = 10_000, 100_000
"""Numbers of elements of unknown format, and of unreadable chats, after which the reading of a file fails. A file may
contain a hundred million of them."""

MARKDOWN = (".md", ".markdown")


class Format(NamedTuple):
    """A JSON format. `recognises` returns whether an element of a document has this format; `read` yields the chats of
    such an element."""

    recognises: Callable[[object], bool]
    read: Callable[[Any], Iterator[ImportItem]]


FORMATS = tuple(
    Format(module.recognises, module.read) for module in (inglenook, chatgpt, open_webui, llama_server, lm_studio)
)


def read(path: Path) -> Iterator[ImportItem]:
    """Yields the chats and empty folders of a file, or of all files below a folder, and then an `UnreadableChat` for
    each chat that could not be read.

    Blocks for a long time. Raises UnknownFormat or UnreadableFile if nothing could be read."""
    name = well_formed(path.name)
    try:
        items = _read_folder(path, name) if path.is_dir() else _read_file(path)
        yield from _require_readable(items, name)
    except OSError as error:
        raise file_error(name, error) from error


def _require_readable(items: Iterator[ImportItem], name: str) -> Iterator[ImportItem]:
    """Yields the items, unreadable chats last. Raises UnreadableFile if all items are unreadable chats."""
    unread: list[UnreadableChat] = []
    found = False
    for item in items:
        if isinstance(item, UnreadableChat):
            unread.append(item)
            if len(unread) > MAX_UNREADABLE_CHATS:
                raise UnreadableFile(name, Problem.CHATS_DAMAGED)
        else:
            found = True
            yield item
    if unread and not found:
        raise UnreadableFile(name, Problem.CHATS_DAMAGED)
    yield from unread


def _read_folder(folder: Path, name: str) -> Iterator[ImportItem]:
    failure: ImportExportError = UnknownFormat(name)
    found = False
    for path in (folder, *sorted(folder.rglob("*"))):
        try:
            for item in _read_in_folder(path):
                found = found or not isinstance(item, UnreadableChat)
                yield item
        except UnknownFormat:
            continue
        except (UnreadableFile, OSError) as error:
            name = well_formed(path.name)
            failure = (
                UnreadableFile(name, error.reason) if isinstance(error, UnreadableFile) else file_error(name, error)
            )
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
    """Turns a MemoryError into an UnreadableFile, so that reading continues with the next document."""
    try:
        yield
    except MemoryError as error:
        raise UnreadableFile(well_formed(name), Problem.TOO_LARGE) from error


def _read_zip(path: Path) -> Iterator[ImportItem]:
    """Yields the chats in a ZIP archive. The export of ChatGPT is a ZIP with `conversations.json`, or with
    `conversations-001.json` and so on."""
    name = well_formed(path.name)
    failure: ImportExportError = UnknownFormat(name)
    found = False
    try:
        with zipfile.ZipFile(path) as archive:
            for info in _documents_in(archive):
                try:
                    for item in _packed_document(archive, info):
                        found = True
                        yield item
                except UnknownFormat:
                    continue
                except UnreadableFile as error:
                    failure = UnreadableFile(name, error.reason)
                    yield UnreadableChat(well_formed(info.filename))
    except ZIP_ERRORS as error:
        raise UnreadableFile(name, Problem.ARCHIVE_UNREADABLE) from error
    if not found:
        raise failure


def _documents_in(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    documents = [info for info in archive.infolist() if Path(info.filename).suffix == ".json"]
    chats = [info for info in documents if Path(info.filename).name.startswith("conversations")] or documents
    return chats or [info for info in archive.infolist() if Path(info.filename).suffix in MARKDOWN]


def _packed_document(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[ImportItem]:
    if info.file_size > MAX_BYTES:
        raise UnreadableFile(info.filename, Problem.TOO_LARGE)
    with _memory_errors(info.filename):
        try:
            content = archive.read(info)
        except ZIP_ERRORS as error:
            raise UnreadableFile(info.filename, Problem.ARCHIVE_UNREADABLE) from error
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
    format: Format | None = None
    unknown: list[UnreadableChat] = []
    try:
        for element in elements(text):
            if format is None:
                format = next((each for each in FORMATS if element is not BROKEN and each.recognises(element)), None)
            if format is None:
                unknown.append(_unread(element))
                if len(unknown) > MAX_UNKNOWN_ELEMENTS:
                    raise UnknownFormat(name)
            else:
                yield from _read_element(format, element, name)
    except (ValueError, RecursionError) as error:
        raise UnknownFormat(name) from error
    if format is None:
        raise UnknownFormat(name)
    yield from unknown


def _read_element(format: Format, element: object, name: str) -> Iterator[ImportItem]:
    """Yields the chats of an element, or an `UnreadableChat` if the element is malformed."""
    if element is BROKEN:
        yield UnreadableChat("")
        return
    try:
        yield from format.read(element)
    except ImportExportError as error:
        raise type(error)(name, error.reason) from error
    except DAMAGE_ERRORS:
        yield _unread(element)


def _unread(element: object) -> UnreadableChat:
    values = as_mapping(element)
    titles = (values.get("title"), values.get("name"), as_mapping(values.get("conv")).get("name"))
    title = next(filter(None, map(as_text, titles)), "")
    return UnreadableChat(" ".join(well_formed(title).split())[:80])
