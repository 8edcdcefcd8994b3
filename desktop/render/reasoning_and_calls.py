"""What stands beside an answer's words, as blocks: what the model thought, and the tools that it asked for. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from desktop.render.blocks import Block
from desktop.render.excerpt import excerpt
from desktop.render.long_text import PIECE, split_point
from desktop.store.records import Call


def reasoning_blocks(reasoning: str) -> list[Block]:
    """As plain words: thoughts are seldom meant as Markdown."""
    parts = [part.strip() for part in excerpt(reasoning).split("\n\n")]
    found: list[Block] = []
    waiting: list[str] = []
    for part in filter(None, parts):
        rest = part
        while rest:
            end, between = split_point(rest, PIECE) if len(rest) > PIECE else (len(rest), "")
            waiting.append(f"<p>{escape(rest[:end]).replace(chr(10), '<br>')}</p>")
            rest = rest[end + len(between) :]
            if sum(map(len, waiting)) > PIECE:
                found.append(_thought(waiting, is_first=not found))
                waiting = []
    return [*found, _thought(waiting, is_first=not found)] if waiting or not found else found


def _thought(paragraphs: Sequence[str], *, is_first: bool) -> Block:
    return Block("quote", f"<blockquote>{''.join(paragraphs)}</blockquote>", joiner=None if is_first else "\n\n")


def tool_call_block(call: Call) -> Block:
    """A card like one of code: the tool's name above its arguments."""
    try:
        arguments = excerpt(json.dumps(json.loads(call.arguments), indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):  # what the model wrote is no JSON, or not yet
        arguments = excerpt(call.arguments)
    return Block("code", code=arguments, language=call.name)
