"""Data types that describe how a family of models writes reasoning and tool calls.

A syntax is a template with slots. The parser, the grammar that constrains calls and the renderer of past calls all
use the same template:

    {name}        the tool's name                    {id}       the call's id, as the model writes it
    {json}        the arguments, a JSON object       {word}     a word without meaning
    {envelopes}   JSON objects that hold name and arguments; {list}: the same inside [ ]
    {parameters}  the arguments one by one, each as in the template `parameter`, with its slots
                  {key}, {value} (or {cdata}: optionally inside CDATA) and {string} (true if the value is a string)
    {relaxed}     an object with unquoted keys and a special quote around strings
    {python}      calls in Python syntax: name(key=value)

White space in a template is written unchanged. The parser accepts any white space there, or none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

_MARKER = re.compile(r"<[^<>\s{}\"=]+>|\[/?[A-Z_]{3,}\]|｜[A-Z]+｜")
SLOT = re.compile(r"\{(\w+)\}")
_LITERAL = re.compile(r"<[^<>\s{}\"=]+>|\[/?[A-Z_]{3,}\]|[<\[]?[^\s<\[]+|[<\[]")


class Step(NamedTuple):
    """One element of a template: a slot's name, or a literal text."""

    is_slot: bool
    text: str


@lru_cache(maxsize=256)
def steps(template: str) -> tuple[Step, ...]:
    """Splits a template into its slots and literals, in order and without the white space between literals."""
    found: list[Step] = []
    for n, part in enumerate(SLOT.split(template)):
        if n % 2:
            found.append(Step(True, part))
        else:
            found.extend(Step(False, literal) for literal in _LITERAL.findall(part))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class ToolCallSyntax:
    """One way of writing tool calls.

    A template is called bare if it has no opening marker: it starts with a slot or with "[". Text that matches a bare
    template is a call only at the start of an answer, and only if it names an offered tool."""

    call: str
    """The template of one call."""
    section: tuple[str, str] = ("", "")
    """Text before and after all calls of one answer."""
    parameter: str = ""
    """The template of one argument, for the slot {parameters}."""
    envelope: str = '{"name": "{name}", "arguments": {json}}'
    """The template of one JSON object, for the slots {envelopes} and {list}."""
    separator: str = "\n"
    """Text between two calls."""
    quote: str = '<|"|>'
    """The quote around strings in the slot {relaxed}. Nothing between the quotes is escaped."""

    @property
    def opening_markers(self) -> tuple[str, ...]:
        """Texts with which calls can start: the opening of the section, which models may omit, and the opening of a
        call.

        Empty for a bare syntax."""
        firsts = [steps(template)[0] for template in (self.section[0], self.call) if template]
        return tuple(step.text for step in firsts if not step.is_slot and step.text != "[")

    @property
    def is_bare(self) -> bool:
        return not self.opening_markers


@dataclass(frozen=True, slots=True)
class ReasoningMarkers:
    """The texts that enclose reasoning."""

    open: str
    close: str
    anywhere: bool = False
    """True if `open` is a special token, which starts reasoning anywhere in an answer.

    Plain text such as <think> starts reasoning only before any answer text."""
    answer_tags: tuple[str, str] = ("", "")
    """Tags that may enclose the answer after the reasoning."""


@dataclass(frozen=True, slots=True)
class MessageHeaders:
    """Describes answers that are a sequence of messages. Each message has a header that names its channel (gpt-oss)."""

    openers: tuple[str, ...]
    close: str
    ends: tuple[str, ...]
    reasoning_channel: str
    answer_channel: str
    answer_header: str
    """The header of the answer's message. It is appended to a prompt whose answer already has a start."""


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """How one family of models writes reasoning and tool calls."""

    name: str
    template_markers: tuple[str, ...] = ()
    """Texts that all chat templates of the family contain. The family is recognised by them."""
    call_syntaxes: tuple[ToolCallSyntax, ...] = ()
    """The syntaxes that the parser accepts. The first one is used to render past calls and to build grammars."""
    reasoning: ReasoningMarkers | None = None
    headers: MessageHeaders | None = None
    ignored_markers: tuple[str, ...] = ()
    """Markers that Inglenook does not use. They are removed from answers wherever they occur."""
    eog_texts: tuple[str, ...] = ()
    """Texts of tokens that end the answer, in addition to the end tokens in the model file. These texts are not fed to
    the parser."""
    template_shows_tools: bool = False
    """Whether the chat template shows the tools to the model; otherwise a system message has to."""
    template_shows_tool_calls: bool = False
    """Whether the chat template writes past calls and their results; otherwise they are rendered as plain text."""

    @property
    def markers(self) -> tuple[str, ...]:
        """Texts that may be single special tokens of the model, without `eog_texts`.

        Detokenizing drops the text of special tokens. The caller therefore has to map these tokens to their texts, and
        feed the texts to the parser."""
        texts = [text for calls in self.call_syntaxes for text in (*calls.section, calls.call, calls.parameter)]
        if self.reasoning:
            texts += [self.reasoning.open, self.reasoning.close, *self.reasoning.answer_tags]
        if self.headers:
            texts += [*self.headers.openers, self.headers.close, "<|constrain|>", *self.headers.ends]
        found = [marker for text in (*texts, *self.ignored_markers) for marker in _MARKER.findall(text)]
        found += [calls.quote for calls in self.call_syntaxes if "{relaxed}" in calls.call]
        return tuple(dict.fromkeys(marker for marker in found if marker not in self.eog_texts))
