"""Markdown tokens → the HTML that QTextDocument understands. Nothing from outside gets in unescaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from urllib.parse import unquote, urlsplit

from markdown_it.token import Token

from desktop.render.blocks import InlineImage
from desktop.render.text_direction import Direction, base_direction, first_strong_direction

LINK_SCHEMES = frozenset({"http", "https", "mailto"})

INDENT = 24
"""Pixels by which each list stands further in."""

THIN = "\u2009"
"""Thin spaces around a code span give its background room; whoever copies text takes them out."""

ISOLATE, END_ISOLATE = "\u2066", "\u2069"
"""Around the thin spaces of code in text from right to left, so that its signs keep their order; taken out likewise."""

_ROOM = f'<span class="room">{THIN}</span>'
_ROOM_BEFORE = f'<span class="room">{ISOLATE}{THIN}</span>'
_ROOM_AFTER = f'<span class="room">{THIN}{END_ISOLATE}</span>'

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
_PARTS_OF_TABLE = ("thead_open", "tbody_open", "tr_open", "th_open", "td_open")
NEAR = 24
"""Tokens behind the beginning of a block in which its first words are looked for."""

_INLINE_FORMULAS = {"math_inline": False, "math_inline_double": True}
_SILENT = ("footnote_block_open", "footnote_block_close", "footnote_open", "footnote_close", "footnote_anchor")


def is_safe_link(address: str) -> bool:
    """Whether a link may be opened: the web and mail, nothing else."""
    try:
        return urlsplit(address.strip()).scheme.lower() in LINK_SCHEMES
    except ValueError:
        return False


def is_local_image(address: str) -> bool:
    """Whether an image lies in the text itself or on this machine. `//host/x` and the like would ask another one."""
    if address[:11].lower() == "data:image/":
        return True
    path = address[7:] if address[:8].lower() == "file:///" else address
    return bool(_ABSOLUTE.match(unquote(path)))


def to_html(tokens: Sequence[Token]) -> tuple[str, tuple[InlineImage, ...]]:
    """HTML of block tokens and of the inline tokens in them, and the inline_images that stand in it. A token that we
    do not
    know shows its text."""
    writer = _Writer()
    return writer.write(tokens), tuple(writer.inline_images)


class _Writer:
    def __init__(self) -> None:
        self.inline_images: list[InlineImage] = []
        self._note = ""
        """The number of the footnote that begins."""
        self._directions: list[Direction | None] = [None]
        """Of the blocks that are open, the innermost last."""

    def write(self, tokens: Sequence[Token]) -> str:
        parts: list[str] = []
        begins_item = False
        for at, token in enumerate(tokens):
            attribute = self._enter(tokens, at) if token.nesting == 1 else ""
            if token.nesting == -1:
                self._directions.pop()
            if token.type == "inline" and begins_item:
                parts.append(_task(self._one(token)))
            else:
                parts.append(self._one(token, attribute))
            begins_item = token.type == "list_item_open" or (begins_item and token.type == "paragraph_open")
        return "".join(parts)

    def _enter(self, tokens: Sequence[Token], at: int) -> str:
        """The attributes of a block that begins, from its first words; a table has one direction for all its cells."""
        token, inherited = tokens[at], self._directions[-1]
        first = [each.children or () for each in tokens[at + 1 : at + NEAR] if each.type == "inline"]
        if token.type in _PARTS_OF_TABLE:
            found = inherited
        elif token.type == "table_open":
            found = next(filter(None, map(base_direction, first)), None)
        else:
            found = base_direction(first[0]) if first else None
        self._directions.append(found or inherited)
        attribute = ""
        if token.type not in _PARTS_OF_TABLE and not token.hidden:
            is_odd = found == "ltr" and (inherited == "rtl" or first_strong_direction(first[0]) == "rtl")
            attribute = ' dir="rtl"' if found == "rtl" else ' dir="ltr"' if is_odd else ""
        if token.type == "list_item_open" and first and _is_task(first[0]):
            attribute += ' style="list-style-type: none"'
        return attribute

    def _one(self, token: Token, attribute: str = "") -> str:
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
        if end != "open":
            return escape(token.content)
        return _open(token, name, attribute, is_rtl=self._directions[-1] == "rtl")

    def _inline(self, tokens: Sequence[Token]) -> str:
        parts: list[str] = []
        links: list[bool] = []
        for token in tokens:
            match token.type:
                case "code_inline":
                    before, after = (_ROOM_BEFORE, _ROOM_AFTER) if self._directions[-1] == "rtl" else (_ROOM, _ROOM)
                    parts.append(f"{before}<code>{escape(token.content)}</code>{after}")
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
        return self._inset(InlineImage("formula", source, f"{before}{source}{after}", display))

    def _picture(self, address: str, words: str) -> str:
        """Nothing is fetched: an image elsewhere is its description."""
        if not is_local_image(address):
            return f"<i>{escape(words)}</i>"
        return self._inset(InlineImage("picture", address, words))

    def _inset(self, inset: InlineImage) -> str:
        self.inline_images.append(inset)
        return f'<img src="inset:{len(self.inline_images) - 1}">'


def _task(html: str) -> str:
    """The first words of a list's item; a task has its box drawn."""
    box = _BOXES.get(html[:4].lower())
    return html if box is None else f"{box} {html[4:]}"


def _is_task(inline: Sequence[Token]) -> bool:
    return bool(inline) and inline[0].type == "text" and inline[0].content[:4].lower() in _BOXES


def _open(token: Token, name: str, attribute: str, *, is_rtl: bool) -> str:
    if name == "heading":  # <h1> would be enlarged by Qt, whatever size the style sheet gives it
        return f'<p class="{escape(token.tag)}"{attribute}>'
    depth = int(token.meta.get("depth", 0))
    if name in ("ordered_list", "bullet_list"):
        indent = f' style="-qt-list-indent: {depth}"' if depth else ""
        start = f' start="{int(token.attrGet("start") or 1)}"' if name == "ordered_list" else ""
        return f"<{_tag(token, name)}{start}{indent}{attribute}>"
    if name == "paragraph" and depth:
        side = "right" if is_rtl else "left"
        return f'<p style="margin-{side}: {INDENT * depth}px"{attribute}>'
    if name in ("th", "td"):
        style = str(token.attrGet("style") or "")
        side = next((side for side in ("right", "center") if side in style), "right" if is_rtl else "left")
        return f'<{name} align="{side}">'
    if name == "table":
        return f'<table cellspacing="0" cellpadding="6"{attribute}>'
    return f"<{_tag(token, name)}{attribute}>"


def _tag(token: Token, name: str) -> str:
    if name == "heading":
        return "p"
    if name == "ordered_list":
        return "ol"
    return _TAGS.get(name, name if name in ("table", "th", "td") else "span")
