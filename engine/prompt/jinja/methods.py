"""Python's methods of strings, lists and dictionaries, as templates call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.prompt.jinja.budget import Budget
from engine.prompt.jinja.operators import MAX_WIDTH, brace_format, entries_of, equal, items_of, key_of, text_of
from engine.prompt.jinja.values import Arguments, Failure, Namespace, Undefined

Method = Callable[[Budget, Any, list[Any], Arguments], object]

_READS = (
    "count endswith find index isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable"
    " isspace istitle isupper rfind rindex startswith"
)
_CHANGES = "capitalize casefold lower lstrip removeprefix removesuffix rstrip strip swapcase title upper"
_DIVIDES = "partition rpartition rsplit split splitlines"
_PADS = "center ljust rjust zfill"


def method(value: object, name: str) -> Method | None:
    """None where a value has no such method."""
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


def _plain(budget: Budget, given: list[Any]) -> list[Any]:
    """Arguments of a string's method: plain values, or a tuple of them."""
    for each in given:
        if isinstance(each, Undefined):
            raise Failure("an argument is undefined")
        budget.measure(each)
    return given


def _compared(value: str, given: list[Any]) -> int:
    """Comparisons of characters, where each of `value` is compared with those of the first argument."""
    return len(value) * len(given[0]) if given and isinstance(given[0], str) else len(value)


def _reads(name: str) -> Method:
    def call(budget: Budget, value: str, given: list[Any], named: Arguments) -> object:
        # Searches from the right take quadratic time in Python, those from the left linear time.
        budget.look(_compared(value, given) if name in ("rfind", "rindex") else len(value))
        given = [tuple(each) if isinstance(each, list) else each for each in _plain(budget, given)]
        return getattr(str, name)(str(value), *given, **named)

    return call


def _changes(name: str) -> Method:
    def call(budget: Budget, value: str, given: list[Any], named: Arguments) -> object:
        budget.look(_compared(value, given))  # strip() tries each character of its argument
        budget.allow(3 * len(value))
        made: str = getattr(str, name)(str(value), *_plain(budget, given), **named)
        return budget.text(made)

    return call


def _divides(name: str) -> Method:
    def call(budget: Budget, value: str, given: list[Any], named: Arguments) -> object:
        budget.look(_compared(value, given) if name in ("rsplit", "rpartition") else len(value))
        separator = given[0] if given else named.get("sep")
        n_most = value.count(separator) + 1 if isinstance(separator, str) and separator else len(value) // 2 + 1
        budget.allow(64 * n_most + len(value))
        made = getattr(str, name)(str(value), *_plain(budget, given), **named)
        budget.entries(len(made))
        budget.take(len(value) if value.isascii() else 4 * len(value))
        return made if name.endswith("partition") else list(made)

    return call


def _pads(name: str) -> Method:
    def call(budget: Budget, value: str, given: list[Any], named: Arguments) -> object:
        if not given or not isinstance(given[0], int) or given[0] > max(MAX_WIDTH, len(value)):
            raise Failure("a width is too large")
        made: str = getattr(str, name)(str(value), *_plain(budget, given), **named)
        return budget.text(made)

    return call


def _join(budget: Budget, value: str, given: list[Any], named: Arguments) -> object:
    items = items_of(budget, given[0])
    texts = [text_of(budget, each) for each in items]
    budget.allow(sum(map(len, texts)) + len(value) * len(texts))
    return budget.text(str.join(value, texts))


def replace(budget: Budget, value: str, given: list[Any], named: Arguments) -> object:
    """As `str.replace`."""
    old, new = text_of(budget, given[0]), text_of(budget, given[1])
    count = given[2] if len(given) > 2 else named.get("count", -1)
    budget.look(len(value))
    n = value.count(old) if old else len(value) + 1
    budget.allow(len(value) + max(0, len(new) - len(old)) * n)
    return budget.text(str(value).replace(old, new, count if isinstance(count, int) else -1))


def _expandtabs(budget: Budget, value: str, given: list[Any], named: Arguments) -> object:
    width = given[0] if given else named.get("tabsize", 8)
    if not isinstance(width, int) or width > 64:
        raise Failure("a width is too large")
    budget.allow(64 * len(value))
    return budget.text(str(value).expandtabs(width))


