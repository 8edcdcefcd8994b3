"""Converts the reasoning and the tool calls of an answer to blocks. All functions may be called on any thread."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from desktop.render.blocks import Block
from desktop.render.long_text import PIECE_LENGTH, excerpt, split_point
from desktop.store.records import Call


def reasoning_blocks(reasoning: str) -> list[Block]:
    """The reasoning as quotes of plain text, since models rarely write it as Markdown."""
    parts = [part.strip() for part in excerpt(reasoning).split("\n\n")]
    found: list[Block] = []
    pending: list[str] = []
    for part in filter(None, parts):
        rest = part
        while rest:
            end, separator = split_point(rest, PIECE_LENGTH) if len(rest) > PIECE_LENGTH else (len(rest), "")
            pending.append(f"<p>{escape(rest[:end]).replace(chr(10), '<br>')}</p>")
            rest = rest[end + len(separator) :]
            if sum(map(len, pending)) > PIECE_LENGTH:
                found.append(_quote(pending, is_first=not found))
                pending = []
    return [*found, _quote(pending, is_first=not found)] if pending or not found else found


def _quote(paragraphs: Sequence[str], *, is_first: bool) -> Block:
    return Block("quote", f"<blockquote>{''.join(paragraphs)}</blockquote>", joiner=None if is_first else "\n\n")


def tool_call_block(call: Call) -> Block:
    """A tool call as a code block. Its language is the tool's name, and its code is the arguments."""
    try:
        arguments = excerpt(json.dumps(json.loads(call.arguments), indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):  # the JSON is invalid or incomplete
        arguments = excerpt(call.arguments)
    return Block("code", code=arguments, language=call.name)
