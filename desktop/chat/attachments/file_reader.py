"""Reads attached files and converts them to text for the model."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from desktop.chat.attachments import errors
from desktop.chat.attachments.document_process import child_command
from desktop.chat.attachments.errors import AttachError, Damaged, NoText, NotText, TooLarge, TooSlow, Unreachable
from desktop.chat.attachments.file_kinds import MAGIC_BYTES, kind_of
from desktop.chat.attachments.limits import CHARACTERS, CHILD_BYTES, DOCUMENT_S, FILE_BYTES
from desktop.chat.attachments.text_decoding import decode
from desktop.platform.child_memory import memory_of
from desktop.platform.surrogates import well_formed
from desktop.store.records import Attachment, AttachmentKind

POLL_S = 0.05


class FileReader:
    """Reads attached files. All methods may be called on any thread.

    PDF and Word documents are read in a child process, which may take `document_s` seconds. `command(kind, path)`
    returns the command line of the child process."""

    def __init__(
        self, command: Callable[[AttachmentKind, Path], list[str]] = child_command, document_s: float = DOCUMENT_S
    ) -> None:
        self._command = command
        self._document_s = document_s
        self._closed = threading.Event()

    def close(self) -> None:
        """End the child processes that are reading documents. The `read` calls that wait for them raise TooSlow."""
        self._closed.set()

    def read(self, path: Path) -> Attachment:
        """Read a file. Blocks until the file is read; for a document, until the child process ends. Raises
        AttachError."""
        name = well_formed(path.name)
        try:
            if not path.is_file():
                raise NotText(name) if path.exists() else Unreachable(name, os.strerror(errno.ENOENT))
            if path.stat().st_size > FILE_BYTES:
                raise TooLarge(name, "bytes", FILE_BYTES)
            with path.open("rb") as file:
                kind = kind_of(name, file.read(MAGIC_BYTES))
            text = self._read_document(kind, path) if kind in ("pdf", "docx") else _read_text(path)
        except OSError as error:
            raise Unreachable(name, error.strerror or str(error)) from error
        if not text.strip():
            raise NoText(name, is_empty=kind not in ("pdf", "docx"))
        if len(text) > CHARACTERS:
            raise TooLarge(name, "characters", CHARACTERS)
        return Attachment(name, kind, well_formed(text))

    def _read_document(self, kind: AttachmentKind, path: Path) -> str:
        child = subprocess.Popen(
            self._command(kind, path.absolute()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parents[3],  # the working directory is the folder that contains the package `desktop`
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        try:
            return _text_from(self._wait(child, well_formed(path.name)), well_formed(path.name))
        finally:
            child.kill()
            child.communicate()

    def _wait(self, child: subprocess.Popen[bytes], name: str) -> bytes:
        deadline = time.monotonic() + self._document_s
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return child.communicate(timeout=POLL_S)[0]
            if self._closed.is_set() or time.monotonic() > deadline:
                raise TooSlow(name)
            if memory_of(child.pid) > CHILD_BYTES:  # on some systems the child process cannot limit its own memory
                raise Damaged(name)


def _read_text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(FILE_BYTES + 1)  # the file may have grown since its size was checked
    if len(data) > FILE_BYTES:
        raise TooLarge(well_formed(path.name), "bytes", FILE_BYTES)
    text = decode(data)
    if text is None:
        raise NotText(well_formed(path.name))
    return text


def _text_from(output: bytes, name: str) -> str:
    """Text in the output of the child process. Raises the error that the output describes, or Damaged if the child
    process crashed."""
    try:
        result = json.loads(output)
    except ValueError:
        raise Damaged(name) from None
    if "error" in result:
        kind: type[AttachError] = getattr(errors, result.pop("error"))
        raise kind(**result | {"name": name})
    return str(result["text"])