STRING: dict[str, Method] = {
    **{name: _reads(name) for name in _READS.split()},
    **{name: _changes(name) for name in _CHANGES.split()},
    **{name: _divides(name) for name in _DIVIDES.split()},
    **{name: _pads(name) for name in _PADS.split()},
    "join": _join,
    "replace": replace,
    "expandtabs": _expandtabs,
    "format": lambda budget, value, given, named: brace_format(budget, value, given, named),
    "format_map": lambda budget, value, given, named: brace_format(budget, value, (), entries_of(budget, given[0])),
}


def _append(budget: Budget, value: list[object], given: list[Any], named: Arguments) -> object:
    budget.entries(1)
    value.append(given[0])
    return None


def _extend(budget: Budget, value: list[object], given: list[Any], named: Arguments) -> object:
    value.extend(items_of(budget, given[0]))
    return None


def _insert(budget: Budget, value: list[object], given: list[Any], named: Arguments) -> object:
    budget.entries(1)
    budget.look(len(value))
    value.insert(given[0], given[1])
    return None


def _pop(budget: Budget, value: list[object], given: list[Any], named: Arguments) -> object:
    budget.look(len(value))
    return value.pop(*given)


def _index(budget: Budget, value: list[object], given: list[Any], named: Arguments) -> int:
    for n, each in enumerate(value):
        if equal(budget, each, given[0]):
            return n
    raise Failure("the value is not in the list")


def _remove(budget: Budget, value: list[object], given: list[Any], named: Arguments) -> object:
    place = _index(budget, value, given, named)
    value.pop(place)
    return None


def _reverse(budget: Budget, value: list[object], given: list[Any], named: Arguments) -> object:
    budget.look(len(value) << 4)
    value.reverse()
    return None


def _sort(budget: Budget, value: list[Any], given: list[Any], named: Arguments) -> object:
    budget.measure(value)
    budget.spend(8 * len(value))
    value.sort(reverse=bool(named.get("reverse", False)))
    return None


def _copy(budget: Budget, value: Any, given: list[Any], named: Arguments) -> object:
    budget.entries(len(value))
    return value.copy()


def _clear(budget: Budget, value: Any, given: list[Any], named: Arguments) -> object:
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
    "count": lambda budget, value, given, named: sum(equal(budget, each, given[0]) for each in value),
}


def _get(budget: Budget, value: Any, given: list[Any], named: Arguments) -> object:
    return _entries(value).get(key_of(budget, given[0]), given[1] if len(given) > 1 else named.get("default"))


def _entries(value: Any) -> dict[Any, Any]:
    return value.entries if isinstance(value, Namespace) else value


def _lists(act: Callable[[dict[Any, Any]], list[object]]) -> Method:
    def call(budget: Budget, value: Any, given: list[Any], named: Arguments) -> object:
        entries = _entries(value)
        budget.entries(len(entries))
        return act(entries)

    return call


def _update(budget: Budget, value: dict[Any, object], given: list[Any], named: Arguments) -> object:
    budget.entries(len(named))
    value.update(entries_of(budget, given[0]) if given else {}, **named)
    return None


def _set_default(budget: Budget, value: dict[Any, object], given: list[Any], named: Arguments) -> object:
    budget.entries(1)
    return value.setdefault(key_of(budget, given[0]), given[1] if len(given) > 1 else None)


def _pop_key(budget: Budget, value: dict[Any, object], given: list[Any], named: Arguments) -> object:
    key = key_of(budget, given[0])
    if key in value:
        return value.pop(key)
    if len(given) > 1:
        return given[1]
    raise Failure("the dictionary has no such key")


DICTIONARY: dict[str, Method] = {
    "get": _get,
    "items": _lists(lambda entries: list(entries.items())),
    "keys": _lists(lambda entries: list(entries)),
    "values": _lists(lambda entries: list(entries.values())),
    "update": _update,
    "setdefault": _set_default,
    "pop": _pop_key,
    "popitem": lambda budget, value, given, named: value.popitem(),
    "copy": _copy,
    "clear": _clear,
}
