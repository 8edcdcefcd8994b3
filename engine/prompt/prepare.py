"""A request → the tokens that the model reads."""

from __future__ import annotations

from engine.backend import Backend
from engine.errors import ContextOverflow, RequestError
from engine.prompt.template import ChatTemplate
from engine.requests import ChatRequest, CompletionRequest, Request


class Preparer:
    """For one loaded model. Used on the preparing threads."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._vocabulary = backend.vocabulary
        self._n_ctx = backend.limits.n_cells

    def tokens(self, request: Request) -> tuple[int, ...]:
        """The prompt, at least one token. Raises ContextOverflow, TemplateError, RequestError."""
        match request:
            case ChatRequest(messages=messages):
                text = self._template().render(messages)
                # A template that writes the first token itself must not get a second one.
                add_special = not (self._vocabulary.bos and text.startswith(self._vocabulary.bos))
            case CompletionRequest(prompt=text):
                add_special = True
        tokens = self._backend.tokenize(text, add_special=add_special)
        if not tokens:
            raise RequestError("the prompt is empty")
        if len(tokens) >= self._n_ctx:
            raise ContextOverflow(len(tokens), self._n_ctx)
        return tuple(tokens)

    def _template(self) -> ChatTemplate:
        return ChatTemplate(self._backend.chat_template, bos=self._vocabulary.bos, eos=self._vocabulary.eos)
