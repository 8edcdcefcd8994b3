"""The filters that templates can use. Each one charges the budget before it does expensive work."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from engine.prompt.jinja.budget import Budget
from engine.prompt.jinja.methods import DICTIONARY, STRING
from engine.prompt.jinja.operators import (
    COMPARISONS,
    MAX_WIDTH,
    add,
    entry_of,
    equal,
    index_of,
    items_of,
    name_of,
    percent_format,
    text_of,
)
from engine.prompt.jinja.predicates import PREDICATES
from engine.prompt.jinja.values import EmptyContent, Failure, Kwargs, Undefined

Filter = Callable[[Budget, Any, list[Any], Kwargs], object]


def _method(name: str) -> Filter:
    """A filter that calls a string method on its value, converted to text."""
    return lambda budget, value, args, kwargs: STRING[name](budget, text_of(budget, value), args, kwargs)


def _argument(args: list[Any], kwargs: Kwargs, place: int, name: str, default: Any = None) -> Any:
    return args[place] if len(args) > place else kwargs.get(name, default)


def _default(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    also_false = _argument(args, kwargs, 1, "boolean", False)
    missing = isinstance(value, Undefined) or (bool(also_false) and not value)
    return _argument(args, kwargs, 0, "default_value", "") if missing else value


def _length(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    return 0 if value is None or isinstance(value, Undefined) else len(value)


def _join(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    attribute = _argument(args, kwargs, 1, "attribute")
    items = [_attribute(budget, each, attribute) for each in items_of(budget, value)]
    return STRING["join"](budget, text_of(budget, _argument(args, kwargs, 0, "d", "")), [items], {})


def _trim(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    letters = _argument(args, kwargs, 0, "chars")
    return STRING["strip"](budget, text_of(budget, value), [letters] if letters else [], {})


def tojson(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    """The filter `tojson`, which writes JSON as in transformers: without escapes for HTML."""
    # The first positional argument is `ensure_ascii` in transformers, but `indent` in Jinja2.
    flag_first = bool(args) and isinstance(args[0], bool)
    ascii_only = bool(args[0] if flag_first else kwargs.get("ensure_ascii", False))
    indent = _argument(args, kwargs, 1 if flag_first else 0, "indent")
    if isinstance(indent, Undefined):
        indent = None
    separators = kwargs.get("separators")
    if isinstance(separators, list | tuple):
        separators = tuple(name_of(each)[:8] for each in separators)
    if (isinstance(indent, int) and indent > 16) or (isinstance(indent, str) and len(indent) > 16):
        raise Failure("an indent is too large")
    n, depth, n_chars = budget.measure(value)
    per_entry = 24 + (depth * 16 if indent is not None else 0)
    budget.check_bytes(n * per_entry + n_chars * (6 if ascii_only else 2))
    return budget.charge_text(
        json.dumps(
            None if isinstance(value, Undefined | EmptyContent) else value,
            ensure_ascii=ascii_only,
            indent=indent,
            separators=separators,  # type: ignore[arg-type]
            sort_keys=bool(kwargs.get("sort_keys", False)),
            default=_json_default,
        )
    )


def _from_json(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    text = text_of(budget, value)
    budget.check_bytes(32 * len(text))
    result = json.loads(text, parse_int=lambda digits: budget.check_number(int(digits)))
    n, _, _ = budget.measure(result)
    budget.charge_entries(n)
    return result


def _json_default(value: object) -> object:
    if isinstance(value, Undefined):
        return None
    raise Failure(f"a {type(value).__name__.lower()} cannot be written as JSON")


def _indent(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    text, width = text_of(budget, value), _argument(args, kwargs, 0, "width", 4)
    before = width if isinstance(width, str) else " " * min(int(width), 128)
    first, blank = _argument(args, kwargs, 1, "first", False), _argument(args, kwargs, 2, "blank", False)
    budget.charge_reading(len(text))
    budget.check_bytes(len(text) + (text.count("\n") + 1) * (len(before) + 64))
    lines = text.split("\n")
    rest = [before + line if line or blank else line for line in lines[1:]]
    return budget.charge_text("\n".join([before + lines[0] if first else lines[0], *rest]))


def _truncate(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    text, length = text_of(budget, value), int(_argument(args, kwargs, 0, "length", 255))
    end = text_of(budget, _argument(args, kwargs, 2, "end", "..."))
    leeway = _argument(args, kwargs, 3, "leeway", 5)
    if len(text) <= length + (leeway if isinstance(leeway, int) else 5):
        return text
    cut = text[: max(0, length - len(end))]
    return budget.charge_text((cut if _argument(args, kwargs, 1, "killwords", False) else cut.rsplit(" ", 1)[0]) + end)


def _wordwrap(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    text, width = text_of(budget, value), int(_argument(args, kwargs, 0, "width", 79))
    budget.charge_reading(len(text) ** 2 // max(width, 1))  # textwrap copies the rest of a long word for each line
    budget.check_bytes(64 * len(text))
    lines = [
        textwrap.wrap(line, max(width, 1), expand_tabs=False, replace_whitespace=False) for line in text.split("\n")
    ]
    return budget.charge_text("\n".join("\n".join(line) for line in lines))


def _center(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    return STRING["center"](budget, text_of(budget, value), [_argument(args, kwargs, 0, "width", 80)], {})


def _escape(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    text = text_of(budget, value)
    budget.check_bytes(6 * len(text))
    for letter, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&#34;"), ("'", "&#39;")):
        text = text.replace(letter, name)
    return budget.charge_text(text)


def _int(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    try:
        if isinstance(value, str) and len(value) <= 80:
            return budget.check_number(int(value, int(_argument(args, kwargs, 1, "base", 10))))
        return budget.check_number(int(value))
    except (TypeError, ValueError, OverflowError):
        return _argument(args, kwargs, 0, "default", 0)


def _float(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    try:
        if isinstance(value, str):
            budget.charge_reading(len(value))
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return _argument(args, kwargs, 0, "default", 0.0)


def _round(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    digits = min(max(int(_argument(args, kwargs, 0, "precision", 0)), -300), 300)
    how = _argument(args, kwargs, 1, "method", "common")
    if not isinstance(value, int | float):
        raise Failure(f"a {type(value).__name__.lower()} cannot be rounded")
    if how == "common":
        return round(float(value), digits)
    return (math.ceil if how == "ceil" else math.floor)(value * 10**digits) / 10**digits


def _first(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    return next(iter(value), Undefined("first")) if value else Undefined("first")


def _last(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    items = value if isinstance(value, list | tuple | str) else items_of(budget, value)
    return items[-1] if items else Undefined("last")


def _reverse(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    if isinstance(value, str):
        budget.check_bytes(len(value))
        return budget.charge_text(value[::-1])
    return items_of(budget, value)[::-1]


def _attribute(budget: Budget, value: Any, path: Any) -> Any:
    """Looks up an attribute of a value. `path` is a name, a dotted path, or an index."""
    if path is None:
        return value
    for part in name_of(path).split(".") if not isinstance(path, int) else [path]:
        value = index_of(budget, value, int(part) if isinstance(part, int) or part.isdecimal() else part)
    return value


def _sort_key(budget: Budget, kwargs: Kwargs, args: list[Any]) -> Callable[[Any], Any]:
    """The key function of a sort filter, whose arguments are `reverse`, `case_sensitive`, `attribute`."""
    as_written, attribute = _argument(args, kwargs, 1, "case_sensitive", False), _argument(args, kwargs, 2, "attribute")

    def key(value: Any) -> Any:
        found = _attribute(budget, value, attribute)
        budget.measure(found)
        return found if as_written else _lower(budget, found)

    return key


def _lower(budget: Budget, value: Any) -> Any:
    return STRING["lower"](budget, value, [], {}) if isinstance(value, str) else value


def _sort(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    items = items_of(budget, value)
    budget.charge_steps(8 * len(items))
    return sorted(
        items, key=_sort_key(budget, kwargs, args), reverse=bool(_argument(args, kwargs, 0, "reverse", False))
    )


def _dictsort(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    at = 1 if _argument(args, kwargs, 1, "by", "key") == "value" else 0
    as_written, reverse = (
        _argument(args, kwargs, 0, "case_sensitive", False),
        _argument(args, kwargs, 2, "reverse", False),
    )
    pairs = DICTIONARY["items"](budget, value, [], {})
    budget.charge_steps(8 * len(value))
    budget.measure([pair[at] for pair in pairs])  # type: ignore[attr-defined]

    def key(pair: Any) -> Any:
        return pair[at] if as_written else _lower(budget, pair[at])

    return sorted(pairs, key=key, reverse=bool(reverse))  # type: ignore[call-overload]


def _unique(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    key = _sort_key(budget, {"case_sensitive": _argument(args, kwargs, 0, "case_sensitive", False)} | kwargs, [])
    seen: list[Any] = []
    found: list[Any] = []
    for each in items_of(budget, value):
        key_value = key(each)
        if not any(equal(budget, key_value, one) for one in seen):
            seen.append(key_value)
            found.append(each)
    return found


def _groupby(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    attribute = _argument(args, kwargs, 0, "attribute")
    groups: list[tuple[Any, list[Any]]] = []
    for each in _sort(budget, value, [], {"attribute": attribute}):  # type: ignore[attr-defined]
        group_key = _attribute(budget, each, attribute)
        if groups and equal(budget, groups[-1][0], group_key):
            groups[-1][1].append(each)
        else:
            groups.append((group_key, [each]))
    return groups


def _map(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    items = items_of(budget, value)
    if "attribute" in kwargs:
        found = [_attribute(budget, each, kwargs["attribute"]) for each in items]
        return [kwargs.get("default", each) if isinstance(each, Undefined) else each for each in found]
    operation, rest = FILTERS[name_of(args[0])], args[1:]
    budget.charge_steps(len(items))
    return [operation(budget, each, rest, kwargs) for each in items]


def _selected(wanted: bool, by_attribute: bool) -> Filter:
    def select(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
        path, rest = (args[0], args[1:]) if by_attribute else (None, args)
        name, arguments = (name_of(rest[0]), rest[1:]) if rest else ("", [])
        found = []
        for each in items_of(budget, value):
            budget.charge_steps()
            attribute_value = _attribute(budget, each, path)
            holds = PREDICATES[name](budget, attribute_value, arguments) if name else bool(attribute_value)
            if holds is wanted:
                found.append(each)
        return found

    return select


def _sum(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    total = _argument(args, kwargs, 1, "start", 0)
    for each in items_of(budget, value):
        total = add(budget, total, _attribute(budget, each, _argument(args, kwargs, 0, "attribute")))
    return total


def _extreme(comparison: str) -> Filter:
    def find(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
        key = _sort_key(budget, kwargs, [None, *args])
        best: Any = Undefined(comparison)
        for each in items_of(budget, value):
            if isinstance(best, Undefined) or COMPARISONS[comparison](budget, key(each), key(best)):
                best = each
        return best

    return find


def _parts(budget: Budget, value: Any, n: int, args: list[Any], kwargs: Kwargs, *, by_size: bool) -> object:
    items = items_of(budget, value)
    if n < 1 or n > MAX_WIDTH:
        raise Failure("the number of parts is too large, or none")
    fill = _argument(args, kwargs, 1, "fill_with")
    budget.charge_entries(n + len(items))
    if by_size:
        rows = [items[at : at + n] for at in range(0, len(items), n)]
        return [row + [fill] * (n - len(row)) if fill is not None else row for row in rows]
    size, more = divmod(len(items), n)
    starts = [at * size + min(at, more) for at in range(n + 1)]
    columns = [items[start:end] for start, end in pairwise(starts)]
    return [
        [*column, fill] if fill is not None and more and at >= more else column for at, column in enumerate(columns)
    ]


def _urlencode(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    text = text_of(budget, value)
    budget.check_bytes(12 * len(text))
    return budget.charge_text(quote(text, safe="/"))


def _wordcount(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    return len(STRING["split"](budget, text_of(budget, value), [], {}))  # type: ignore[arg-type]


def _list(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    return items_of(budget, value)


def _items(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    return [] if isinstance(value, Undefined) else DICTIONARY["items"](budget, value, [], {})


def _string(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    return text_of(budget, value)


FILTERS: dict[str, Filter] = {
    **{name: _method(name) for name in ("capitalize", "lower", "replace", "title", "upper")},
    "abs": lambda budget, value, args, kwargs: abs(value),
    "attr": lambda budget, value, args, kwargs: entry_of(budget, value, name_of(args[0])),
    "batch": lambda budget, value, args, kwargs: _parts(
        budget, value, int(_argument(args, kwargs, 0, "linecount", 0)), args, kwargs, by_size=True
    ),
    "bool": lambda budget, value, args, kwargs: bool(value),
    "center": _center,
    "default": _default,
    "dictsort": _dictsort,
    "escape": _escape,
    "first": _first,
    "float": _float,
    "format": lambda budget, value, args, kwargs: percent_format(budget, text_of(budget, value), kwargs or tuple(args)),
    "from_json": _from_json,
    "fromjson": _from_json,
    "groupby": _groupby,
    "indent": _indent,
    "int": _int,
    "items": _items,
    "join": _join,
    "last": _last,
    "length": _length,
    "list": _list,
    "map": _map,
    "max": _extreme("gt"),
    "min": _extreme("lt"),
    "reject": _selected(False, False),
    "rejectattr": _selected(False, True),
    "reverse": _reverse,
    "round": _round,
    "safe": _string,
    "select": _selected(True, False),
    "selectattr": _selected(True, True),
    "slice": lambda budget, value, args, kwargs: _parts(
        budget, value, int(_argument(args, kwargs, 0, "slices", 0)), args, kwargs, by_size=False
    ),
    "sort": _sort,
    "split": lambda budget, value, args, kwargs: STRING["split"](budget, text_of(budget, value), args, kwargs),
    "string": _string,
    "sum": _sum,
    "tojson": tojson,
    "trim": _trim,
    "truncate": _truncate,
    "unique": _unique,
    "urlencode": _urlencode,
    "wordcount": _wordcount,
    "wordwrap": _wordwrap,
}
FILTERS |= {"d": _default, "e": _escape, "count": _length, "forceescape": _escape, "strip": _trim}
