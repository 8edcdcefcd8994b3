"""Prevents the texts of people, tools and files from being tokenised as control tokens.

A chat template writes control tokens as text, and the tokenizer reads them in the rendered prompt. So that the same
text in a message stays text, a mark is put into it before rendering; the tokenizer leaves the mark out again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace

from engine.prompt.special_pattern import special_pattern
from engine.requests import Message, Tool, ToolCall

MARK = "\ufdd0"
"""A noncharacter of Unicode. It is removed from text that contains it."""

Protect = Callable[[str], str]


class ControlTokenEscaper:
    """For one vocabulary. Any thread."""

    def __init__(self, controls: Iterable[str], markers: Iterable[str]) -> None:
        """`controls` are the texts of control tokens. The model writes `markers` by itself, so they stay what they are
        where an assistant's turn holds them."""
        texts = {text for text in controls if len(text) > 1}
        self._controls = special_pattern(texts)
        self._controls_of_assistant = special_pattern(texts - set(markers))

    def text(self, text: str, role: str = "user") -> str:
        """`text` with a mark within each text of a control token."""
        pattern = self._controls_of_assistant if role == "assistant" else self._controls
        while pattern is not None and pattern.search(text):  # again, since what overlaps is found one after the other
            text = pattern.sub(lambda found: found[0][0] + MARK + found[0][1:], text)
        return text

    def message(self, message: Message) -> Message:
        return replace(
            message,
            role=self.text(message.role),
            content=self.text(message.content, message.role),
            tool_calls=tuple(map(self._call, message.tool_calls)),
            tool_call_id=None if message.tool_call_id is None else self.text(message.tool_call_id),
            reasoning=None if message.reasoning is None else self.text(message.reasoning, message.role),
        )

    def tool(self, tool: Tool) -> Tool:
        return replace(tool, description=self.text(tool.description), parameters=self._json(tool.parameters))

    def _call(self, call: ToolCall) -> ToolCall:
        return ToolCall(self.text(call.id), self.text(call.name), self._json(call.arguments))

    def _json(self, text: str) -> str:
        """JSON with marks within its strings, also in those with escapes, which a template decodes."""
        if "\\" in text:
            try:
                value = json.loads(text)
                marked = _in_strings(value, self.text)
            except (ValueError, RecursionError):
                return self.text(text)
            return text if marked == value else json.dumps(marked, ensure_ascii=False)
        return self.text(text)


def without_escape_marks(text: str) -> str:
    return text.replace(MARK, "")


def _in_strings(value: object, protect: Protect) -> object:
    match value:
        case str():
            return protect(value)
        case list():
            return [_in_strings(each, protect) for each in value]
        case dict():
            return {protect(key): _in_strings(each, protect) for key, each in value.items()}
    return value
