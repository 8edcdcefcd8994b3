"""A request → the tokens that the model reads."""

from __future__ import annotations

from collections.abc import Sequence

from engine.backend import Backend
from engine.errors import ContextOverflow, RequestError
from engine.output.constraint_cache import ConstraintCache
from engine.output.guide import Guide
from engine.prompt.overflow import Fit, fit
from engine.prompt.template import ChatTemplate
from engine.requests import ChatRequest, CompletionRequest, Message, Request


class Preparer:
    """For one loaded model. Used on the preparing threads."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._vocabulary = backend.vocabulary
        self._n_ctx = backend.limits.n_cells
        self._constraints = ConstraintCache(backend.constraint_tokenizer)

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

    def guide(self, request: Request) -> Guide | None:
        """What keeps the answer to its constraint; None where there is none. Raises ConstraintError, RequestError."""
        if request.constraint is None:
            return None
        if isinstance(request, ChatRequest) and request.tools:
            raise RequestError("tools and a constraint on the answer cannot be had together")
        guide = Guide(self._constraints.get(request.constraint).matcher(), waiting=True)
        guide.begin(request.answer_start if isinstance(request, ChatRequest) else "")
        return guide

    def close(self) -> bool:
        """Before the model is freed: ends what still reads it. False where something does not end."""
        return self._constraints.close()

    def fit(self, messages: Sequence[Message]) -> Fit:
        """How a chat fits into the context. Raises TemplateError."""
        return fit(messages, lambda kept: len(self._chat_tokens(kept, "")), self._n_ctx)

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
