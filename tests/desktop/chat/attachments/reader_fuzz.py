"""Fuzzing of the code that reads attached files and imported chats. For each damaged file, the code must return text
that can be stored, or raise one of its own errors, within limits of time and memory.

`python -m tests.desktop.chat.attachments.reader_fuzz [SECONDS] [SEED]` runs for this many seconds; the test suite runs
a fixed number of rounds."""

from __future__ import annotations

import contextlib
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from desktop.chat.attachments.docx import read_docx
from desktop.chat.attachments.errors import AttachError
from desktop.chat.attachments.pdf import read_pdf
from desktop.chat.attachments.text_decoding import decode
from desktop.import_export.errors import ImportExportError
from desktop.import_export.formats import inglenook
from desktop.import_export.reader import read
from desktop.import_export.records import PortableChat
from desktop.platform.surrogates import well_formed
from desktop.store.records import Attachment, Chat, ChatMessage
from desktop.store.rows import chat_row, message_row
from tests.desktop.chat.attachments.sample_documents import paragraph, write_docx, write_pdf
from tests.desktop.import_export import foreign_exports

MAX_S = 5.0
"""Maximum time to read one file on a busy machine."""

MAX_GROWTH_BYTES = 400 << 20

Case = tuple[str, bytes]
"""A file for the reader: (file name, content)."""

NASTY = (
    b"\\ud83d", b"\\udc00", b"\xed\xa0\xbd", b"\xff", b"\x00", "\u2028\u2029\x85".encode(), "\u202e\u200f".encode(),
    b"1e999", b"-0", b"NaN", b"null", b"[]", b"{}", b'""', b"9" * 400, b"[" * 3_000, b'{"a":' * 3_000, b"```",
    b"## You\n", b"<details type=\"reasoning\">", b"<think>", b"]]", b"}}", b",", b'"',
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 2**70, 1.5, "", "\ud83d", "x" * 5_000, "\u202eabc\u2066", "漢字" * 50, [], {}, [None], [[]],
    {"": None}, {"id": "a", "parent": "a"}, "9" * 5_000,
)  # fmt: skip


