"""The tests that templates can use, as in `value is name`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.prompt.jinja.budget import Budget
from engine.prompt.jinja.operators import COMPARISONS
from engine.prompt.jinja.values import Function, Namespace, Undefined, is_none

Predicate = Callable[[Budget, Any, list[Any]], bool]


def _comparison(name: str) -> Predicate:
    return lambda budget, value, args: COMPARISONS[name](budget, value, args[0])


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _case(holds: Callable[[str], bool]) -> Predicate:
    def predicate(budget: Budget, value: Any, args: list[Any]) -> bool:
        if not isinstance(value, str):
            return False
        budget.charge_reading(len(value))
        return holds(value)

    return predicate


PREDICATES: dict[str, Predicate] = {
    "boolean": lambda budget, value, args: isinstance(value, bool),
    "callable": lambda budget, value, args: isinstance(value, Function),
    "defined": lambda budget, value, args: not isinstance(value, Undefined),
    "divisibleby": lambda budget, value, args: value % args[0] == 0 if _number(value) else False,
    "escaped": lambda budget, value, args: False,
    "even": lambda budget, value, args: value % 2 == 0 if _number(value) else False,
    "false": lambda budget, value, args: value is False,
    "float": lambda budget, value, args: isinstance(value, float),
    "integer": lambda budget, value, args: isinstance(value, int) and not isinstance(value, bool),
    "iterable": lambda budget, value, args: isinstance(value, str | list | tuple | dict | range | Undefined),
    "lower": _case(str.islower),
    "mapping": lambda budget, value, args: isinstance(value, dict | Namespace),
    "none": lambda budget, value, args: is_none(value),
    "number": lambda budget, value, args: isinstance(value, int | float),
    "odd": lambda budget, value, args: value % 2 == 1 if _number(value) else False,
    "sameas": lambda budget, value, args: value is args[0],
    "sequence": lambda budget, value, args: isinstance(value, str | list | tuple | dict | range),
    "string": lambda budget, value, args: isinstance(value, str),
    "true": lambda budget, value, args: value is True,
    "undefined": lambda budget, value, args: isinstance(value, Undefined),
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
