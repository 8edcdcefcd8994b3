"""Builds the prompt of a request: its tokens, and the parser configuration and the constraint for its answer."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.backend import Backend
from engine.errors import ContextOverflow, RequestError, TemplateError
from engine.events import DraftKind
from engine.output.answer_constraint import AnswerConstraints
from engine.output.chat_format import OutputParserConfig, detect_chat_format
from engine.output.constraints.constraint_cache import ConstraintCache
from engine.output.constraints.grammar_constraint import GrammarConstraint
from engine.prompt.chat_template import CHATML, ChatTemplate, TemplateRefusal
from engine.prompt.context_fit import ContextFit, fit_to_context
from engine.prompt.control_tokens import ESCAPE_MARK, ControlTokenEscaper, without_escape_marks
from engine.prompt.message_arrangement import arrangements, required_system_texts, with_supported_roles
from engine.prompt.reasoning_options import reasoning_arguments
from engine.prompt.tool_presentation import offered_tools, present_tools
from engine.requests import ChatRequest, CompletionRequest, Message, Request, Tool
from engine.status import ModelProps

Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class BuiltPrompt:
    tokens: tuple[int, ...]
    """The tokens of the prompt, at least one."""
    parser_config: OutputParserConfig | None = None
    """The configuration of the answer's parser; None if the answer can only be plain text."""
    grammar_constraint: GrammarConstraint | None = None
    """The constraint for the answer; None if nothing constrains it."""


