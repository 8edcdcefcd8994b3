"""A branch of a chat as Markdown, and as a page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape

from desktop.render.code import code_html
from desktop.render.markdown import blocks
from desktop.store.records import Chat, ChatMessage, Role


def markdown(chat: Chat, branch: Sequence[ChatMessage], name: Callable[[Role], str]) -> str:
    """`name` gives the heading of each side."""
    parts = [f"# {chat.title}"]
    if chat.settings.system:
        parts += [f"## {name('system')}", chat.settings.system]
    for message in branch:
        parts += [f"## {name(message.role)}", *(f"*{each.name}*" for each in message.attachments), message.text]
    return "\n\n".join(part for part in parts if part) + "\n"


def html(chat: Chat, branch: Sequence[ChatMessage], name: Callable[[Role], str], style: str) -> str:
    """`style` is the style sheet of the page, with the classes that `desktop.render` uses."""
    said = "\n".join(
        f'<section class="{message.role}"><h2>{escape(name(message.role))}</h2>{_body(message)}</section>'
        for message in branch
    )
    day = datetime.fromtimestamp(chat.created_s).date().isoformat()
    return (
        '<!doctype html>\n<html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(chat.title)}</title><style>{style}</style></head>\n"
        f"<body><main><h1>{escape(chat.title)}</h1><p>{day}</p>\n{said}\n</main></body></html>\n"
    )


def _body(message: ChatMessage) -> str:
    files = "".join(f"<p><i>{escape(each.name)}</i></p>" for each in message.attachments)
    if message.role != "assistant":
        return files + "".join(f"<p>{escape(part)}</p>" for part in message.text.split("\n\n"))
    return files + "".join(
        code_html(block.code, block.language) if block.kind == "code" else block.html or "<hr>"
        for block in blocks(message.text)
    )
