"""Defines the output format of a loaded model, and the parser configuration for one answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from engine.output.constraints.tool_call_grammar import ToolCallGrammar, build_tool_call_grammar, call_marker
from engine.output.model_families import detect_family, opens_reasoning
from engine.output.output_parser import OutputParser
from engine.output.tool_call_syntax import OutputFormat
from engine.requests import Constraint, Tool, ToolChoice


@dataclass(frozen=True, slots=True)
class OutputParserConfig:
    """The configuration of the parser for one answer."""

    format: OutputFormat
    tools: tuple[Tool, ...]
    marker_bytes: Mapping[int, bytes]
    """The text of each marker (such as <think>) that is a single token, by token id. Detokenizing leaves this text
    out."""
    eog_tokens: frozenset[int]
    """Tokens that end an answer in this format, in addition to the model's own end tokens."""
    starts_in_reasoning: bool
    answer_prefix: str
    """Text with which the answer already starts."""
    single_call: bool
    """Whether the answer ends after its first tool call."""
    calls_only: bool
    """Whether a constraint allows only tool calls in the answer."""
    call_token: int | None
    """The token after which only a tool call can follow; None if there is no such token."""
    reasoning_token: int | None
    """The token that starts reasoning; None if there is no such token."""

    @property
    def starts_in_answer(self) -> bool:
        """Whether the first token belongs to the answer or starts reasoning.

        False if the prompt has already started reasoning, or if a message header comes first."""
        return self.format.headers is None and not self.starts_in_reasoning

    def create_parser(self) -> OutputParser:
        """Creates a parser that has already read `answer_prefix`."""
        parser = OutputParser(
            self.format,
            self.tools,
            _new_call_id,
            starts_in_reasoning=self.starts_in_reasoning,
            calls_only=self.calls_only,
        )
        if self.answer_prefix:
            parser.feed(self.answer_prefix)
        return parser


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """The output format of one model, with the model's token ids for the format's markers."""

    format: OutputFormat
    marker_tokens: Mapping[str, int]
    eog_tokens: frozenset[int]
    """Tokens that end an answer in this format, in addition to the model's own end tokens."""

    def append_answer_start(self, prompt: str, answer_start: str) -> str:
        """Appends `answer_start` to the prompt as the start of the answer's text. If the prompt has started reasoning,
        ends the reasoning first."""
        if not answer_start:
            return prompt
        if self.format.headers:
            return prompt + self.format.headers.answer_header + answer_start
        if opens_reasoning(self.format, prompt) and (reasoning := self.format.reasoning):
            return f"{prompt.rstrip()}\n\n{reasoning.close}\n\n{answer_start}"
        return prompt + answer_start

    def parser_config(
        self, prompt: str, answer_start: str, tools: tuple[Tool, ...], *, single_call: bool, calls_only: bool = False
    ) -> OutputParserConfig | None:
        """The parser configuration for the answer to `prompt`; None if the answer can only be plain text.

        `prompt` does not contain `answer_start` yet."""
        format = self.format if tools else replace(self.format, call_syntaxes=())
        if not (
            format.call_syntaxes or format.reasoning or format.headers or format.ignored_markers or self.eog_tokens
        ):
            return None
        prefix = format.headers.answer_header + answer_start if format.headers and answer_start else answer_start
        tokens = self.marker_tokens
        return OutputParserConfig(
            format=format,
            tools=tools,
            marker_bytes={tokens[marker]: marker.encode() for marker in format.markers if marker in tokens},
            eog_tokens=self.eog_tokens,
            starts_in_reasoning=not prefix and opens_reasoning(format, prompt),
            answer_prefix=prefix,
            single_call=single_call,
            calls_only=calls_only and bool(tools),
            call_token=tokens.get(call_marker(format)),
            reasoning_token=tokens.get(format.reasoning.open) if format.reasoning else None,
        )

    def tool_call_grammar(
        self,
        config: OutputParserConfig,
        choice: ToolChoice,
        answer: Constraint | None = None,
        open_tools: frozenset[str] = frozenset(),
    ) -> ToolCallGrammar:
        """The grammar for the answer's tool calls. With `answer`, it covers the whole answer: tool calls, or text that
        matches `answer` (see `build_tool_call_grammar`)."""
        return build_tool_call_grammar(
            config.format,
            config.tools,
            choice,
            not config.single_call,
            special_tokens=self.marker_tokens,
            starts_in_reasoning=config.starts_in_reasoning,
            answer=answer,
            open_tools=open_tools,
        )


def detect_chat_format(
    template: str | None, tokenize: Callable[[str], list[int]], model_eog_tokens: frozenset[int]
) -> ChatFormat:
    """The output format of a model with this chat template. `tokenize` must recognise special tokens."""
    format = detect_family(template)
    tokens = {marker: found[0] for marker in format.markers if len(found := tokenize(marker)) == 1}
    if reasoning := format.reasoning:
        markers = (reasoning.open.strip(), reasoning.close.strip())
        # Any model can be prompted to write <think>, but only models that were trained with it use it to mark
        # reasoning.
        if not any(marker in tokens or marker in (template or "") for marker in markers):
            format = replace(format, reasoning=None)
    ends = (tokenize(text) for text in format.eog_texts)
    return ChatFormat(format, tokens, frozenset(found[0] for found in ends if len(found) == 1) - model_eog_tokens)


def _new_call_id() -> str:
    return f"call_{uuid.uuid4().hex[:24]}"
