"""A request → the tokens that the model reads."""

from __future__ import annotations

from collections.abc import Sequence

from engine.backend import Backend
from engine.errors import ContextOverflow, RequestError
from engine.events import ModelCard
from engine.prompt.overflow import Fit, fit
from engine.prompt.template import CHATML, ChatTemplate
from engine.requests import ChatRequest, CompletionRequest, Message, Request


class Preparer:
    """For one loaded model. Used on the preparing threads."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._vocabulary = backend.vocabulary
        self._n_ctx = backend.limits.n_cells

    def tokens(self, request: Request) -> tuple[int, ...]:
        """The prompt, at least one token. Raises ContextOverflow, TemplateError, RequestError."""
        match request:
            case ChatRequest(messages=messages, answer_start=start):
                tokens = self._chat_tokens(messages, start)
            case CompletionRequest(prompt=str(text)):
                tokens = self._backend.tokenize(text, add_special=True)
            case CompletionRequest(prompt=tuple(given)):
                tokens = self._known(given)
        if not tokens:
            raise RequestError("the prompt is empty")
        if len(tokens) >= self._n_ctx:
            raise ContextOverflow(len(tokens), self._n_ctx)
        return tuple(tokens)

    def fit(self, messages: Sequence[Message]) -> Fit:
        """How a chat fits into the context. Raises TemplateError."""
        return fit(messages, lambda kept: len(self._chat_tokens(kept, "")), self._n_ctx)

    def count(self, request: ChatRequest) -> int:
        """Tokens of the prompt, also of one that is too long. Raises TemplateError."""
        return len(self._chat_tokens(request.messages, request.answer_start))

    def text(self, request: ChatRequest) -> str:
        """The prompt as the model reads it. Raises TemplateError."""
        return self._template().render(request.messages) + request.answer_start

    def tokenize(self, text: str, add_special: bool) -> tuple[int, ...]:
        return tuple(self._backend.tokenize(text, add_special=add_special))

    def pieces(self, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """Their bytes. Raises RequestError where the vocabulary has no such token."""
        return tuple(self._backend.piece(token) for token in self._known(tokens))

    def gap_prompt(self, before: str, behind: str) -> str:
        """The prompt for what is missing between two texts. Raises RequestError where the model cannot say."""
        if self._vocabulary.gap is None:
            raise RequestError("the model cannot fill a gap in a text")
        before_word, behind_word, middle_word = self._vocabulary.gap
        return f"{before_word}{before}{behind_word}{behind}{middle_word}"

    def card(self) -> ModelCard:
        return ModelCard(
            self._backend.chat_template or CHATML,
            self._vocabulary.bos,
            self._vocabulary.eos,
            self._backend.limits.n_running,
            self._vocabulary.gap is not None,
        )

    def _chat_tokens(self, messages: Sequence[Message], answer_start: str) -> list[int]:
        text = self._template().render(messages) + answer_start
        # A template that writes the first token itself must not get a second one.
        add_special = not (self._vocabulary.bos and text.startswith(self._vocabulary.bos))
        return self._backend.tokenize(text, add_special=add_special)

    def _known(self, tokens: Sequence[int]) -> list[int]:
        n_tokens = self._vocabulary.n_tokens
        if not all(0 <= token < n_tokens for token in tokens):  # llama.cpp would read beyond its tables
            raise RequestError(f"the prompt holds a token outside of the model's vocabulary of {n_tokens}")
        return list(tokens)

    def _template(self) -> ChatTemplate:
        return ChatTemplate(self._backend.chat_template, bos=self._vocabulary.bos, eos=self._vocabulary.eos)
