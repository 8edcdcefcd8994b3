"""Tools → a Lark grammar for llguidance, in which a call can only be well formed.

Syntax: https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from engine.errors import RequestError
from engine.output.lark import PYTHON, Lark, closed, embedded, relaxed
from engine.output.samples import SLOT, Calls, Format
from engine.output.values import Schema, is_text, load_schema, properties, types
from engine.requests import NamedTool, Tool, ToolChoice


def call_grammar(
    format: Format,
    tools: Sequence[Tool],
    choice: ToolChoice,
    parallel: bool,
    *,
    specials: Mapping[str, int] | None = None,
    in_thought: bool = False,
) -> str | None:
    """What the answer has to match; None where nothing binds it.

    "required" and a named tool: perhaps a thought, then a call with arguments after the tool's schema. "auto": any
    text, but what begins as a call has to become one. `parallel` allows several calls. `specials` are those of the
    format's markers that are special tokens of the model, with their ids. `in_thought` as for the ChannelParser.
    Raises RequestError where the named tool is not among `tools`. A schema that llguidance cannot follow shows when
    the grammar is compiled."""
    if isinstance(choice, NamedTool):
        tools = [tool for tool in tools if tool.name == choice.name]
        if not tools:
            raise RequestError(f"there is no tool named {choice.name}")
    if choice == "none" or not tools or not format.calls:
        return None
    grammar = _Grammar(format.calls[0], specials or {})
    if format.headers:
        grammar.messages(tools, lazy=choice == "auto")
    else:
        grammar.answer(format, tools, lazy=choice == "auto", parallel=parallel, in_thought=in_thought)
    return grammar.source()


class _Grammar:
    """Collects rules. Most methods give the Lark expression for something."""

    def __init__(self, calls: Calls, specials: Mapping[str, int]) -> None:
        self._calls = calls
        self._lark = Lark(specials)

    def source(self) -> str:
        return self._lark.source()

    # An answer

    def answer(self, format: Format, tools: Sequence[Tool], *, lazy: bool, parallel: bool, in_thought: bool) -> None:
        lark, thinking = self._lark, format.thinking
        start = self._lazy_block(tools, parallel) if lazy else self._block(tools, parallel, "")
        if thinking and in_thought:
            start = f"{lark.until(thinking.close)} SPACE? ({start})"
        elif thinking and not lazy:
            start = f"({lark.text(thinking.open)} {lark.until(thinking.close)} SPACE?)? {start}"
        lark.define("SPACE", r"/[ \t\r\n]+/")
        lark.define("start", start)

    def messages(self, tools: Sequence[Tool], *, lazy: bool) -> None:
        """An answer under headers: thoughts, then one call; or, where it may be lazy, an answer."""
        lark = self._lark
        end = f"{lark.until('<|end|>')} {lark.text('<|start|>assistant')}"
        thought = f"{lark.text('<|channel|>analysis<|message|>')} {end}"
        preamble = f"{lark.text('<|channel|>commentary<|message|>')} {end}"
        block = self._block(tools, parallel=False, cut="")
        if lazy:
            final = f"{lark.text('<|channel|>final<|message|>')} TEXT"
            lark.define("start", f"({thought} | {preamble})* (({block}) | {final})")
        else:
            lark.define("start", f"({thought})* {block}")

    def _lazy_block(self, tools: Sequence[Tool], parallel: bool) -> str:
        """Text, and perhaps calls after it. The first marker of calls cannot stand in the text."""
        lark = self._lark
        if self._calls.is_bare:
            lark.define("PLAIN", r"/([^{ \t\r\n](?s:.*))?/")
            return f"PLAIN | {self._block(tools, parallel, '')}"
        opener = self._calls.openers[0]
        block = self._block(tools, parallel, opener)
        if lark.is_special(opener):
            return f"TEXT ({lark.text(opener)} {block})?"
        return f"TEXT | {lark.until(opener)} {block}"

    def _block(self, tools: Sequence[Tool], parallel: bool, cut: str) -> str:
        """All calls. `cut` is the marker at their beginning, where that was said already."""
        calls, lark, between = self._calls, self._lark, self._calls.between
        before, after = calls.section
        listed = next((slot for slot in ("{list}", "{python}") if slot in calls.call), "")
        first = "call"
        if listed:
            before, _, after = calls.call.partition(listed)
            if listed == "{list}":
                before, after = before + "[", "]" + after
            sample, between = (calls.envelope if listed == "{list}" else "{name}{python}"), ", "
        else:
            sample = calls.call
            if cut and not before:
                first = "first"
        for tool in tools:
            lark.define("call", self._filled(sample, tool))
            if first == "first":
                lark.define(first, self._filled(sample.removeprefix(cut), tool))
        more = f"({lark.text(between)} call)*" if parallel else ""
        return f"{lark.text(before.removeprefix(cut))} {first} {more} {lark.text(after)}"

    # One call

    def _filled(self, sample: str, tool: Tool) -> str:
        lark, schema = self._lark, closed(load_schema(tool.parameters))
        parts: list[str] = []
        for n, part in enumerate(SLOT.split(sample)):
            match part if n % 2 else None:
                case None:
                    parts.append(lark.text(part))
                case "name":
                    parts.append(lark.text(tool.name))
                case "word":
                    parts.append(lark.text("function"))
                case "id" if "{name}" in sample:
                    parts.append("/[a-zA-Z0-9]{9}/")
                case "id":
                    parts.append(lark.text(f"functions.{tool.name}:") + " /[0-9]{1,3}/")
                case "json":
                    parts.append(lark.json(schema))
                case "envelopes":
                    parts.append(self._filled(self._calls.envelope, tool))
                case "parameters":
                    parts.append(self._parameters(schema))
                case "relaxed":
                    parts.append(lark.members(schema, relaxed(self._calls.quote), "{", "}"))
                case _:
                    parts.append(lark.members(schema, PYTHON, "(", ")", equals="="))
        return " ".join(parts)

    def _parameters(self, schema: Schema) -> str:
        required = schema.get("required")
        wanted = required if isinstance(required, list) else []
        return " ".join(
            f"({self._parameter(key, embedded(value, schema))}){'' if key in wanted else '?'}"
            for key, value in properties(schema).items()
        )

    def _parameter(self, key: str, schema: Schema) -> str:
        """One argument. A value that may be a string is free text; others are JSON of their schema."""
        lark = self._lark
        head, _, tail = self._calls.parameter.replace("{cdata}", "{value}").partition("{value}")
        allowed = types(schema)
        is_string = not allowed or "string" in allowed
        before = lark.text(head.replace("{key}", key).replace("{string}", json.dumps(is_string)))
        choices = schema.get("enum")
        if is_text(schema) and isinstance(choices, list):
            options = " | ".join(lark.text(str(choice)) for choice in choices)
            return f"{before} ({options}) {lark.text(tail)}"
        return f"{before} {lark.until(tail) if is_string else lark.json(schema) + ' ' + lark.text(tail)}"
