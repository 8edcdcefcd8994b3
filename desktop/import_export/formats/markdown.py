"""Writes a chat as Markdown with a heading before each message, and reads such documents."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence

from desktop.import_export.formats.chat_builder import ChatBuilder
from desktop.import_export.records import PortableChat
from desktop.platform.surrogates import well_formed
from desktop.store.records import Chat, ChatMessage, Role

SOURCE = "markdown"

_NAMES: dict[Role, tuple[str, ...]] = {
    "user": ("you", "user", "human", "me", "prompt", "question", "du", "sie", "ich", "benutzer", "nutzer", "frage"),
    "assistant": ("inglenook", "assistant", "chatgpt", "ai", "bot", "model", "response", "answer", "assistent", "ki",
                  "antwort", "claude", "gemini", "llm"),
    "system": ("instructions", "system", "system prompt", "anweisungen"),
}  # fmt: skip
_ROLE_OF = {name: role for role, names in _NAMES.items() for name in names}
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*)")
_BOLD = re.compile(r"\*\*([^*]{1,40}?):?\*\*:?[ \t]*(.*)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
MAX_NAME_LENGTH = 40


def markdown(chat: Chat, branch: Sequence[ChatMessage], name: Callable[[Role], str]) -> str:
    """Returns a branch of a chat as Markdown. `name` returns the heading for a role."""
    parts = [f"# {chat.title}"]
    if chat.settings.system:
        parts += [f"## {name('system')}", chat.settings.system]
    for message in branch:
        parts += [f"## {name(message.role)}", *(f"*{each.name}*" for each in message.attachments), message.text]
    return well_formed("\n\n".join(part for part in parts if part) + "\n")


def read_markdown_chat(text: str, modified_s: float) -> Iterator[PortableChat]:
    """Yields the chat of a document in which role names precede the messages, as headings or in bold. Yields nothing
    for other documents."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    title, turns = _turns(text)
    if not any(role == "user" for role, _ in turns):
        return
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    builder = ChatBuilder(SOURCE, digest, title or turns[0][1][:80], modified_s, modified_s)
    parent: str | None = None
    for number, (role, content) in enumerate(turns):
        if content:
            builder.add(str(number), parent, role, content)
            parent = str(number)
    if (found := builder.built(parent)) is not None:
        yield found


def _turns(text: str) -> tuple[str, list[tuple[Role, str]]]:
    """Returns the title of a document, and its turns. A heading is part of the text if it is in a code block, or if its
    level differs from that of the first turn."""
    title, level, fence = "", "", ""
    turns: list[tuple[Role, list[str]]] = []
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        elif not fence:
            heading, bold = _HEADING.fullmatch(line), _BOLD.fullmatch(line)
            head = heading[2].rstrip(" \t#") if heading else ""
            found = _role(head) if heading else _role(bold[1]) if bold else None
            kind = heading[1] if heading else "**"
            if found is not None and level in ("", kind):
                level = kind
                turns.append((found, [bold[2]] if bold else []))
                continue
            if heading and not turns and not title:
                title = head
                continue
        if turns:
            turns[-1][1].append(line)
    return title, [(role, "\n".join(lines).strip()) for role, lines in turns]


def _role(name: str) -> Role | None:
    plain = name.strip().strip("*_:").strip().casefold()
    return _ROLE_OF.get(plain) if len(plain) <= MAX_NAME_LENGTH else None
