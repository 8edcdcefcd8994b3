"""The methods of strings, lists and dictionaries that templates can call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.prompt.jinja.budget import Budget
from engine.prompt.jinja.operators import MAX_WIDTH, brace_format, entries_of, equal, items_of, key_of, text_of
from engine.prompt.jinja.values import Failure, Kwargs, Namespace, Undefined

Method = Callable[[Budget, Any, list[Any], Kwargs], object]

_READING_METHODS = (
    "count endswith find index isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable"
    " isspace istitle isupper rfind rindex startswith"
)
_CHANGING_METHODS = "capitalize casefold lower lstrip removeprefix removesuffix rstrip strip swapcase title upper"
_SPLITTING_METHODS = "partition rpartition rsplit split splitlines"
_PADDING_METHODS = "center ljust rjust zfill"


def method(value: object, name: str) -> Method | None:
    """The method `name` of the value; None if templates cannot call it."""
    match value:
        case str():
            return STRING.get(name)
        case list() | tuple():
            return LIST.get(name) if isinstance(value, list) or name in ("index", "count") else None
        case dict():
            return DICTIONARY.get(name)
        case Namespace():
            return DICTIONARY.get(name) if name in ("get", "items", "keys", "values") else None
    return None


def _plain(budget: Budget, args: list[Any]) -> list[Any]:
    """Checks that the arguments of a string method are not undefined, and charges for their size."""
    for each in args:
        if isinstance(each, Undefined):
            raise Failure("an argument is undefined")
        budget.measure(each)
    return args


def _n_comparisons(value: str, args: list[Any]) -> int:
    """The number of comparisons that are needed to compare each character of `value` with each one of the first
    argument."""
    return len(value) * len(args[0]) if args and isinstance(args[0], str) else len(value)


def _reading_method(name: str) -> Method:
    def call(budget: Budget, value: str, args: list[Any], kwargs: Kwargs) -> object:
        # In Python, a search from the right takes quadratic time, a search from the left linear time.
        budget.charge_reading(_n_comparisons(value, args) if name in ("rfind", "rindex") else len(value))
        args = [tuple(each) if isinstance(each, list) else each for each in _plain(budget, args)]
        return getattr(str, name)(str(value), *args, **kwargs)

    return call


def _changing_method(name: str) -> Method:
    def call(budget: Budget, value: str, args: list[Any], kwargs: Kwargs) -> object:
        budget.charge_reading(_n_comparisons(value, args))  # strip() compares with each character of its argument
        budget.check_bytes(3 * len(value))
        result: str = getattr(str, name)(str(value), *_plain(budget, args), **kwargs)
        return budget.charge_text(result)

    return call


def _splitting_method(name: str) -> Method:
    def call(budget: Budget, value: str, args: list[Any], kwargs: Kwargs) -> object:
        budget.charge_reading(_n_comparisons(value, args) if name in ("rsplit", "rpartition") else len(value))
        separator = args[0] if args else kwargs.get("sep")
        n_most = value.count(separator) + 1 if isinstance(separator, str) and separator else len(value) // 2 + 1
        budget.check_bytes(64 * n_most + len(value))
        result = getattr(str, name)(str(value), *_plain(budget, args), **kwargs)
        budget.charge_entries(len(result))
        budget.charge_bytes(len(value) if value.isascii() else 4 * len(value))
        return result if name.endswith("partition") else list(result)

    return call


def _padding_method(name: str) -> Method:
    def call(budget: Budget, value: str, args: list[Any], kwargs: Kwargs) -> object:
        if not args or not isinstance(args[0], int) or args[0] > max(MAX_WIDTH, len(value)):
            raise Failure("a width is too large")
        result: str = getattr(str, name)(str(value), *_plain(budget, args), **kwargs)
        return budget.charge_text(result)

    return call


def _join(budget: Budget, value: str, args: list[Any], kwargs: Kwargs) -> object:
    items = items_of(budget, args[0])
    texts = [text_of(budget, each) for each in items]
    budget.check_bytes(sum(map(len, texts)) + len(value) * len(texts))
    return budget.charge_text(str.join(value, texts))


def replace(budget: Budget, value: str, args: list[Any], kwargs: Kwargs) -> object:
    """The method `replace` of strings."""
    old, new = text_of(budget, args[0]), text_of(budget, args[1])
    count = args[2] if len(args) > 2 else kwargs.get("count", -1)
    budget.charge_reading(len(value))
    n = value.count(old) if old else len(value) + 1
    budget.check_bytes(len(value) + max(0, len(new) - len(old)) * n)
    return budget.charge_text(str(value).replace(old, new, count if isinstance(count, int) else -1))


def _expandtabs(budget: Budget, value: str, args: list[Any], kwargs: Kwargs) -> object:
    width = args[0] if args else kwargs.get("tabsize", 8)
    if not isinstance(width, int) or width > 64:
        raise Failure("a width is too large")
    budget.check_bytes(64 * len(value))
    return budget.charge_text(str(value).expandtabs(width))


STRING: dict[str, Method] = {
    **{name: _reading_method(name) for name in _READING_METHODS.split()},
    **{name: _changing_method(name) for name in _CHANGING_METHODS.split()},
    **{name: _splitting_method(name) for name in _SPLITTING_METHODS.split()},
    **{name: _padding_method(name) for name in _PADDING_METHODS.split()},
    "join": _join,
    "replace": replace,
    "expandtabs": _expandtabs,
    "format": lambda budget, value, args, kwargs: brace_format(budget, value, args, kwargs),
    "format_map": lambda budget, value, args, kwargs: brace_format(budget, value, (), entries_of(budget, args[0])),
}


def _append(budget: Budget, value: list[object], args: list[Any], kwargs: Kwargs) -> object:
    budget.charge_entries(1)
    value.append(args[0])
    return None


def _extend(budget: Budget, value: list[object], args: list[Any], kwargs: Kwargs) -> object:
    value.extend(items_of(budget, args[0]))
    return None


def _insert(budget: Budget, value: list[object], args: list[Any], kwargs: Kwargs) -> object:
    budget.charge_entries(1)
    budget.charge_reading(len(value))
    value.insert(args[0], args[1])
    return None


def _pop(budget: Budget, value: list[object], args: list[Any], kwargs: Kwargs) -> object:
    budget.charge_reading(len(value))
    return value.pop(*args)


def _index(budget: Budget, value: list[object], args: list[Any], kwargs: Kwargs) -> int:
    for n, each in enumerate(value):
        if equal(budget, each, args[0]):
            return n
    raise Failure("the value is not in the list")


def _remove(budget: Budget, value: list[object], args: list[Any], kwargs: Kwargs) -> object:
    place = _index(budget, value, args, kwargs)
    value.pop(place)
    return None


def _reverse(budget: Budget, value: list[object], args: list[Any], kwargs: Kwargs) -> object:
    budget.charge_reading(len(value) << 4)
    value.reverse()
    return None


def _sort(budget: Budget, value: list[Any], args: list[Any], kwargs: Kwargs) -> object:
    budget.measure(value)
    budget.charge_steps(8 * len(value))
    value.sort(reverse=bool(kwargs.get("reverse", False)))
    return None


def _copy(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    budget.charge_entries(len(value))
    return value.copy()


def _clear(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    value.clear()
    return None


LIST: dict[str, Method] = {
    "append": _append,
    "extend": _extend,
    "insert": _insert,
    "pop": _pop,
    "index": _index,
    "remove": _remove,
    "reverse": _reverse,
    "sort": _sort,
    "copy": _copy,
    "clear": _clear,
    "count": lambda budget, value, args, kwargs: sum(equal(budget, each, args[0]) for each in value),
}


def _get(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
    return _entries(value).get(key_of(budget, args[0]), args[1] if len(args) > 1 else kwargs.get("default"))


def _entries(value: Any) -> dict[Any, Any]:
    return value.entries if isinstance(value, Namespace) else value


def _listing_method(operation: Callable[[dict[Any, Any]], list[object]]) -> Method:
    def call(budget: Budget, value: Any, args: list[Any], kwargs: Kwargs) -> object:
        entries = _entries(value)
        budget.charge_entries(len(entries))
        return operation(entries)

    return call


def _update(budget: Budget, value: dict[Any, object], args: list[Any], kwargs: Kwargs) -> object:
    budget.charge_entries(len(kwargs))
    value.update(entries_of(budget, args[0]) if args else {}, **kwargs)
    return None


def _set_default(budget: Budget, value: dict[Any, object], args: list[Any], kwargs: Kwargs) -> object:
    budget.charge_entries(1)
    return value.setdefault(key_of(budget, args[0]), args[1] if len(args) > 1 else None)


def _pop_key(budget: Budget, value: dict[Any, object], args: list[Any], kwargs: Kwargs) -> object:
    key = key_of(budget, args[0])
    if key in value:
        return value.pop(key)
    if len(args) > 1:
        return args[1]
    raise Failure("the dictionary has no such key")


DICTIONARY: dict[str, Method] = {
    "get": _get,
    "items": _listing_method(lambda entries: list(entries.items())),
    "keys": _listing_method(lambda entries: list(entries)),
    "values": _listing_method(lambda entries: list(entries.values())),
    "update": _update,
    "setdefault": _set_default,
    "pop": _pop_key,
    "popitem": lambda budget, value, args, kwargs: value.popitem(),
    "copy": _copy,
    "clear": _clear,
}
