"""The prompt with which a reranking model scores one document for a query."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from engine.backend import RankFormat, Tokenize
from engine.errors import ContextOverflow
from engine.prompt.control_tokens import ESCAPE_MARK, ControlTokenEscaper

_FIELDS = re.compile(r"\{(query|document)\}")


class RankPrompts:
    """Builds the prompts of one query. Texts of control tokens in the query and in documents are plain text."""

    def __init__(
        self, format: RankFormat, tokenize: Tokenize, n_max: int, query: str, cancelled: Callable[[], bool] = bool
    ) -> None:
        """`n_max`: maximum number of tokens in a prompt. Raises TokenizationCancelled, and ContextOverflow if the query
        alone is too long."""
        self._format = format
        self._tokenize = tokenize
        self._n_max = n_max
        self._cancelled = cancelled
        self._escaper = ControlTokenEscaper(format.control_texts, ())
        self._query = self._escaper.text(query)
        self._query_tokens = self._tokens(self._query)
        self._check(len(self._query_tokens))

    def prompt(self, document: str, *, truncate: bool) -> Sequence[int]:
        """The prompt for one document. With `truncate`, the end of a document that is too long is left out. Raises
        TokenizationCancelled, and ContextOverflow if the prompt is too long, or if with `truncate` nothing of the
        document would be left."""
        document = self._escaper.text(document)
        tokens = self._whole(document)
        if len(tokens) <= self._n_max or not truncate:
            self._check(len(tokens))
            return tokens
        before, after = self._around()
        room = self._n_max - len(before) - len(after)
        if room <= 0:
            raise ContextOverflow(len(tokens), self._n_max)
        return [*before, *self._tokens(document)[:room], *after]

    def _whole(self, document: str) -> list[int]:
        if self._format.template:
            return self._tokens(self._filled(self._format.template, document))
        before, after = self._around()
        return [*before, *self._tokens(document), *after]

    def _around(self) -> tuple[list[int], list[int]]:
        """The tokens before and after the document."""
        format = self._format
        if format.template:
            before, _, after = format.template.partition("{document}")
            return self._tokens(self._filled(before, "")), self._tokens(self._filled(after, ""))
        return [*format.first, *self._query_tokens, *format.middle], list(format.last)

    def _filled(self, template: str, document: str) -> str:
        texts = {"query": self._query, "document": document}
        return _FIELDS.sub(lambda found: texts[found[1]], template)

    def _tokens(self, text: str) -> list[int]:
        mark = ESCAPE_MARK if ESCAPE_MARK in text else ""
        return self._tokenize(text, add_special=False, mark=mark, cancelled=self._cancelled)

    def _check(self, n: int) -> None:
        if n > self._n_max:
            raise ContextOverflow(n, self._n_max)