class PromptBuilder:
    """Builds prompts for one loaded model. Used on the prompt threads (the threads that build and tokenize prompts).

    A method with the parameter `cancelled` raises TokenizationCancelled soon after `cancelled()` becomes True, or after
    `stop` is called."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._vocabulary = backend.vocabulary
        self._n_ctx = backend.limits.n_cells
        self._chat_format = detect_chat_format(
            backend.chat_template, lambda text: backend.tokenize(text, add_special=False), self._vocabulary.eog_tokens
        )
        self._constraint_cache = ConstraintCache(backend.constraint_tokenizer, backend.keep_model_loaded)
        self._constraints = AnswerConstraints(self._constraint_cache, self._chat_format)
        self._escaper = ControlTokenEscaper(self._vocabulary.control_texts, self._chat_format.format.markers)
        self._stopped = threading.Event()
        self._template: ChatTemplate | None = None

    @property
    def backend(self) -> Backend:
        """The backend of the loaded model."""
        return self._backend

    def build(self, request: Request, cancelled: Cancelled = bool) -> BuiltPrompt:
        """Builds the prompt of a request.

        Raises ContextOverflow, TemplateError, ConstraintError, RequestError."""
        config: OutputParserConfig | None = None
        match request:
            case ChatRequest():
                text, config = self._chat_text(request)
                tokens = tuple(self._tokenize_chat(text, cancelled))
            case CompletionRequest(prompt=str(text)):
                tokens = self.tokenize(text, True, True, cancelled)
                if not text and not tokens:  # an empty prompt becomes the BOS token, which starts a new document
                    tokens = self.tokenize(self._vocabulary.bos, False, True, cancelled)
            case CompletionRequest(prompt=tuple(given)):
                tokens = self._checked(given)
        if not tokens:
            raise RequestError("the prompt is empty")
        if len(tokens) >= self._n_ctx:
            raise ContextOverflow(len(tokens), self._n_ctx)
        return BuiltPrompt(tokens, config, self._constraints.create(request, config))

    def warm_up(self) -> None:
        """Compiles the chat template, so that the first chat does not wait for it."""
        with contextlib.suppress(TemplateError):
            self._compiled_template()

    def stop(self) -> None:
        """Cancels running tokenizations. Call it before the model is freed. May be called on any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Prevents further compilations of constraints. Call it before the model is freed.

        Does not wait. A running compilation keeps the model loaded until it ends."""
        self._constraint_cache.close()

    def context_fit(self, messages: Sequence[Message], cancelled: Cancelled = bool) -> ContextFit:
        """How a chat fits into the context. Raises TemplateError."""
        return fit_to_context(
            messages, lambda kept: len(self._tokenize_chat(self._rendered(kept), cancelled)), self._n_ctx
        )

    def count_tokens(self, request: ChatRequest, cancelled: Cancelled = bool) -> int:
        """The length of a request's prompt in tokens. It may exceed the context. Raises TemplateError."""
        return len(self._tokenize_chat(self._chat_text(request)[0], cancelled))

    def render(self, request: ChatRequest) -> str:
        """The text of a request's prompt. Raises TemplateError."""
        return without_escape_marks(self._chat_text(request)[0])

    def tokenize(
        self, text: str, add_special: bool, parse_special: bool = True, cancelled: Cancelled = bool
    ) -> tuple[int, ...]:
        """The tokens of a text.

        `add_special` adds the tokens at the start and end of a text. `parse_special` turns the texts of control tokens
        into these tokens."""
        return tuple(
            self._backend.tokenize(
                text, add_special=add_special, parse_special=parse_special, cancelled=self._or_stopped(cancelled)
            )
        )

    def pieces(self, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """The bytes of each token. Raises RequestError for tokens outside of the vocabulary."""
        return tuple(self._backend.piece(token) for token in self._checked(tokens))

    def fim_prompt(
        self, before: str, behind: str, context: str = "", start: str = "", cancelled: Cancelled = bool
    ) -> tuple[int, ...]:
        """The fill-in-the-middle prompt for the text between `before` and `behind`.

        `context` precedes `before` in the prompt. The prompt ends with `start`, the given start of the text that the
        model writes. Raises RequestError if the model does not support fill-in-the-middle."""
        if self._vocabulary.fim is None:
            raise RequestError("the model cannot fill a gap in a text")
        prefix_token, suffix_token, middle_token = self._vocabulary.fim
        context, before, behind, start = map(self._escaper.text, (context, before, behind, start))
        text = f"{context}{prefix_token}{before}{suffix_token}{behind}{middle_token}{start}"
        return tuple(
            self._backend.tokenize(text, add_special=True, mark=ESCAPE_MARK, cancelled=self._or_stopped(cancelled))
        )

    def model_props(self) -> ModelProps:
        return ModelProps(
            self._backend.chat_template or CHATML,
            self._vocabulary.bos,
            self._vocabulary.eos,
            self._backend.limits.n_running,
            self._vocabulary.fim is not None,
            self._backend.limits.supports_drafts,
            self._draft_kinds(),
        )

    def _draft_kinds(self) -> tuple[DraftKind, ...]:
        if not self._backend.limits.supports_drafts:
            return ()
        model = self._backend.draft_model
        return ("ngram", model.kind) if model is not None else ("ngram",)

    def _chat_text(self, request: ChatRequest) -> tuple[str, OutputParserConfig | None]:
        """The text of the prompt with its escape marks, and the parser configuration for the answer."""
        tools = offered_tools(request)
        arguments: dict[str, object] = {
            name: self._escaper.text(value) if isinstance(value, str) else value
            for name, value in request.template_arguments
        }
        arguments |= reasoning_arguments(self._backend.chat_template, request.thinking, request.effort)
        prompt = self._rendered(request.messages, tools, arguments)
        config = self._chat_format.parser_config(
            prompt,
            request.answer_start,
            tools,
            single_call=not request.parallel_tool_calls,
            calls_only=request.tool_choice not in ("auto", "none"),
        )
        answer_start = self._escaper.text(request.answer_start, "assistant")
        return self._chat_format.append_answer_start(prompt, answer_start), config

    def _rendered(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), arguments: Mapping[str, object] | None = None
    ) -> str:
        """Renders the messages.

        Tries equivalent lists of the messages (see `arrangements`). Returns the first prompt that contains the texts of
        all system messages. If there is none, returns the prompt for the first list that the template accepts."""
        source, template = self._backend.chat_template, self._compiled_template()
        escaped = with_supported_roles(tuple(map(self._escaper.message, messages)), source)
        escaped_tools = tuple(map(self._escaper.tool, tools))
        required_texts = required_system_texts(escaped)
        incomplete: str | None = None
        reason: str | None = None
        for arranged in arrangements(escaped):
            presented, native_tools = present_tools(arranged, escaped_tools, self._chat_format.format, source)
            try:
                prompt = template.render(presented, tools=native_tools, arguments=arguments)
            except TemplateRefusal as error:
                reason = error.reason if reason is None else reason
                continue
            if all(text in prompt for text in required_texts):
                return prompt
            incomplete = prompt if incomplete is None else incomplete
        if incomplete is None:
            raise TemplateError(reason or "")
        return incomplete

    def _compiled_template(self) -> ChatTemplate:
        """The compiled chat template. It is compiled once, which takes about 20 ms."""
        template = self._template
        if template is None:
            template = ChatTemplate(self._backend.chat_template, bos=self._vocabulary.bos, eos=self._vocabulary.eos)
            self._template = template
        return template

    def _tokenize_chat(self, text: str, cancelled: Cancelled) -> list[int]:
        # If the template writes the BOS token itself, the tokenizer must not add another one.
        add_special = not (self._vocabulary.bos and text.startswith(self._vocabulary.bos))
        mark = ESCAPE_MARK if ESCAPE_MARK in text else ""
        return self._backend.tokenize(text, add_special=add_special, mark=mark, cancelled=self._or_stopped(cancelled))

    def _or_stopped(self, cancelled: Cancelled) -> Cancelled:
        return lambda: cancelled() or self._stopped.is_set()

    def _checked(self, tokens: Sequence[int]) -> tuple[int, ...]:
        n_tokens = self._vocabulary.n_tokens
        # For ids outside the vocabulary, llama.cpp would read outside its tables.
        if not all(0 <= token < n_tokens for token in tokens):
            raise RequestError(f"the prompt holds a token outside of the model's vocabulary of {n_tokens}")
        return tuple(tokens)
