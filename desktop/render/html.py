"""Markdown tokens → the HTML that QTextDocument understands. Nothing from outside gets in unescaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from urllib.parse import unquote, urlsplit

from markdown_it.token import Token

from desktop.render.blocks import Inset

LINK_SCHEMES = frozenset({"http", "https", "mailto"})

INDENT = 24
"""Pixels by which each list stands further in."""

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
_ABSOLUTE = re.compile(r"/(?![/\\])|/?[A-Za-z]:[/\\](?![/\\])")
_INLINE_FORMULAS = {"math_inline": False, "math_inline_double": True}
_SILENT = ("footnote_block_open", "footnote_block_close", "footnote_open", "footnote_close", "footnote_anchor")


def is_safe_link(address: str) -> bool:
    """Whether a link may be opened: the web and mail, nothing else."""
    try:
        return urlsplit(address.strip()).scheme.lower() in LINK_SCHEMES
    except ValueError:
        return False


def is_local_picture(address: str) -> bool:
    """Whether an image lies in the text itself or on this machine. `//host/x` and the like would ask another one."""
    if address[:11].lower() == "data:image/":
        return True
    path = address[7:] if address[:8].lower() == "file:///" else address
    return bool(_ABSOLUTE.match(unquote(path)))


def to_html(tokens: Sequence[Token]) -> tuple[str, tuple[Inset, ...]]:
    """HTML of block tokens and of the inline tokens in them, and the insets that stand in it. A token that we do not
    know shows its text."""
    writer = _Writer()
    return writer.write(tokens), tuple(writer.insets)


class _Writer:
    def __init__(self) -> None:
        self.insets: list[Inset] = []
        self._note = ""
        """The number of the footnote that begins."""

    def write(self, tokens: Sequence[Token]) -> str:
        parts: list[str] = []
        begins_item = False
        for token in tokens:
            if token.type == "inline" and begins_item:
                parts.append(_task(self._inline(token.children or ())))
            else:
                parts.append(self._one(token))
            begins_item = token.type == "list_item_open" or (begins_item and token.type == "paragraph_open")
        return "".join(parts)

    def _one(self, token: Token) -> str:
        if token.type == "footnote_open":
            self._note = f"<sup>{int(token.meta['id']) + 1}</sup> "
        if token.hidden or token.type in _SILENT:  # paragraphs of a tight list
            return ""
        if token.type == "inline":
            note, self._note = self._note, ""
            return note + self._inline(token.children or ())
        if token.type in ("fence", "code_block"):  # inside a list or a quote; on the page itself it is a block
            return f"<pre>{escape(token.content.rstrip())}</pre>"
        if token.type == "math_block":
            return f'<p align="center">{self._formula(token, display=True)}</p>'
        if token.type == "hr":
            return "<p>⁂</p>"
        name, _, end = token.type.rpartition("_")
        if end == "close":
            return f"</{_tag(token, name)}>"
        return _open(token, name) if end == "open" else escape(token.content)

    def _inline(self, tokens: Sequence[Token]) -> str:
        parts: list[str] = []
        links: list[bool] = []
        for token in tokens:
            match token.type:
                case "code_inline":
                    parts.append(f"{_ROOM}<code>{escape(token.content)}</code>{_ROOM}")
                case "softbreak" | "hardbreak":  # a poem is one line a verse: single line breaks are meant
                    parts.append("<br>")
                case "link_open":
                    address = str(token.attrGet("href") or "")
                    links.append(is_safe_link(address))
                    parts.append(f'<a href="{escape(address)}">' if links[-1] else "")
                case "link_close":
                    parts.append("</a>" if links and links.pop() else "")
                case "image":
                    parts.append(self._picture(str(token.attrGet("src") or ""), token.content))
                case "footnote_ref":
                    parts.append(f"<sup>{int(token.meta['id']) + 1}</sup>")
                case name if name in _INLINE_FORMULAS:
                    parts.append(self._formula(token, display=_INLINE_FORMULAS[name]))
                case _:
                    parts.append(self._one(token))
        return "".join(parts)

    def _formula(self, token: Token, *, display: bool) -> str:
        before, after = {"$": ("$", "$"), "\\(": ("\\(", "\\)"), "\\[": ("\\[", "\\]")}.get(token.markup, ("$$", "$$"))
        source = token.content.strip()
        return self._inset(Inset("formula", source, f"{before}{source}{after}", display))

    def _picture(self, address: str, words: str) -> str:
        """Nothing is fetched: an image elsewhere is its description."""
        if not is_local_picture(address):
            return f"<i>{escape(words)}</i>"
        return self._inset(Inset("picture", address, words))

    def _inset(self, inset: Inset) -> str:
        self.insets.append(inset)
        return f'<img src="inset:{len(self.insets) - 1}">'


def _task(html: str) -> str:
    """The first words of a list's item; a task has its box drawn."""
    box = _BOXES.get(html[:4].lower())
    return html if box is None else f"{box} {html[4:]}"


def _open(token: Token, name: str) -> str:
    if name == "heading":  # <h1> would be enlarged by Qt, whatever size the style sheet gives it
        return f'<p class="{escape(token.tag)}">'
    depth = int(token.meta.get("depth", 0))
    if name in ("ordered_list", "bullet_list"):
        indent = f' style="-qt-list-indent: {depth}"' if depth else ""
        start = f' start="{int(token.attrGet("start") or 1)}"' if name == "ordered_list" else ""
        return f"<{_tag(token, name)}{start}{indent}>"
    if name == "paragraph" and depth:
        return f'<p style="margin-left: {INDENT * depth}px">'
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
