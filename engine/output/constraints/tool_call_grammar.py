"""Tools → a Lark grammar for llguidance, in which a call can only be well formed.

Syntax: https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.output.constraints.lark_builder import PYTHON, Lark, bare_notation, closed, embedded, opened
from engine.output.constraints.schema_normalization import MAX_INTEGERS, n_unbounded_integers
from engine.output.constraints.schema_relaxation import relaxed
from engine.output.json_schema import Schema, is_text, load_schema, properties, types
from engine.output.tool_call_syntax import SLOT, Calls, OutputFormat
from engine.requests import Constraint, NamedTool, Tool, ToolChoice

RELAXING_S = 1.0
"""Time for the schemas of all tools; those that come later are taken for open."""

MAX_SPACE = 16
"""Of white space between a thought and the calls: without a limit a small model writes it to the end."""


ANSWER = "answer"
"""The name by which a grammar refers to that of the answer's text."""


@dataclass(frozen=True, slots=True)
class ToolCallGrammar:
    """Our own Lark grammar, with the request's schemas in it. `answer`: what may stand in the place of calls."""

    source: str
    answer: Constraint | None = None
    left_out: tuple[str, ...] = ()
    """What of the tools' schemas is not enforced, each with the tool's name."""


def build_tool_call_grammar(
    format: OutputFormat,
    tools: Sequence[Tool],
    choice: ToolChoice,
    parallel: bool,
    *,
    specials: Mapping[str, int] | None = None,
    in_thought: bool = False,
    answer: Constraint | None = None,
    open_tools: frozenset[str] = frozenset(),
) -> ToolCallGrammar:
    """What the answer has to match. `parallel` allows several calls.

    "required" and a named tool: perhaps a thought, then a call with arguments after the tool's schema. "auto": what
    follows the marker `trigger(format)`, once the model has written that by itself; with `answer`, calls or a text
    that matches it. `specials` are those of the format's markers that are special tokens of the model, with their ids.
    `in_thought` as for the OutputParser. What llguidance cannot enforce of a tool's schema is left out; of the
    `open_tools`, all but the arguments' names. What it cannot follow still shows when the grammar is compiled."""
    if isinstance(choice, NamedTool):
        tools = [tool for tool in tools if tool.name == choice.name]
    schemas, left_out = _schemas(tools, open_tools)
    grammar = _Grammar(format.calls[0], specials or {}, schemas)
    if answer is not None:
        grammar.or_answer(tools, parallel)
    elif choice == "auto":
        grammar.begun(tools, trigger(format), parallel)
    elif format.headers:
        grammar.messages(tools)
    else:
        grammar.answer(format, tools, parallel, in_thought)
    return ToolCallGrammar(grammar.source(), answer, left_out)


def trigger(format: OutputFormat) -> str:
    """The marker after which only a call can come; "" where there is none."""
    return format.calls[0].openers[0] if format.calls and not format.headers and not format.calls[0].is_bare else ""


def _schemas(tools: Sequence[Tool], open_tools: frozenset[str]) -> tuple[dict[str, Schema], tuple[str, ...]]:
    """Each tool's schema as it is enforced, by its name, and what was left out."""
    schemas: dict[str, Schema] = {}
    left_out: list[str] = []
    deadline = time.monotonic() + RELAXING_S
    for tool in tools:
        schema = closed(load_schema(tool.parameters))
        if tool.name in open_tools or time.monotonic() > deadline:
            schemas[tool.name] = opened(schema)
            left_out.append(f"{tool.name}: the types of its arguments")
            continue
        found = relaxed(schema)
        schemas[tool.name] = found.schema
        left_out += [f"{tool.name}: {each}" for each in found.left_out]
    return schemas, tuple(left_out)


class _Grammar:
    """Collects rules. Most methods give the Lark expression for something."""

    def __init__(self, calls: Calls, specials: Mapping[str, int], schemas: Mapping[str, Schema]) -> None:
        self._calls = calls
        self._schemas = schemas
        n_integers = sum(map(n_unbounded_integers, schemas.values()))
        self._lark = Lark(specials, short_integers=n_integers <= MAX_INTEGERS)

    def source(self) -> str:
        return self._lark.source()

    # An answer

    def answer(self, format: OutputFormat, tools: Sequence[Tool], parallel: bool, in_thought: bool) -> None:
        """Perhaps a thought, then calls."""
        lark, thinking = self._lark, format.thinking
        start = self._block(tools, parallel, "")
        if thinking and in_thought:
            start = f"{lark.until(thinking.close)} SPACE? {start}"
        elif thinking:
            start = f"({lark.text(thinking.open)} {lark.until(thinking.close)} SPACE?)? {start}"
        lark.define("SPACE", rf"/[ \t\r\n]{{1,{MAX_SPACE}}}/")
        lark.define("start", start)

    def begun(self, tools: Sequence[Tool], opener: str, parallel: bool) -> None:
        """The rest of calls that have begun with `opener`."""
        self._lark.define("start", self._block(tools, parallel, opener))

    def or_answer(self, tools: Sequence[Tool], parallel: bool) -> None:
        """Calls, or a text that matches another grammar."""
        self._lark.define("calls", self._block(tools, parallel, ""))
        self._lark.define("start", f"calls | @{ANSWER}")

    def messages(self, tools: Sequence[Tool]) -> None:
        """An answer under headers: thoughts, then one call."""
        lark = self._lark
        end = f"{lark.until('<|end|>')} {lark.text('<|start|>assistant')}"
        thought = f"{lark.text('<|channel|>analysis<|message|>')} {end}"
        lark.define("start", f"({thought})* {self._block(tools, parallel=False, cut='')}")

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
            if first == "call" or parallel:
                lark.define("call", self._filled(sample, tool))
            if first == "first":
                lark.define(first, self._filled(sample.removeprefix(cut), tool))
        more = f"({lark.text(between)} call)*" if parallel else ""
        return f"{lark.text(before.removeprefix(cut))} {first} {more} {lark.text(after)}"

    # One call

    def _filled(self, sample: str, tool: Tool) -> str:
        lark, schema = self._lark, self._schemas[tool.name]
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
                    parts.append(lark.members(schema, bare_notation(self._calls.quote), "{", "}"))
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
