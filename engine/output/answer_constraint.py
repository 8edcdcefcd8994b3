"""Decides what constrains the answer to a request: a response format, tool calls, or both."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.errors import ConstraintError, RequestError
from engine.output.chat_format import ChatFormat, OutputParserConfig
from engine.output.constraints.constraint_cache import ConstraintCache
from engine.output.constraints.grammar_constraint import GrammarConstraint
from engine.requests import ChatRequest, Constraint, Request, Tool, ToolChoice

if TYPE_CHECKING:  # llguidance is imported only for the first constraint, so that the window opens sooner
    from engine.output.constraints.compiled_constraint import CompiledConstraint

SCHEMA_TEST_TIME_S = 2.0
"""Time limit for compiling the tools' schemas one by one, which is done if compiling all of them together fails."""


class AnswerConstraints:
    """Creates the constraints for the answers of one loaded model.

    Used on the prompt threads (the threads that build prompts). Compiling may block for seconds."""

    def __init__(self, cache: ConstraintCache, chat_format: ChatFormat) -> None:
        self._cache = cache
        self._chat_format = chat_format

    def create(self, request: Request, config: OutputParserConfig | None) -> GrammarConstraint | None:
        """Returns the constraint for the answer to `request`; None if nothing constrains it.

        A required tool call takes precedence over a response format. With optional tools, the answer matches the format
        or consists of tool calls. `config` is the configuration of the answer's parser. Raises ConstraintError,
        RequestError."""
        choice: ToolChoice = request.tool_choice if isinstance(request, ChatRequest) else "auto"
        if config is not None and config.tools and choice != "auto":
            return self._required_calls(config, choice)
        if request.constraint is not None:
            answer_start = request.answer_start if isinstance(request, ChatRequest) else ""
            return self._formatted_answer(request.constraint, config, answer_start)
        if config is not None and config.tools and config.call_token is not None:
            return self._optional_calls(config)
        return None

    def _required_calls(self, config: OutputParserConfig, choice: ToolChoice) -> GrammarConstraint:
        if config.answer_prefix:
            raise RequestError("an answer that has begun cannot be required to be a tool call")
        constraint = _paused(self._compiled_calls(config, choice))
        constraint.start()
        return constraint

    def _formatted_answer(
        self, format: Constraint, config: OutputParserConfig | None, answer_start: str
    ) -> GrammarConstraint:
        # The format is first compiled without the tools, so that an error in it is reported as an error of the format.
        compiled = self._cache.get(format)
        # In formats with message headers, a tool call is a separate message, and this constraint does not apply to it.
        if config is not None and config.tools and not config.format.headers:
            compiled = self._compiled_calls(config, "auto", format)
        constraint = _paused(compiled, applies_to_answer=True)
        if answer_start or config is None or config.starts_in_answer:
            constraint.start(answer_start)
        return constraint

    def _optional_calls(self, config: OutputParserConfig) -> GrammarConstraint | None:
        try:
            return _paused(self._compiled_calls(config, "auto"))
        except ConstraintError:  # then tool calls are possible, but not constrained
            return None

    def _compiled_calls(
        self, config: OutputParserConfig, choice: ToolChoice, answer: Constraint | None = None
    ) -> CompiledConstraint:
        """Compiles the grammar for tool calls.

        If llguidance does not support the schema of a tool, only the names of its arguments are enforced. Raises
        ConstraintError if that does not compile either."""
        try:
            return self._cache.get(self._chat_format.tool_call_grammar(config, choice, answer))
        except ConstraintError:
            open_tools = self._unsupported_tools(config.tools)
            if not open_tools:
                raise
            return self._cache.get(self._chat_format.tool_call_grammar(config, choice, answer, open_tools))

    def _unsupported_tools(self, tools: Sequence[Tool]) -> frozenset[str]:
        """The names of the tools whose schemas do not compile, or that were not tested within the time limit."""
        found, deadline = set(), time.monotonic() + SCHEMA_TEST_TIME_S
        for tool in tools:
            if time.monotonic() > deadline or not self._compiles(tool):
                found.add(tool.name)
        return frozenset(found)

    def _compiles(self, tool: Tool) -> bool:
        try:
            self._cache.get(Constraint("json_schema", tool.parameters, strict=False))
        except ConstraintError:
            return False
        return True


def _paused(compiled: CompiledConstraint, *, applies_to_answer: bool = False) -> GrammarConstraint:
    return GrammarConstraint(
        compiled.matcher(), paused=True, applies_to_answer=applies_to_answer, not_enforced=compiled.not_enforced
    )
