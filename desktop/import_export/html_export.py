"""Renders a branch of a chat as a self-contained HTML page, or as HTML for the PDF writer."""

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

MAX_COLUMNS = 8
"""Number of table columns that fit on one page of a PDF."""

_TABLE = re.compile("(<table[^>]*>)(.*?)</table>", re.DOTALL)
_ROW = re.compile("<tr>(.*?)</tr>", re.DOTALL)
_CELL = re.compile("<t[dh] .*?</t[dh]>", re.DOTALL)
_IMAGE_TAG = re.compile(r'<img src="inline:(\d+)">')
_SPACER = re.compile('<span class="room">[^<]*</span>')
_DATA_URL = re.compile(r"data:image/(?:png|jpeg|gif|webp|bmp);base64,[A-Za-z0-9+/=]+", re.IGNORECASE)


def html(chat: Chat, branch: Sequence[ChatMessage], name: Callable[[Role], str], style: str) -> str:
    """Renders `branch` as one HTML page with the style sheet `style`. `name` returns the heading for a role.

    Formulas become MathML annotated with their LaTeX source. Images given as data URLs are embedded. Other images are
    replaced by their descriptions, so that the page loads nothing."""
    return _SPACER.sub("", _page(chat, branch, name, style, _self_contained))


def pdf_html(
    chat: Chat, branch: Sequence[ChatMessage], name: Callable[[Role], str], style: str
) -> tuple[str, tuple[InlineImage, ...]]:
    """Renders `branch` as HTML that QTextDocument supports, for `write_pdf`. Also returns the formulas of the page.

    In the HTML, `<img src="formula:N">` is the placeholder for the formula with index N."""
    formulas: list[InlineImage] = []

    def placeholder(image: InlineImage) -> str:
        if image.kind == "picture" or formula(image.source, display=image.display) is None:
            return _alt_text(image)
        formulas.append(image)
        return f'<img src="formula:{len(formulas) - 1}">'

    page = _page(chat, branch, name, style, placeholder).replace(THIN, "")
    return _TABLE.sub(_split_table, page), tuple(formulas)


def _split_table(table: re.Match[str]) -> str:
    """Splits a table with more than `MAX_COLUMNS` columns into several tables. Each of them repeats the first
    column."""
    rows = [_CELL.findall(row) for row in _ROW.findall(table[2])]
    n_columns = max(map(len, rows), default=0)
    width = MAX_COLUMNS if n_columns > MAX_COLUMNS else n_columns
    # QTextDocument draws the first cell at the left even in right-to-left tables.
    order = -1 if 'dir="rtl"' in table[1] else 1
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
    sections = "\n".join(
        f'<section class="{message.role}"><h2>{escape(name(message.role))}</h2>{_body(message, draw)}</section>'
        for message in branch
    )
    day = datetime.fromtimestamp(chat.created_s).date().isoformat()
    page = well_formed(
        '<!doctype html>\n<html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(chat.title)}</title><style>{style}</style></head>\n"
        f'<body><main><h1 dir="auto">{escape(chat.title)}</h1><p>{day}</p>\n{sections}\n</main></body></html>\n'
    )
    return page.replace("\x00", "\ufffd")  # U+0000 is not allowed in HTML


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
        _IMAGE_TAG.sub(lambda found: draw(block.inline_images[int(found[1])]), block.html)
        if block.inline_images
        else block.html
    )


def _self_contained(image: InlineImage) -> str:
    if image.kind == "picture":
        inside = _DATA_URL.fullmatch(image.source)
        return f'<img src="{image.source}" alt="{escape(image.alt_text)}">' if inside else _alt_text(image)
    is_drawn = formula(image.source, display=image.display) is not None
    return (is_drawn and mathml(image.source, display=image.display)) or _alt_text(image)


def _alt_text(image: InlineImage) -> str:
    return f"<i>{escape(image.alt_text)}</i>" if image.kind == "picture" else escape(image.alt_text)
