"""A branch of a chat as Markdown, and as a page of HTML that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape

from desktop.platform.surrogates import well_formed
from desktop.render.blocks import Block, InlineImage
from desktop.render.code_highlighting import code_html
from desktop.render.formula_rendering import formula, mathml
from desktop.render.html import THIN
from desktop.render.markdown import blocks
from desktop.render.user_markdown import user_message_blocks
from desktop.store.records import Chat, ChatMessage, Role

COLUMNS = 8
"""Of a table, beside each other on paper."""

_TABLE = re.compile("(<table[^>]*>)(.*?)</table>", re.DOTALL)
_ROW = re.compile("<tr>(.*?)</tr>", re.DOTALL)
_CELL = re.compile("<t[dh] .*?</t[dh]>", re.DOTALL)
_INSET = re.compile(r'<img src="inline:(\d+)">')
_ROOM = re.compile('<span class="room">[^<]*</span>')
_DATA = re.compile(r"data:image/(?:png|jpeg|gif|webp|bmp);base64,[A-Za-z0-9+/=]+", re.IGNORECASE)


def markdown(chat: Chat, branch: Sequence[ChatMessage], name: Callable[[Role], str]) -> str:
    """`name` gives the heading of each side."""
    parts = [f"# {chat.title}"]
    if chat.settings.system:
        parts += [f"## {name('system')}", chat.settings.system]
    for message in branch:
        parts += [f"## {name(message.role)}", *(f"*{each.name}*" for each in message.attachments), message.text]
    return well_formed("\n\n".join(part for part in parts if part) + "\n")


def html(chat: Chat, branch: Sequence[ChatMessage], name: Callable[[Role], str], style: str) -> str:
    """`style` is the style sheet of the page, with the classes that `desktop.render` uses. Formulas are MathML with
    their LaTeX as annotation, pictures in the text are part of the page, and others are their description."""
    return _ROOM.sub("", _page(chat, branch, name, style, _self_contained))


def paper(
    chat: Chat, branch: Sequence[ChatMessage], name: Callable[[Role], str], style: str
) -> tuple[str, tuple[InlineImage, ...]]:
    """The page as a text document can show it, for `pdf.write_pdf`: `<img src="formula:N">` stands for the N-th of the
    formulas."""
    formulas: list[InlineImage] = []

    def drawn_later(inset: InlineImage) -> str:
        if inset.kind == "picture" or formula(inset.source, display=inset.display) is None:
            return _alt_text(inset)
        formulas.append(inset)
        return f'<img src="formula:{len(formulas) - 1}">'

    page = _page(chat, branch, name, style, drawn_later).replace(THIN, "")
    return _TABLE.sub(_in_parts, page), tuple(formulas)


def _in_parts(table: re.Match[str]) -> str:
    """A table that is wider than paper as several, each with the first column again."""
    rows = [_CELL.findall(row) for row in _ROW.findall(table[2])]
    n_columns = max(map(len, rows), default=0)
    width = COLUMNS if n_columns > COLUMNS else n_columns
    order = -1 if 'dir="rtl"' in table[1] else 1  # Qt draws the first cell at the left, whatever the direction
    parts: list[str] = []
    for first in range(1, max(2, n_columns), max(1, width - 1)):
        cells = ((row[:1] + row[first : first + width - 1])[::order] for row in rows)
        parts.append(table[1] + "".join("<tr>" + "".join(row) + "</tr>" for row in cells) + "</table>")
    return "<p></p>".join(parts)


def _page(
    chat: Chat,
    branch: Sequence[ChatMessage],
    name: Callable[[Role], str],
    style: str,
    draw: Callable[[InlineImage], str],
) -> str:
    said = "\n".join(
        f'<section class="{message.role}"><h2>{escape(name(message.role))}</h2>{_body(message, draw)}</section>'
        for message in branch
    )
    day = datetime.fromtimestamp(chat.created_s).date().isoformat()
    page = well_formed(
        '<!doctype html>\n<html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(chat.title)}</title><style>{style}</style></head>\n"
        f'<body><main><h1 dir="auto">{escape(chat.title)}</h1><p>{day}</p>\n{said}\n</main></body></html>\n'
    )
    return page.replace("\x00", "\ufffd")  # not allowed in HTML


def _body(message: ChatMessage, draw: Callable[[InlineImage], str]) -> str:
    files = "".join(f"<p><i>{escape(each.name)}</i></p>" for each in message.attachments)
    read = blocks(message.text) if message.role == "assistant" else user_message_blocks(message.text)
    parts: list[str] = []
    for block in read:
        html = _block(block, draw)
        if block.joiner is not None and parts and parts[-1].endswith("</p>") and html.startswith("<p"):
            between = block.joiner if "pre-wrap" in html[: html.find(">")] else block.joiner.replace("\n", "<br>")
            parts[-1], html = parts[-1].removesuffix("</p>"), between + html[html.find(">") + 1 :]
        parts.append(html)
    return files + "".join(parts)


def _block(block: Block, draw: Callable[[InlineImage], str]) -> str:
    if block.kind == "code":
        return code_html(block.code, block.language)
    if not block.html:
        return "<hr>"
    return (
        _INSET.sub(lambda found: draw(block.inline_images[int(found[1])]), block.html)
        if block.inline_images
        else block.html
    )


def _self_contained(inset: InlineImage) -> str:
    if inset.kind == "picture":
        inside = _DATA.fullmatch(inset.source)
        return f'<img src="{inset.source}" alt="{escape(inset.alt_text)}">' if inside else _alt_text(inset)
    is_drawn = formula(inset.source, display=inset.display) is not None
    return (is_drawn and mathml(inset.source, display=inset.display)) or _alt_text(inset)


def _alt_text(inset: InlineImage) -> str:
    return f"<i>{escape(inset.alt_text)}</i>" if inset.kind == "picture" else escape(inset.alt_text)
