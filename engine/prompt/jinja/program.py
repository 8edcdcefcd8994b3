"""Compiles a chat template to a program that renders it within a budget.

Only the parser of Jinja2 is used. Jinja2 itself would run a template as Python code, which can reach Python's objects
and has no limits of time and memory. Here a template can only reach its variables and values made from them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.prompt.jinja.budget import Budget
from engine.prompt.jinja.frame import Frame, Run
from engine.prompt.jinja.operators import MAX_RANGE, entries_of, text_of
from engine.prompt.jinja.statements import capture_output, statements
from engine.prompt.jinja.values import Failure, Function, Kwargs, Namespace, Refusal

MAX_SOURCE_CHARS = 1 << 19
"""Limit for the length of a template: twenty times the longest known one."""

_TIME_FORMAT = re.compile(r"(?:[^%]|%[-_0^#]?[a-zA-Z%]){0,200}")
_ERRORS = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError, MemoryError)


class Program:
    """A compiled template. `render` may run on several threads at once."""

    def __init__(self, source: str) -> None:
        """Compiles the template `source`. Raises Failure if it cannot be parsed or uses unsupported syntax."""
        # The import takes 0.1 s and is not needed to open the window.
        from jinja2 import Environment, TemplateError
        from jinja2.ext import ExprStmtExtension, LoopControlExtension

        if len(source) > MAX_SOURCE_CHARS:
            raise Failure("it is too long")
        # transformers uses the same options for chat templates.
        environment = Environment(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[LoopControlExtension, ExprStmtExtension],
        )
        try:
            self._body = statements(environment.parse(source).body)
        except (TemplateError, *_ERRORS) as error:
            raise Failure(_first_line(error)) from None

    def render(self, names: Mapping[str, object], budget: Budget) -> str:
        """Renders the program with the variables `names`.

        Raises Failure for errors and for an exceeded budget, Refusal if the template calls `raise_exception`."""
        run = Run({**_functions(budget), **names}, budget)
        try:
            return capture_output(Frame(run), self._body)
        except _ERRORS as error:
            raise Failure(_first_line(error)) from None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:500] or type(error).__name__


def _functions(budget: Budget) -> dict[str, Function]:
    def a_range(args: list[Any], _: Kwargs) -> object:
        numbers = range(*args)
        if len(numbers) > MAX_RANGE:
            raise Failure("a range is too long")
        return numbers

    def namespace(args: list[Any], kwargs: Kwargs) -> object:
        return Namespace(dictionary(args, kwargs))

    def dictionary(args: list[Any], kwargs: Kwargs) -> dict[str, object]:
        budget.charge_entries(len(kwargs))
        return (entries_of(budget, args[0]) if args else {}) | kwargs

    functions = {
        "range": a_range,
        "namespace": namespace,
        "dict": dictionary,
        "raise_exception": lambda args, _: _refuse(text_of(budget, args[0]) if args else ""),
        "strftime_now": lambda args, _: _now(text_of(budget, args[0])),
        "cycler": lambda args, _: _cycler(args),
        "joiner": lambda args, _: _joiner(text_of(budget, args[0]) if args else ", "),
    }
    return {name: Function(name, call) for name, call in functions.items()}


def _refuse(reason: str) -> None:
    raise Refusal(reason[:2000])


def _now(pattern: str) -> str:
    if not _TIME_FORMAT.fullmatch(pattern):
        raise Failure("this time format is not supported")
    return datetime.now().astimezone().strftime(pattern)


def _cycler(values: list[Any]) -> Namespace:
    space = Namespace({"current": values[0]})
    place = 0

    def following(_args: list[Any], _kwargs: Kwargs) -> object:
        nonlocal place
        found, place = values[place % len(values)], place + 1
        space.entries["current"] = values[place % len(values)]
        return found

    space.entries["next"] = Function("next", following)
    return space


def _joiner(separator: str) -> Function:
    used = False

    def call(_args: list[Any], _kwargs: Kwargs) -> object:
        nonlocal used
        used, before = True, used
        return separator if before else ""

    return Function("joiner", call)
