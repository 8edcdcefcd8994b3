"""How the loaded model writes, and how one answer of it is to be taken apart."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from engine.output.constraints.tool_call_grammar import ToolCallGrammar, build_tool_call_grammar, trigger
from engine.output.model_families import detect, opens_reasoning
from engine.output.output_parser import OutputParser
from engine.output.tool_call_syntax import OutputFormat
from engine.requests import Constraint, Tool, ToolChoice


@dataclass(frozen=True, slots=True)
class OutputParserConfig:
    """What one answer's parser has to know."""

    format: OutputFormat
    tools: tuple[Tool, ...]
    pieces: Mapping[int, bytes]
    """The text of tokens that are markers; a detokeniser leaves it out where they are special."""
    ends: frozenset[int]
    """Tokens that end an answer of this format."""
    in_thought: bool
    said: str
    """Text with which the answer begins already."""
    one_call: bool
    """The answer ends with its first call."""
    must_call: bool
    """The answer is constrained to calls."""
    trigger: int | None
    """The token after which only a call can come."""
    opener: int | None
    """The token with which a thought begins."""

    @property
    def starts_in_answer(self) -> bool:
        """Whether nothing must come before the answer itself; a thought may."""
        return self.format.headers is None and not self.in_thought

    def parser(self) -> OutputParser:
        """A fresh one, at the place where the model goes on."""
        parser = OutputParser(
            self.format, self.tools, _new_call_id, in_thought=self.in_thought, must_call=self.must_call
        )
        if self.said:
            parser.feed(self.said)
        return parser


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """A model's format, and which of its markers and ends are single tokens of the model."""

    format: OutputFormat
    tokens: Mapping[str, int]
    ends: frozenset[int]

    def begin(self, prompt: str, answer_start: str) -> str:
        """The prompt with `answer_start`, which is an answer and no thought, whatever the prompt has opened."""
        if not answer_start:
            return prompt
        if self.format.headers:
            return prompt + self.format.headers.begins_answer + answer_start
        if opens_reasoning(self.format, prompt) and (thinking := self.format.thinking):
            return f"{prompt.rstrip()}\n\n{thinking.close}\n\n{answer_start}"
        return prompt + answer_start

    def channels(
        self, prompt: str, answer_start: str, tools: tuple[Tool, ...], *, one_call: bool, must_call: bool = False
    ) -> OutputParserConfig | None:
        """For an answer to `prompt`, as it stood before `begin`; None where all of it is plain text."""
        format = self.format if tools else replace(self.format, calls=())
        if not (format.calls or format.thinking or format.headers or format.dropped or self.ends):
            return None
        said = format.headers.begins_answer + answer_start if format.headers and answer_start else answer_start
        return OutputParserConfig(
            format=format,
            tools=tools,
            pieces={self.tokens[marker]: marker.encode() for marker in format.markers if marker in self.tokens},
            ends=self.ends,
            in_thought=not said and opens_reasoning(format, prompt),
            said=said,
            one_call=one_call,
            must_call=must_call and bool(tools),
            trigger=self.tokens.get(trigger(format)),
            opener=self.tokens.get(format.thinking.open) if format.thinking else None,
        )

    def grammar(
        self,
        channels: OutputParserConfig,
        choice: ToolChoice,
        answer: Constraint | None = None,
        open_tools: frozenset[str] = frozenset(),
    ) -> ToolCallGrammar | None:
        """What the calls of such an answer, or with `answer` all of it, must match; None where nothing tells that one
        begins. `open_tools`: those whose schemas cannot be followed."""
        if choice == "auto" and channels.trigger is None and answer is None:
            return None
        return build_tool_call_grammar(
            channels.format,
            channels.tools,
            choice,
            not channels.one_call,
            specials=self.tokens,
            in_thought=channels.in_thought,
            answer=answer,
            open_tools=open_tools,
        )


def detect_chat_format(template: str | None, tokenize: Callable[[str], list[int]], ends: frozenset[int]) -> ChatFormat:
    """`tokenize` recognises special tokens; `ends` are those that end an answer by what the model's file says."""
    format = detect(template)
    tokens = {marker: found[0] for marker in format.markers if len(found := tokenize(marker)) == 1}
    if thinking := format.thinking:
        marks = (thinking.open.strip(), thinking.close.strip())
        # Any model may be told to write <think>; only one that was trained to means it.
        if not any(mark in tokens or mark in (template or "") for mark in marks):
            format = replace(format, thinking=None)
    own = (tokenize(end) for end in format.ends)
    return ChatFormat(format, tokens, frozenset(found[0] for found in own if len(found) == 1) - ends)


def _new_call_id() -> str:
    return f"call_{uuid.uuid4().hex[:24]}"
