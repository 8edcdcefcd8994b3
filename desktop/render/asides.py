"""What stands beside an answer's words, as blocks: what the model thought, and the tools that it asked for. Pure."""

from __future__ import annotations

import json
from html import escape

from desktop.render.blocks import Block
from desktop.store.records import Call


def thoughts_block(reasoning: str) -> Block:
    """As plain words: thoughts are seldom meant as Markdown."""
    parts = [part.strip() for part in reasoning.split("\n\n")]
    html = "".join(f"<p>{escape(part).replace(chr(10), '<br>')}</p>" for part in parts if part)
    return Block("quote", f"<blockquote>{html}</blockquote>")


def call_block(call: Call) -> Block:
    """A card like one of code: the tool's name above its arguments."""
    try:
        arguments = json.dumps(json.loads(call.arguments), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):  # what the model wrote is no JSON, or not yet
        arguments = call.arguments
    return Block("code", code=arguments, language=call.name)
