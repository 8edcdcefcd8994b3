"""The tests that a template can make: `value is name`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.prompt.jinja.budget import Budget
from engine.prompt.jinja.operators import COMPARISONS
from engine.prompt.jinja.values import Function, Namespace, Undefined, is_none

Predicate = Callable[[Budget, Any, list[Any]], bool]


def _comparison(name: str) -> Predicate:
    return lambda budget, value, given: COMPARISONS[name](budget, value, given[0])


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _case(holds: Callable[[str], bool]) -> Predicate:
    def predicate(budget: Budget, value: Any, given: list[Any]) -> bool:
        if not isinstance(value, str):
            return False
        budget.look(len(value))
        return holds(value)

    return predicate


PREDICATES: dict[str, Predicate] = {
    "boolean": lambda budget, value, given: isinstance(value, bool),
    "callable": lambda budget, value, given: isinstance(value, Function),
    "defined": lambda budget, value, given: not isinstance(value, Undefined),
    "divisibleby": lambda budget, value, given: value % given[0] == 0 if _number(value) else False,
    "escaped": lambda budget, value, given: False,
    "even": lambda budget, value, given: value % 2 == 0 if _number(value) else False,
    "false": lambda budget, value, given: value is False,
    "float": lambda budget, value, given: isinstance(value, float),
    "integer": lambda budget, value, given: isinstance(value, int) and not isinstance(value, bool),
    "iterable": lambda budget, value, given: isinstance(value, str | list | tuple | dict | range | Undefined),
    "lower": _case(str.islower),
    "mapping": lambda budget, value, given: isinstance(value, dict | Namespace),
    "none": lambda budget, value, given: is_none(value),
    "number": lambda budget, value, given: isinstance(value, int | float),
    "odd": lambda budget, value, given: value % 2 == 1 if _number(value) else False,
    "sameas": lambda budget, value, given: value is given[0],
    "sequence": lambda budget, value, given: isinstance(value, str | list | tuple | dict | range),
    "string": lambda budget, value, given: isinstance(value, str),
    "true": lambda budget, value, given: value is True,
    "undefined": lambda budget, value, given: isinstance(value, Undefined),
    "upper": _case(str.isupper),
    **{name: _comparison(name) for name in ("eq", "ne", "lt", "gt", "in")},
    **{name: _comparison("eq") for name in ("==", "equalto")},
    **{name: _comparison("gt") for name in (">", "greaterthan")},
    **{name: _comparison("lt") for name in ("<", "lessthan")},
    "!=": _comparison("ne"),
    "ge": _comparison("gteq"),
    ">=": _comparison("gteq"),
    "le": _comparison("lteq"),
    "<=": _comparison("lteq"),
}
