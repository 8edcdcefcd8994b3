"""Gives templates Python's operators, string formatting and lookups. Each one charges the budget before it does
expensive work.
"""

from __future__ import annotations

import operator
import re
import string
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from engine.prompt.jinja.budget import Budget
from engine.prompt.jinja.values import Failure, Function, Kwargs, Loop, Namespace, Undefined, is_none

MAX_RANGE = 100_000
MAX_WIDTH = 10_000

_PERCENT = re.compile(r"%(?:\([^()]*\))?[#0\- +]*(\d*)(?:\.(\d*))?[hlL]?[a-zA-Z%]")
_FIELD = re.compile(r"\w*")
_SPEC = re.compile(r"(?:.?[<>=^])?[+\- ]?#?0?(\d{0,4})[,_]?(?:\.(\d{0,3}))?[a-zA-Z%]?")


def text_of(budget: Budget, value: object) -> str:
    """The text that a template prints for a value."""
    if isinstance(value, str):
        return value
    if isinstance(value, Undefined):
        return ""
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, list | tuple | dict):
        n, _, n_chars = budget.measure(value)
        budget.check_bytes(24 * n + 10 * n_chars)
        return budget.charge_text(str(value))
    raise Failure(f"a {type(value).__name__.lower()} cannot be printed")


def concatenate(budget: Budget, values: Iterable[object]) -> str:
    texts = [text_of(budget, value) for value in values]
    budget.charge_steps(len(texts))
    budget.check_bytes(sum(map(len, texts)))
    return budget.charge_text("".join(texts))


def add(budget: Budget, left: Any, right: Any) -> object:
    budget.charge_steps()
    if isinstance(left, str) and isinstance(right, str):
        budget.check_bytes(len(left) + len(right))
        return budget.charge_text(left + right)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        budget.charge_entries(len(left) + len(right))
        return [*left, *right] if isinstance(left, list) else (*left, *right)
    return _numeric(budget, operator.add, left, right)


def multiply(budget: Budget, left: Any, right: Any) -> object:
    budget.charge_steps()
    if isinstance(left, int) and isinstance(right, str | list | tuple):
        left, right = right, left
    if isinstance(left, str) and isinstance(right, int):
        budget.check_bytes(len(left) * max(right, 0))
        return budget.charge_text(left * right)
    if isinstance(left, list | tuple) and isinstance(right, int):
        budget.charge_entries(len(left) * max(right, 0))
        return left * right
    return _numeric(budget, operator.mul, left, right)


def modulo(budget: Budget, left: Any, right: Any) -> object:
    budget.charge_steps()
    if isinstance(left, str):
        return percent_format(budget, left, right)
    return _numeric(budget, operator.mod, left, right)


def power(budget: Budget, left: Any, right: Any) -> object:
    if isinstance(left, int) and isinstance(right, int) and abs(right) * max(left.bit_length(), 1) > 4096:
        raise Failure("a number is too large")
    return _numeric(budget, operator.pow, left, right)


def numeric(operation: Callable[[Any, Any], object]) -> Callable[[Budget, Any, Any], object]:
    return lambda budget, left, right: _numeric(budget, operation, left, right)


def _numeric(budget: Budget, operation: Callable[[Any, Any], object], left: Any, right: Any) -> object:
    budget.charge_steps()
    if not (isinstance(left, int | float) and isinstance(right, int | float)):
        names = [type(each).__name__ for each in (left, right)]
        raise Failure(f"{operation.__name__} of {names[0]} and {names[1]}")
    return budget.check_number(operation(left, right))


def percent_format(budget: Budget, template: str, args: object) -> str:
    """Evaluates `template % args`. Widths are limited."""
    budget.charge_reading(len(template))
    n_slots = at = 0
    while (at := template.find("%", at)) >= 0:
        found = _PERCENT.match(template, at)
        if found is None or not all(map(_is_narrow, found.groups())):
            raise Failure("this format is not supported, or too wide")
        n_slots, at = n_slots + 1, found.end()
    _, _, n_chars = budget.measure(args)
    budget.check_bytes(len(template) + n_slots * (10 * n_chars + 2 * MAX_WIDTH if n_slots < 64 else 10 * n_chars + 64))
    arguments = tuple(args) if isinstance(args, list) else args
    return budget.charge_text(template % arguments)


def _is_narrow(width: str | None) -> bool:
    return not width or (len(width) < 9 and int(width) <= MAX_WIDTH)


def brace_format(budget: Budget, template: str, args: Sequence[object], kwargs: Kwargs) -> str:
    """Evaluates `template.format(…)`. Widths are limited, and attributes and items of the arguments cannot be read."""
    parts: list[str] = []
    place = 0
    for literal, field, spec, conversion in string.Formatter().parse(template):
        budget.charge_reading(len(literal))
        parts.append(literal)
        if field is None:
            continue
        width = _SPEC.fullmatch(spec or "")
        if not _FIELD.fullmatch(field) or width is None or conversion not in (None, "s"):
            raise Failure("this format is not supported")
        if not field:
            field, place = str(place), place + 1
        value = args[int(field)] if field.isdecimal() else kwargs[field]
        plain = value if isinstance(value, int | float) and conversion is None else text_of(budget, value)
        parts.append(budget.charge_text(format(plain, spec or "")))
    return concatenate(budget, parts)


