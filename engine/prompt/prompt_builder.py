"""A request → the tokens that the model reads, and how its answer is to be taken apart."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.backend import Backend
from engine.errors import ConstraintError, ContextOverflow, RequestError, TemplateError
from engine.output.chat_format import OutputParserConfig, detect_chat_format
from engine.output.constraints.constraint_cache import ConstraintCache
from engine.output.constraints.grammar_constraint import GrammarConstraint
from engine.prompt.chat_template import CHATML, ChatTemplate, TemplateRefusal
from engine.prompt.context_fit import Fit, fit
from engine.prompt.control_tokens import MARK, ControlTokenEscaper, without_escape_marks
from engine.prompt.message_arrangement import arrangements, known_roles, system_texts
from engine.prompt.reasoning_options import reasoning_arguments
from engine.prompt.tool_presentation import offered, prepare
from engine.requests import ChatRequest, CompletionRequest, Constraint, Message, Request, Tool, ToolChoice
from engine.status import ModelProps

if TYPE_CHECKING:  # llguidance is imported with the first constraint, not when the window opens
    from engine.output.constraints.compiled_constraint import CompiledConstraint

SCHEMAS_TRIED_S = 2.0
"""How long schemas of tools are tried one by one, where they cannot be enforced together."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """`tokens`: at least one. `channels`: None where the answer is plain text. `grammar_constraint`: None where
    nothing binds it."""

    tokens: tuple[int, ...]
    channels: OutputParserConfig | None = None
    grammar_constraint: GrammarConstraint | None = None


Cancelled = Callable[[], bool]


class PromptBuilder:
    """For one loaded model. Used on the preparing threads.

    What takes a `cancelled` raises TokenizationCancelled soon after that returns True, or after `stop`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._vocabulary = backend.vocabulary
        self._n_ctx = backend.limits.n_cells
        self._constraints = ConstraintCache(backend.constraint_tokenizer, backend.keep_model_loaded)
        self._voice = detect_chat_format(
            backend.chat_template, lambda text: backend.tokenize(text, add_special=False), self._vocabulary.eog_tokens
        )
        self._literal = ControlTokenEscaper(self._vocabulary.control_texts, self._voice.format.markers)
        self._stopped = threading.Event()
        self._compiled: ChatTemplate | None = None

    @property
    def backend(self) -> Backend:
        """The model whose tokens it makes."""
        return self._backend

    def prepare(self, request: Request, cancelled: Cancelled = bool) -> Prepared:
        """Raises ContextOverflow, TemplateError, ConstraintError, RequestError."""
        match request:
            case ChatRequest():
                prepared = self._chat(request, cancelled)
            case CompletionRequest(prompt=str(text)):
                tokens = self.tokenize(text, True, True, cancelled)
                if not text and not tokens:  # the answer is the beginning of a document
                    tokens = self.tokenize(self._vocabulary.bos, False, True, cancelled)
                prepared = Prepared(tokens)
            case CompletionRequest(prompt=tuple(given)):
                prepared = Prepared(self._known(given))
        n_prompt = len(prepared.tokens)
        if not n_prompt:
            raise RequestError("the prompt is empty")
        if n_prompt >= self._n_ctx:
            raise ContextOverflow(n_prompt, self._n_ctx)
        return replace(prepared, grammar_constraint=self._guide(request, prepared.channels))

    def close(self) -> None:
        """Before the model is freed: nothing is compiled for it any more. Never blocks for long; a compile that is
        under way keeps the model in memory until it ends."""
        self._constraints.close()

    def warm_up(self) -> None:
        """Does what the first chat would have to wait for."""
        with contextlib.suppress(TemplateError):
            self._template()

    def stop(self) -> None:
        """Before the model is freed: ends what is being tokenised. Any thread."""
        self._stopped.set()

    def fit(self, messages: Sequence[Message], cancelled: Cancelled = bool) -> Fit:
        """How a chat fits into the context. Raises TemplateError."""
        return fit(messages, lambda kept: len(self._tokenized(self._rendered(kept), cancelled)), self._n_ctx)

    def count(self, request: ChatRequest, cancelled: Cancelled = bool) -> int:
        """Tokens of the prompt, also of one that is too long. Raises TemplateError."""
        return len(self._tokenized(self._written(request)[0], cancelled))

    def text(self, request: ChatRequest) -> str:
        """The prompt as the model reads it. Raises TemplateError."""
        return without_escape_marks(self._written(request)[0])

    def tokenize(
        self, text: str, add_special: bool, parse_special: bool = True, cancelled: Cancelled = bool
    ) -> tuple[int, ...]:
        tokenize = self._backend.tokenize
        stopping = self._stopping(cancelled)
        return tuple(tokenize(text, add_special=add_special, parse_special=parse_special, cancelled=stopping))

    def pieces(self, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """Their bytes. Raises RequestError where the vocabulary has no such token."""
        return tuple(self._backend.piece(token) for token in self._known(tokens))

    def fim_prompt(
        self, before: str, behind: str, context: str = "", start: str = "", cancelled: Cancelled = bool
    ) -> tuple[int, ...]:
        """The prompt for what is missing between two texts. Raises RequestError where the model cannot say."""
        if self._vocabulary.fim is None:
            raise RequestError("the model cannot fill a gap in a text")
        before_word, behind_word, middle_word = self._vocabulary.fim
        context, before, behind, start = map(self._literal.text, (context, before, behind, start))
        text = f"{context}{before_word}{before}{behind_word}{behind}{middle_word}{start}"
        return tuple(self._backend.tokenize(text, add_special=True, mark=MARK, cancelled=self._stopping(cancelled)))

    def card(self) -> ModelProps:
        return ModelProps(
            self._backend.chat_template or CHATML,
            self._vocabulary.bos,
            self._vocabulary.eos,
            self._backend.limits.n_running,
            self._vocabulary.fim is not None,
        )

    def _chat(self, request: ChatRequest, cancelled: Cancelled) -> Prepared:
        text, channels = self._written(request)
        return Prepared(tuple(self._tokenized(text, cancelled)), channels)

    def _written(self, request: ChatRequest) -> tuple[str, OutputParserConfig | None]:
        """The prompt, with marks in what is no control token, and how its answer is to be taken apart."""
        tools = offered(request)
        thinking = reasoning_arguments(self._backend.chat_template, request.thinking, request.effort)
        given = {
            name: self._literal.text(value) if isinstance(value, str) else value
            for name, value in request.template_arguments
        }
        prompt = self._rendered(request.messages, tools, {**given, **thinking.arguments})
        start, one_call = request.answer_start, not request.parallel_tool_calls
        must_call = request.tool_choice not in ("auto", "none")
        channels = self._voice.channels(prompt, start, tools, one_call=one_call, must_call=must_call)
        return self._voice.begin(prompt, self._literal.text(start, "assistant")), channels

    def _guide(self, request: Request, channels: OutputParserConfig | None) -> GrammarConstraint | None:
        """What keeps the answer to its constraint, or its calls to their tools."""
        start = request.answer_start if isinstance(request, ChatRequest) else ""
        tools = channels.tools if channels else ()
        choice: ToolChoice = request.tool_choice if isinstance(request, ChatRequest) else "auto"
        if request.constraint is not None and (not tools or choice == "auto"):
            compiled = self._answer_constraint(request.constraint, channels)
            grammar_constraint = _guide(compiled, binds_answer=True)
            if start or channels is None or channels.starts_in_answer:
                grammar_constraint.begin(start)
            return grammar_constraint
        return self._tool_call_constraint(channels, choice) if channels and tools else None

    def _answer_constraint(self, constraint: Constraint, channels: OutputParserConfig | None) -> CompiledConstraint:
        """What an answer must match that may hold calls instead. Calls under a header of their own are free."""
        if channels is None or not channels.tools or channels.format.headers:
            return self._constraints.get(constraint)
        self._constraints.get(constraint)  # what is wrong with it must not be taken for a fault of the tools
        return self._compiled_tool_call_grammar(channels, "auto", constraint)

    def _tool_call_constraint(self, channels: OutputParserConfig, choice: ToolChoice) -> GrammarConstraint | None:
        if choice == "auto":
            if self._voice.grammar(channels, choice) is None:
                return None
            try:
                return _guide(self._compiled_tool_call_grammar(channels, choice))
            except ConstraintError:  # nobody asked for more than what the model does by itself
                return None
        if channels.said:
            raise RequestError("an answer that has begun cannot be required to be a tool call")
        grammar_constraint = _guide(self._compiled_tool_call_grammar(channels, choice))
        grammar_constraint.begin()
        return grammar_constraint

    def _compiled_tool_call_grammar(
        self, channels: OutputParserConfig, choice: ToolChoice, answer: Constraint | None = None
    ) -> CompiledConstraint:
        """Raises ConstraintError where not even calls with the tools' names can be enforced."""
        grammar = self._voice.grammar(channels, choice, answer)
        assert grammar is not None  # none only where `choice` is "auto" without an answer, which callers have checked
        try:
            return self._constraints.get(grammar)
        except ConstraintError:
            open_tools = self._open_tools(channels.tools)
            opened = self._voice.grammar(channels, choice, answer, open_tools) if open_tools else None
            if opened is None:
                raise
            return self._constraints.get(opened)

    def _open_tools(self, tools: Sequence[Tool]) -> frozenset[str]:
        """Those whose schemas cannot be followed, or that there is no time to try."""
        found, deadline = set(), time.monotonic() + SCHEMAS_TRIED_S
        for tool in tools:
            if time.monotonic() > deadline or not self._can_follow(tool):
                found.add(tool.name)
        return frozenset(found)

    def _can_follow(self, tool: Tool) -> bool:
        try:
            self._constraints.get(Constraint("json_schema", tool.parameters, strict=False))
        except ConstraintError:
            return False
        return True

    def _rendered(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), arguments: Mapping[str, object] | None = None
    ) -> str:
        source, template = self._backend.chat_template, self._template()
        said = known_roles(tuple(map(self._literal.message, messages)), source)
        offered_tools = tuple(map(self._literal.tool, tools))
        must_show = system_texts(said)
        first: str | None = None
        reason: str | None = None
        for arranged in arrangements(said):
            told, shown = prepare(arranged, offered_tools, self._voice.format, source)
            try:
                prompt = template.render(told, tools=shown, arguments=arguments)
            except TemplateRefusal as error:
                reason = error.reason if reason is None else reason
                continue
            if all(text in prompt for text in must_show):
                return prompt
            first = prompt if first is None else first
        if first is None:
            raise TemplateError(reason or "")
        return first

    def _template(self) -> ChatTemplate:
        """Compiled once: that takes some 20 ms."""
        found = self._compiled
        if found is None:
            vocabulary = self._vocabulary
            found = ChatTemplate(self._backend.chat_template, bos=vocabulary.bos, eos=vocabulary.eos)
            self._compiled = found
        return found

    def _tokenized(self, text: str, cancelled: Cancelled) -> list[int]:
        # A template that writes the first token itself must not get a second one.
        add_special = not (self._vocabulary.bos and text.startswith(self._vocabulary.bos))
        mark = MARK if MARK in text else ""
        return self._backend.tokenize(text, add_special=add_special, mark=mark, cancelled=self._stopping(cancelled))

    def _stopping(self, cancelled: Cancelled) -> Cancelled:
        return lambda: cancelled() or self._stopped.is_set()

    def _known(self, tokens: Sequence[int]) -> tuple[int, ...]:
        n_tokens = self._vocabulary.n_tokens
        if not all(0 <= token < n_tokens for token in tokens):  # llama.cpp would read beyond its tables
            raise RequestError(f"the prompt holds a token outside of the model's vocabulary of {n_tokens}")
        return tuple(tokens)


def _guide(compiled: CompiledConstraint, *, binds_answer: bool = False) -> GrammarConstraint:
    return GrammarConstraint(
        compiled.matcher(), waiting=True, binds_answer=binds_answer, not_enforced=compiled.left_out
    )
