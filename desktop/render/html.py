"""Converts Markdown tokens to the subset of HTML that QTextDocument supports. All untrusted text is escaped. All
functions may be called on any thread."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from markdown_it.token import Token

from desktop.render.blocks import InlineImage
from desktop.render.safe_addresses import is_local_image, is_safe_link
from desktop.render.text_direction import Direction, base_direction, first_strong_direction

INDENT = 24
"""The indentation of each list level in pixels."""

THIN = "\u2009"
"""A thin space on both sides of a code span makes room for its background. It is removed from copied text."""

ISOLATE, END_ISOLATE = "\u2066", "\u2069"
"""These characters surround a code span in right-to-left text, so that the code keeps its character order. They are
removed from copied text."""

_PADDING = f'<span class="room">{THIN}</span>'
_RTL_PADDING_BEFORE = f'<span class="room">{ISOLATE}{THIN}</span>'
_RTL_PADDING_AFTER = f'<span class="room">{THIN}{END_ISOLATE}</span>'

_CHECKBOXES = {"[ ] ": "☐", "[x] ": "☑"}

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
_TABLE_PARTS = ("thead_open", "tbody_open", "tr_open", "th_open", "td_open")
MAX_LOOKAHEAD = 24
"""The first text of a block decides its direction. It is looked for in this many tokens after the start of the
block."""

_INLINE_FORMULAS = {"math_inline": False, "math_inline_double": True}
_HIDDEN = ("footnote_block_open", "footnote_block_close", "footnote_open", "footnote_close", "footnote_anchor")


def to_html(tokens: Sequence[Token]) -> tuple[str, tuple[InlineImage, ...]]:
    """Converts block tokens to HTML. Also returns the inline images to which the HTML refers. Unknown tokens are shown
    as text."""
    writer = _Writer()
    return writer.write(tokens), tuple(writer.inline_images)


class _Writer:
    def __init__(self) -> None:
        self.inline_images: list[InlineImage] = []
        self._note = ""
        """The HTML of the number of a footnote. It is written before the text of the footnote, and then cleared."""
        self._directions: list[Direction | None] = [None]
        """The text directions of the open blocks, the innermost block last."""

    def write(self, tokens: Sequence[Token]) -> str:
        parts: list[str] = []
        starts_item = False
        for at, token in enumerate(tokens):
            attribute = self._open_block(tokens, at) if token.nesting == 1 else ""
            if token.nesting == -1:
                self._directions.pop()
            if token.type == "inline" and starts_item:
                parts.append(_task(self._token(token)))
            else:
                parts.append(self._token(token, attribute))
            starts_item = token.type == "list_item_open" or (starts_item and token.type == "paragraph_open")
        return "".join(parts)

    def _open_block(self, tokens: Sequence[Token], at: int) -> str:
        """The attributes for the opening tag of a block. A block has the direction of its first text; all cells
        of a table have the same direction."""
        token, inherited = tokens[at], self._directions[-1]
        first = [each.children or () for each in tokens[at + 1 : at + MAX_LOOKAHEAD] if each.type == "inline"]
        if token.type in _TABLE_PARTS:
            found = inherited
        elif token.type == "table_open":
            found = next(filter(None, map(base_direction, first)), None)
        else:
            found = base_direction(first[0]) if first else None
        self._directions.append(found or inherited)
        attribute = ""
        if token.type not in _TABLE_PARTS and not token.hidden:
            is_odd = found == "ltr" and (inherited == "rtl" or first_strong_direction(first[0]) == "rtl")
            attribute = ' dir="rtl"' if found == "rtl" else ' dir="ltr"' if is_odd else ""
        if token.type == "list_item_open" and first and _is_task(first[0]):
            attribute += ' style="list-style-type: none"'
        return attribute

    def _token(self, token: Token, attribute: str = "") -> str:
        if token.type == "footnote_open":
            self._note = f"<sup>{int(token.meta['id']) + 1}</sup> "
        if token.hidden or token.type in _HIDDEN:  # hidden tokens: paragraphs of a tight list
            return ""
        if token.type == "inline":
            note, self._note = self._note, ""
            return note + self._inline(token.children or ())
        if token.type in ("fence", "code_block"):  # code inside a list or quote; elsewhere code is a block of its own
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
                    before, after = (
                        (_RTL_PADDING_BEFORE, _RTL_PADDING_AFTER)
                        if self._directions[-1] == "rtl"
                        else (_PADDING, _PADDING)
                    )
                    parts.append(f"{before}<code>{escape(token.content)}</code>{after}")
                case "softbreak" | "hardbreak":  # unlike in CommonMark, a single line break is kept, as in a poem
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
                    parts.append(self._token(token))
        return "".join(parts)

    def _formula(self, token: Token, *, display: bool) -> str:
        before, after = {"$": ("$", "$"), "\\(": ("\\(", "\\)"), "\\[": ("\\[", "\\]")}.get(token.markup, ("$$", "$$"))
        source = token.content.strip()
        return self._image(InlineImage("formula", source, f"{before}{source}{after}", display))

    def _picture(self, address: str, alt_text: str) -> str:
        """The HTML of a picture. A picture on another machine is never loaded: its description is shown instead."""
        if not is_local_image(address):
            return f"<i>{escape(alt_text)}</i>"
        return self._image(InlineImage("picture", address, alt_text))

    def _image(self, image: InlineImage) -> str:
        self.inline_images.append(image)
        return f'<img src="inline:{len(self.inline_images) - 1}">'


def _task(html: str) -> str:
    """The HTML of the first text of a list item. `[ ]` or `[x]` at its start becomes a checkbox."""
    checkbox = _CHECKBOXES.get(html[:4].lower())
    return html if checkbox is None else f"{checkbox} {html[4:]}"


def _is_task(inline: Sequence[Token]) -> bool:
    return bool(inline) and inline[0].type == "text" and inline[0].content[:4].lower() in _CHECKBOXES


def _open(token: Token, name: str, attribute: str, *, is_rtl: bool) -> str:
    if name == "heading":  # Qt would enlarge <h1> in addition to the style sheet
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