def equal(budget: Budget, left: object, right: object) -> bool:
    budget.charge_steps()
    if left is None or right is None:
        return is_none(left) and is_none(right)
    if isinstance(left, str) and isinstance(right, str):
        if len(left) != len(right):
            return False
        budget.charge_reading(len(left))
    elif isinstance(left, list | tuple | dict) and isinstance(right, list | tuple | dict):
        budget.measure(left)
        budget.measure(right)
    return left == right


def contains(budget: Budget, item: object, container: object) -> bool:
    match container:
        case str():
            budget.charge_reading(len(container))
            return text_of(budget, item) in container
        case dict():
            return not isinstance(item, Undefined) and key_of(budget, item) in container
        case list() | tuple() | range():
            return any(equal(budget, item, each) for each in container)
        case Undefined() | None:
            return False
        case Namespace():
            return key_of(budget, item) in container.entries
    raise Failure(f"a {type(container).__name__} is no container")


def ordered(operation: Callable[[Any, Any], bool]) -> Callable[[Budget, object, object], bool]:
    def compare(budget: Budget, left: object, right: object) -> bool:
        budget.charge_steps()
        for each in (left, right):
            if isinstance(each, str):
                budget.charge_reading(len(each))
            elif not isinstance(each, int | float):
                budget.measure(each)
        return operation(left, right)

    return compare


COMPARISONS: dict[str, Callable[[Budget, object, object], bool]] = {
    "eq": equal,
    "ne": lambda budget, left, right: not equal(budget, left, right),
    "in": contains,
    "notin": lambda budget, left, right: not contains(budget, left, right),
    "lt": ordered(operator.lt),
    "lteq": ordered(operator.le),
    "gt": ordered(operator.gt),
    "gteq": ordered(operator.ge),
}


def key_of(budget: Budget, key: object) -> Any:
    """Returns a dictionary key. Raises Failure unless it is a string, a number, a boolean or None.

    Hashing nested tuples would take time exponential in their depth."""
    if isinstance(key, str):
        budget.charge_reading(len(key))
    elif not (key is None or isinstance(key, int | float)):
        raise Failure(f"a {type(key).__name__} is no key")
    return key


def name_of(value: object) -> str:
    """Returns the computed name of an attribute, filter or test. Raises Failure unless it is a string.

    Converting nested lists to text would take time exponential in their depth."""
    if not isinstance(value, str):
        raise Failure(f"a {type(value).__name__.lower()} is no name")
    return value


def entries_of(budget: Budget, value: object) -> dict[Any, object]:
    """Creates a dictionary from another dictionary or a list of pairs."""
    pairs: Any = value.items() if isinstance(value, dict) else items_of(budget, value)
    budget.charge_entries(len(pairs))
    return {key_of(budget, key): entry for key, entry in pairs}


def items_of(budget: Budget, value: object) -> list[object]:
    """The items that a loop over `value` visits."""
    if isinstance(value, str | list | tuple | dict | range):
        budget.charge_entries(len(value))
        return list(value)
    if value is None or isinstance(value, Undefined):
        return []
    raise Failure(f"a {type(value).__name__} is not iterable")


def entry_of(budget: Budget, value: object, name: str) -> object:
    """Evaluates `value.name`, unless the name is a method."""
    budget.charge_steps()
    match value:
        case dict():
            return value.get(key_of(budget, name), Undefined(name))
        case Namespace():
            return value.entries.get(name, Undefined(name))
        case Loop():
            return value.entry(name)
        case Function() if name == "name":
            return value.name
        case Undefined():
            raise Failure(f"{value.name or 'a value'} is undefined")
        case list() | tuple() | str() if name.isdecimal():
            return index_of(budget, value, int(name))
    return Undefined(name)


def index_of(budget: Budget, value: object, index: object) -> object:
    """Evaluates `value[index]`."""
    if isinstance(value, list | tuple | str | range) and isinstance(index, int):
        budget.charge_steps()
        return value[index] if -len(value) <= index < len(value) else Undefined(str(index))
    if isinstance(value, dict):
        return value.get(key_of(budget, index), Undefined()) if not isinstance(index, Undefined) else index
    return entry_of(budget, value, index) if isinstance(index, str) else Undefined()


def slice_of(budget: Budget, value: Any, start: object, stop: object, step: object) -> object:
    """Evaluates `value[start:stop:step]`."""
    if isinstance(value, Undefined) or value is None:
        return []
    if not isinstance(value, list | tuple | str | range):
        raise Failure(f"a {type(value).__name__} cannot be sliced")
    cut = slice(*(each if isinstance(each, int) else None for each in (start, stop, step)))
    n = len(range(*cut.indices(len(value))))
    if isinstance(value, str):
        budget.check_bytes(n)
        return budget.charge_text(value[cut])
    budget.charge_entries(n)
    return list(value[cut]) if isinstance(value, range) else value[cut]
