"""Writes chats to a file: one chat as Markdown, HTML or PDF; any number of chats as JSON."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from desktop.chat.conversation import Conversation
from desktop.import_export.formats import inglenook
from desktop.import_export.formats.markdown import markdown
from desktop.import_export.html_export import html, pdf_html
from desktop.import_export.pdf_export import write_pdf
from desktop.import_export.records import PortableChat
from desktop.platform.surrogates import well_formed
from desktop.store.records import ChatMessage, Folder, Role
from engine.files.atomic_write import atomic_replace

Format = Literal["md", "html", "pdf", "json"]


@dataclass(frozen=True, slots=True)
class Exporter:
    """Writes export files. `role_name` returns the heading of the messages with a role; `html_style` and `pdf_style`
    return the CSS of the file."""

    role_name: Callable[[Role], str]
    html_style: Callable[[], str]
    pdf_style: Callable[[], str]

    def write(
        self,
        chats: Sequence[PortableChat],
        empty_folders: Sequence[Folder],
        path: Path,
        file_format: Format,
        cancelled: threading.Event,
    ) -> None:
        """Writes the chats to `path`, atomically. If `cancelled` is set before the file is complete, `path` is not
        changed.

        Formats other than JSON take exactly one chat. May be called on any thread; blocks. Raises OSError."""
        with atomic_replace(path) as part:
            if file_format == "pdf":
                self._write_pdf(chats, part)
            else:
                part.write_text(self._text(chats, empty_folders, file_format), encoding="utf-8")
            if cancelled.is_set():
                part.unlink()

    def _write_pdf(self, chats: Sequence[PortableChat], path: Path) -> None:
        (each,) = chats
        page, formulas = pdf_html(each.chat, _branch(each), self.role_name, self.pdf_style())
        title = well_formed(each.chat.title)
        if well_formed(str(path)) == str(path):
            write_pdf(page, formulas, title, path)
            return
        with tempfile.TemporaryDirectory() as folder:  # Qt cannot open a path that is not valid UTF-8
            written = Path(folder) / "chat.pdf"
            write_pdf(page, formulas, title, written)
            shutil.copyfile(written, path)

    def _text(self, chats: Sequence[PortableChat], empty_folders: Sequence[Folder], file_format: Format) -> str:
        if file_format == "json":
            return well_formed(inglenook.document(chats, empty_folders))
        (each,) = chats
        if file_format == "md":
            return markdown(each.chat, _branch(each), self.role_name)
        return html(each.chat, _branch(each), self.role_name, self.html_style())


def _branch(each: PortableChat) -> Sequence[ChatMessage]:
    """Returns the messages of the branch that is shown in the window."""
    return Conversation(each.messages, each.chat.leaf_id).branch()