class Fuzz:
    """Generates damaged files. The same seed generates the same files."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.trees: list[tuple[str, Any]] = [
            ("chatgpt.json", foreign_exports.CHATGPT * 3),
            ("open_webui.json", foreign_exports.OPEN_WEBUI * 3),
            ("llama.json", [foreign_exports.LLAMA_SERVER] * 3),
            ("lm_studio.json", foreign_exports.LM_STUDIO),
            ("own.json", json.loads(inglenook.document([_own()]))),
        ]
        with tempfile.TemporaryDirectory() as folder:
            docx = write_docx(Path(folder) / "x.docx", paragraph("One") + paragraph("Two")).read_bytes()
            pdf = write_pdf(Path(folder) / "x.pdf", ["One", "Two"]).read_bytes()
        self.files: list[Case] = [
            ("chat.md", b"# Sea\n\n## You\n\nhello\n\n## Inglenook\n\nHi.\n"), ("x.docx", docx), ("x.pdf", pdf),
            ("x.txt", "Sow in März.".encode("latin-1")),
        ]  # fmt: skip

    def case(self) -> Case:
        pick = self.random.random()
        if pick < 0.45:
            name, tree = self.random.choice(self.trees)
            for _ in range(self.random.randint(1, 4)):
                tree = self._with_change(tree)
            return name, json.dumps(tree).encode()
        if pick < 0.75:
            name, tree = self.random.choice(self.trees)
            return name, self._damaged(json.dumps(tree).encode())
        name, content = self.random.choice(self.files)
        return name, self._damaged(content)

    def _damaged(self, content: bytes) -> bytes:
        for _ in range(self.random.randint(1, 4)):
            at, n = self.random.randrange(len(content) + 1), self.random.randrange(1, 60)
            match self.random.randrange(5):
                case 0:
                    content = content[:at] + self.random.choice(NASTY) + content[at:]
                case 1:
                    content = content[:at] + content[at + n :]
                case 2:
                    content = content[:at] + self.random.randbytes(n) + content[at + n :]
                case 3:
                    content = content[:at] + content[at : at + n] * self.random.choice((2, 200, 3_000)) + content[at:]
                case _:
                    content = content[:at]
        return content[: 1 << 20]

    def _with_change(self, tree: Any) -> Any:
        """A copy of a JSON value in which one value is changed, removed or repeated."""
        if isinstance(tree, list) and tree and self.random.random() < 0.85:
            place = self.random.randrange(len(tree))
            if self.random.random() < 0.1:
                return [*tree[:place], *([tree[place]] * self.random.choice((0, 2, 500)))]
            return [*tree[:place], self._with_change(tree[place]), *tree[place + 1 :]]
        if isinstance(tree, dict) and tree and self.random.random() < 0.85:
            key = self.random.choice(list(tree))
            if self.random.random() < 0.1:
                return {name: value for name, value in tree.items() if name != key}
            return {**tree, key: self._with_change(tree[key])}
        return self.random.choice(VALUES)


def check(folder: Path, case: Case) -> None:
    """Read one file. Raises AssertionError if a limit is exceeded. Errors that the reader must not raise are not
    caught."""
    name, content = case
    path = folder / name
    path.write_bytes(content)
    began, before = time.monotonic(), psutil.Process().memory_info().rss
    _reader_of(name)(path)
    took_s, grew = time.monotonic() - began, psutil.Process().memory_info().rss - before
    assert took_s < MAX_S, f"{name} of {len(content)} bytes took {took_s:.1f} s"
    assert grew < MAX_GROWTH_BYTES, f"{name} of {len(content)} bytes took {grew >> 20} MB"


def _reader_of(name: str) -> Callable[[Path], None]:
    if name.endswith((".docx", ".pdf")):
        return _read_document
    return _read_text if name.endswith(".txt") else _read_chats


def _read_chats(path: Path) -> None:
    try:
        for piece in read(path):
            assert inglenook.from_line(inglenook.line(piece)) == piece
            if isinstance(piece, PortableChat):
                rows = [chat_row(piece.chat), *map(message_row, piece.messages)]
                "".join(value for row in rows for value in row if isinstance(value, str)).encode()
                time.localtime(piece.chat.created_s)
    except ImportExportError as error:
        error.name.encode()
        error.reason.encode()


def _read_document(path: Path) -> None:
    with contextlib.suppress(AttachError, OSError, RecursionError):
        well_formed(read_docx(path) if path.suffix == ".docx" else read_pdf(path)).encode()


def _read_text(path: Path) -> None:
    text = decode(path.read_bytes())
    if text is not None:
        well_formed(text).encode()


def _own() -> PortableChat:
    messages = (
        ChatMessage("1", "c", None, "user", "hello", "complete", 1.0, attachments=(Attachment("a", "text", "x"),)),
        ChatMessage("2", "c", "1", "assistant", "hi", "complete", 2.0, reasoning="hm"),
    )
    return PortableChat(Chat("c", "t", 1.0, 2.0, leaf_id="2"), messages)


def fuzz(seconds: float, seed: int) -> list[str]:
    """Fuzz for this many seconds and return the errors, for the soak test. The run ends at the first error, so there is
    at most one."""
    try:
        run(seconds, seed)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]
    return []


def run(seconds: float, seed: int, n_rounds: int | None = None) -> int:
    """Fuzz for `n_rounds`, or for `seconds` if `n_rounds` is None, and return the number of rounds. A file that causes
    an error is kept."""
    fuzz, until_s, n = Fuzz(seed), time.monotonic() + seconds, 0
    with tempfile.TemporaryDirectory() as folder:
        while n < n_rounds if n_rounds is not None else time.monotonic() < until_s:
            case = fuzz.case()
            try:
                check(Path(folder), case)
            except BaseException:
                kept = Path(tempfile.gettempdir()) / f"reader-fuzz-{seed}-{n}-{case[0]}"
                kept.write_bytes(case[1])
                sys.stderr.write(f"round {n} of seed {seed}: the file is {kept}\n")
                raise
            n += 1
    return n


if __name__ == "__main__":
    given_s = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    given_seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    sys.stdout.write(f"{run(given_s, given_seed)} files read, seed {given_seed}\n")
