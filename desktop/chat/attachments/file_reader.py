"""A file → the text that the model reads."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from desktop.chat.attachments import errors
from desktop.chat.attachments.errors import AttachError, Damaged, NoText, NotText, TooLarge, TooSlow, Unreachable
from desktop.chat.attachments.file_kinds import MAGIC_BYTES, kind_of
from desktop.chat.attachments.limits import CHARACTERS, CHILD_BYTES, DOCUMENT_S, FILE_BYTES
from desktop.chat.attachments.text_decoding import decode
from desktop.platform.child_memory import memory_of
from desktop.platform.surrogates import well_formed
from desktop.store.records import Attachment, AttachmentKind

READ_OPTION = "--read-document"
"""With which a packaged program, that has no Python beside it, starts itself to read a document."""

POLL_S = 0.05


def child_command(kind: AttachmentKind, path: Path) -> list[str]:
    """What starts the process that reads a document."""
    start = [READ_OPTION] if getattr(sys, "frozen", False) else ["-m", "desktop.chat.attachments.document_process"]
    return [sys.executable, *start, kind, str(path)]


def other_duty(arguments: Sequence[str]) -> int | None:
    """Reads a document where a packaged program was started for that; the exit code, else None."""
    if not getattr(sys, "frozen", False) or list(arguments[:1]) != [READ_OPTION]:
        return None
    from desktop.chat.attachments.document_process import main  # imports what only this process wants

    return main(list(arguments[1:]))


class Reader:
    """Reads files, on any thread. `close` ends what is being read, from any thread."""

    def __init__(
        self, command: Callable[[AttachmentKind, Path], list[str]] = child_command, document_s: float = DOCUMENT_S
    ) -> None:
        self._command = command
        self._document_s = document_s
        self._closed = threading.Event()

    def close(self) -> None:
        self._closed.set()

    def read(self, path: Path) -> Attachment:
        """Blocks: for a PDF or a Word document as long as another process reads it. Raises AttachError."""
        name = well_formed(path.name)
        try:
            if not path.is_file():
                raise NotText(name) if path.exists() else Unreachable(name, os.strerror(errno.ENOENT))
            if path.stat().st_size > FILE_BYTES:
                raise TooLarge(name, "bytes", FILE_BYTES)
            with path.open("rb") as file:
                kind = kind_of(name, file.read(MAGIC_BYTES))
            text = self._document(kind, path) if kind in ("pdf", "docx") else _text(path)
        except OSError as error:
            raise Unreachable(name, error.strerror or str(error)) from error
        if not text.strip():
            raise NoText(name, is_empty=kind not in ("pdf", "docx"))
        if len(text) > CHARACTERS:
            raise TooLarge(name, "characters", CHARACTERS)
        return Attachment(name, kind, well_formed(text))

    def _document(self, kind: AttachmentKind, path: Path) -> str:
        child = subprocess.Popen(
            self._command(kind, path.absolute()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parents[3],  # where `desktop` lies, wherever we were started
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        try:
            return _answer(self._wait(child, well_formed(path.name)), well_formed(path.name))
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
            if memory_of(child.pid) > CHILD_BYTES:  # where the system has no limit of its own
                raise Damaged(name)


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(FILE_BYTES + 1)  # it may have grown meanwhile
    if len(data) > FILE_BYTES:
        raise TooLarge(well_formed(path.name), "bytes", FILE_BYTES)
    text = decode(data)
    if text is None:
        raise NotText(well_formed(path.name))
    return text


def _answer(said: bytes, name: str) -> str:
    """What the child said; where it said nothing, it died of the file."""
    try:
        answer = json.loads(said)
    except ValueError:
        raise Damaged(name) from None
    if "error" in answer:
        kind: type[AttachError] = getattr(errors, answer.pop("error"))
        raise kind(**answer | {"name": name})
    return str(answer["text"])
