"""How a family of models writes reasoning and tool calls, as data.

A way of calling is a sample with slots, so the parser, the grammar that constrains a call, and the text of past calls
all follow the same line:

    {name}        the tool's name                    {id}       the call's id, as the model writes it
    {json}        the arguments, a JSON object       {word}     a word without meaning
    {envelopes}   JSON objects that hold name and arguments; {list}: the same, written in [ ]
    {parameters}  the arguments one by one, each as the sample `parameter` says, with its slots
                  {key}, {value} (or {cdata}: perhaps within CDATA) and {string} (true where the value is a string)
    {relaxed}     an object whose keys stand bare and whose strings have quotes of their own
    {python}      calls as in Python: name(key=value)

White space in a sample is how the model writes it by itself; when reading, any or none will do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

_MARKER = re.compile(r"<[^<>\s{}\"=]+>|\[/?[A-Z_]{3,}\]|｜[A-Z]+｜")
SLOT = re.compile(r"\{(\w+)\}")
_PIECE = re.compile(r"<[^<>\s{}\"=]+>|\[/?[A-Z_]{3,}\]|[<\[]?[^\s<\[]+|[<\[]")


class Step(NamedTuple):
    """One step through a sample: a slot, or a piece of text that has to stand there."""

    is_slot: bool
    text: str


@lru_cache(maxsize=256)
def steps(sample: str) -> tuple[Step, ...]:
    """The sample's slots and pieces in their order. White space between pieces is left out."""
    found: list[Step] = []
    for n, part in enumerate(SLOT.split(sample)):
        if n % 2:
            found.append(Step(True, part))
        else:
            found.extend(Step(False, piece) for piece in _PIECE.findall(part))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Calls:
    """One way of writing calls. `call` is the sample of one; `section` stands around all calls of an answer;
    `between` divides two calls when we write them.

    A sample that begins with a slot, or with a bare [, has no marker: what looks like it is a call only at the
    beginning of an answer and only if it names a tool that was offered."""

    call: str
    section: tuple[str, str] = ("", "")
    parameter: str = ""
    envelope: str = '{"name": "{name}", "arguments": {json}}'
    between: str = "\n"
    quote: str = '<|"|>'
    """Around the strings of {relaxed}; nothing within is escaped."""

    @property
    def openers(self) -> tuple[str, ...]:
        """The pieces of text with which calls may begin; a model may leave out the section's. None for bare calls."""
        firsts = [steps(sample)[0] for sample in (self.section[0], self.call) if sample]
        return tuple(step.text for step in firsts if not step.is_slot and step.text != "[")

    @property
    def is_bare(self) -> bool:
        return not self.openers


@dataclass(frozen=True, slots=True)
class ReasoningMarkers:
    """What stands around reasoning. Plain text like <think> opens it only where nothing was said yet; a special token
    opens it `anywhere`. `answer` may stand around the answer that follows."""

    open: str
    close: str
    anywhere: bool = False
    answer: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class MessageHeaders:
    """An answer that is a sequence of messages, each under a header that says where it goes."""

    openers: tuple[str, ...]
    close: str
    ends: tuple[str, ...]
    thought: str
    """The channel that is reasoning."""
    answer: str
    """The channel that is the answer."""
    begins_answer: str
    """Its header, after the prompt."""


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """How one family of models writes. See `markers` and `ends` for what the caller owes the parser."""

    name: str
    seen: tuple[str, ...] = ()
    """What the family's chat templates hold, all of it."""
    calls: tuple[Calls, ...] = ()
    """The first is the one that we write ourselves; the others are read as well."""
    thinking: ReasoningMarkers | None = None
    headers: MessageHeaders | None = None
    dropped: tuple[str, ...] = ()
    """Markers that mean nothing to us: they vanish wherever they stand."""
    ends: tuple[str, ...] = ()
    """Tokens that end the answer, besides those that the model's file names. Their text is not fed to the parser."""
    template_shows_tools: bool = False
    """Whether the template shows the tools to the model; otherwise a system prompt has to."""
    template_shows_tool_calls: bool = False
    """Whether the template writes past calls; otherwise they and their results have to be text."""

    @property
    def markers(self) -> tuple[str, ...]:
        """What a model may hold as one special token, `ends` left out.

        A detokeniser drops the text of special tokens. So the caller looks which of these are single tokens of the
        model, renders those as text (llama.cpp: `special=True`) and feeds them to the parser like any other text."""
        texts = [text for calls in self.calls for text in (*calls.section, calls.call, calls.parameter)]
        if self.thinking:
            texts += [self.thinking.open, self.thinking.close, *self.thinking.answer]
        if self.headers:
            texts += [*self.headers.openers, self.headers.close, "<|constrain|>", *self.headers.ends]
        found = [marker for text in (*texts, *self.dropped) for marker in _MARKER.findall(text)]
        found += [calls.quote for calls in self.calls if "{relaxed}" in calls.call]
        return tuple(dict.fromkeys(marker for marker in found if marker not in self.ends))
