"""Prevents texts of users, tools and files from being tokenized as control tokens.

A chat template writes control tokens as text, which the tokenizer recognises in the rendered prompt. If a message
contains the text of a control token, a mark is inserted into it before rendering. The tokenizer then sees plain text,
and drops the mark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from engine.requests import Message, Tool, ToolCall

ESCAPE_MARK = "\ufdd0"
"""The mark, a Unicode noncharacter. The tokenizer drops it from all texts."""

EscapeText = Callable[[str], str]


class ControlTokenEscaper:
    """Escapes the control tokens of one vocabulary in the texts of messages and tools. May be used on any thread."""

    def __init__(self, controls: Iterable[str], markers: Iterable[str]) -> None:
        """`controls`: the texts of all control tokens. `markers`: the texts of control tokens that the model itself
        writes. These are not escaped in assistant messages."""
        texts = {text for text in controls if len(text) > 1}
        self._pattern = special_pattern(texts)
        self._assistant_pattern = special_pattern(texts - set(markers))

    def text(self, text: str, role: str = "user") -> str:
        """The text with an escape mark inside each control token."""
        pattern = self._assistant_pattern if role == "assistant" else self._pattern
        while pattern is not None and pattern.search(text):  # repeated for control tokens that overlap
            text = pattern.sub(lambda found: found[0][0] + ESCAPE_MARK + found[0][1:], text)
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
        """Inserts escape marks into the strings of a JSON text.

        This includes strings with JSON escapes, because templates decode them."""
        if "\\" in text:
            try:
                value = json.loads(text)
                marked = _map_strings(value, self.text)
            except (ValueError, RecursionError):
                return self.text(text)
            return text if marked == value else json.dumps(marked, ensure_ascii=False)
        return self.text(text)


def without_escape_marks(text: str) -> str:
    return text.replace(ESCAPE_MARK, "")


def _map_strings(value: object, escape: EscapeText) -> object:
    match value:
        case str():
            return escape(value)
        case list():
            return [_map_strings(each, escape) for each in value]
        case dict():
            return {escape(key): _map_strings(each, escape) for key, each in value.items()}
    return value


MAX_DEPTH = 64
"""Limit for nested groups in the pattern. Below this depth, texts are listed one by one instead of grouped by
prefix."""


def special_pattern(texts: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern that matches the longest of `texts`; None if there are none.

    Shared prefixes are grouped, so that searching for thousands of texts takes no longer than for a few."""
    sorted_texts = sorted({text for text in texts if text})
    return re.compile(_branch(sorted_texts, 0, MAX_DEPTH)) if sorted_texts else None


def _branch(sorted_texts: list[str], at: int, depth: int) -> str:
    """A pattern for the rest of the sorted texts from position `at` on. The texts are equal up to `at`."""
    first, last = sorted_texts[0], sorted_texts[-1]
    if len(sorted_texts) == 1:
        return re.escape(first[at:])
    if depth == 0:
        return "(?:" + "|".join(re.escape(word[at:]) for word in sorted(sorted_texts, key=len, reverse=True)) + ")"
    end = at
    while end < min(len(first), len(last)) and first[end] == last[end]:
        end += 1
    common, rest = re.escape(first[at:end]), sorted_texts[1:] if len(first) == end else sorted_texts
    groups: dict[str, list[str]] = {}
    for word in rest:
        groups.setdefault(word[end], []).append(word)
    branches = "|".join(_branch(group, end, depth - 1) for group in groups.values())
    return f"{common}(?:{branches}){'?' if rest is not sorted_texts else ''}"
