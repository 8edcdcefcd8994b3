"""Markdown tokens → the HTML that QTextDocument understands. Nothing from outside gets in unescaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import urlsplit

from markdown_it.token import Token

LINK_SCHEMES = frozenset({"http", "https", "mailto"})

THIN = "\u2009"
"""Thin spaces around a code span give its background room; whoever copies text takes them out."""

_ROOM = f'<span class="room">{THIN}</span>'

_BOXES = {"[ ] ": "☐", "[x] ": "☑"}

_TAGS = {
    "paragraph": "p",
    "bullet_list": "ul",
    "list_item": "li",
    "blockquote": "blockquote",
    "thead": "thead",
    "tbody": "tbody",
    "tr": "tr",
    "strong": "b",
    "em": "i",
    "s": "s",
}


def is_safe_link(address: str) -> bool:
    """Whether a link may be opened: the web and mail, nothing else."""
    try:
        return urlsplit(address.strip()).scheme.lower() in LINK_SCHEMES
    except ValueError:
        return False


def to_html(tokens: Sequence[Token]) -> str:
    """HTML of block tokens and of the inline tokens in them. A token that we do not know shows its text."""
    parts: list[str] = []
    begins_item = False
    for token in tokens:
        if token.type == "inline" and begins_item:
            parts.append(_task(_inline(token.children or ())))
        else:
            parts.append(_one(token))
        begins_item = token.type == "list_item_open" or (begins_item and token.type == "paragraph_open")
    return "".join(parts)


def _task(html: str) -> str:
    """The first words of a list's item; a task has its box drawn."""
    box = _BOXES.get(html[:4].lower())
    return html if box is None else f"{box} {html[4:]}"


def _one(token: Token) -> str:
    if token.hidden:  # paragraphs of a tight list
        return ""
    if token.type == "inline":
        return _inline(token.children or ())
    if token.type in ("fence", "code_block"):  # inside a list or a quote; on the page itself it is a block
        return f"<pre>{escape(token.content.rstrip())}</pre>"
    if token.type == "hr":
        return "<p>⁂</p>"
    name, _, end = token.type.rpartition("_")
    if end == "close":
        return f"</{_tag(token, name)}>"
    return _open(token, name) if end == "open" else escape(token.content)


def _open(token: Token, name: str) -> str:
    if name == "heading":  # <h1> would be enlarged by Qt, whatever size the style sheet gives it
        return f'<p class="{escape(token.tag)}">'
    if name == "ordered_list":
        return f'<ol start="{int(token.attrGet("start") or 1)}">'
    if name in ("th", "td"):
        style = str(token.attrGet("style") or "")
        side = next((side for side in ("right", "center") if side in style), "left")
        return f'<{name} align="{side}">'
    if name == "table":
        return '<table cellspacing="0" cellpadding="6">'
    return f"<{_tag(token, name)}>"


def _tag(token: Token, name: str) -> str:
    if name == "heading":
        return "p"
    if name == "ordered_list":
        return "ol"
    return _TAGS.get(name, name if name in ("table", "th", "td") else "span")


def _inline(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    links: list[bool] = []
    for token in tokens:
        match token.type:
            case "code_inline":
                parts.append(f"{_ROOM}<code>{escape(token.content)}</code>{_ROOM}")
            case "softbreak":
                parts.append(" ")
            case "hardbreak":
                parts.append("<br>")
            case "link_open":
                address = str(token.attrGet("href") or "")
                links.append(is_safe_link(address))
                parts.append(f'<a href="{escape(address)}">' if links[-1] else "")
            case "link_close":
                parts.append("</a>" if links and links.pop() else "")
            case "image":  # nothing is fetched: an image is its description
                parts.append(f"<i>{escape(token.content)}</i>")
            case _:
                parts.append(_one(token))
    return "".join(parts)
