"""The values that templates can use besides Python's strings, numbers, lists and dictionaries."""

from __future__ import annotations

from collections.abc import Callable

Kwargs = dict[str, object]


class Failure(Exception):
    """The template cannot be compiled or rendered. The message is a short clause."""


class Refusal(Exception):
    """The template itself called `raise_exception`."""


class Undefined:
    """A missing variable or entry. It is false and prints as an empty text. Looking up anything in it is an error."""

    __slots__ = ("name",)

    def __init__(self, name: str = "") -> None:
        self.name = name

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Undefined)

    def __hash__(self) -> int:
        return 0

    def __str__(self) -> str:
        return ""

    def __repr__(self) -> str:
        return "Undefined"


class EmptyContent(str):
    """The content of a message that consists of tool calls only.

    In a template, `is none` is true for it, and it prints as an empty string."""

    __slots__ = ()


class Namespace:
    """The result of a template's `namespace()`. Its entries can be set inside a loop."""

    __slots__ = ("entries",)

    def __init__(self, entries: dict[str, object]) -> None:
        self.entries = entries

    def __repr__(self) -> str:
        return "<namespace>"


class Function:
    """A function that a template can call. `call` takes positional arguments and keyword arguments."""

    __slots__ = ("call", "name")

    def __init__(self, name: str, call: Callable[[list[object], Kwargs], object]) -> None:
        self.name = name
        self.call = call

    def __repr__(self) -> str:
        return f"<function {self.name}>"


class Loop:
    """The value of the variable `loop` inside a template's `for` loop."""

    __slots__ = ("depth0", "index0", "items", "recurse", "seen")

    def __init__(self, items: list[object], depth0: int, recurse: Function | None) -> None:
        self.items = items
        self.depth0 = depth0
        self.recurse = recurse
        self.index0 = 0
        self.seen: object = None

    def entry(self, name: str) -> object:
        n, at = len(self.items), self.index0
        match name:
            case "index0":
                return at
            case "index":
                return at + 1
            case "first":
                return at == 0
            case "last":
                return at == n - 1
            case "length":
                return n
            case "revindex":
                return n - at
            case "revindex0":
                return n - at - 1
            case "depth":
                return self.depth0 + 1
            case "depth0":
                return self.depth0
            case "previtem":
                return self.items[at - 1] if at else Undefined(name)
            case "nextitem":
                return self.items[at + 1] if at + 1 < n else Undefined(name)
            case "cycle":
                return Function(name, lambda args, _: args[at % len(args)])
            case "changed":
                return Function(name, self._changed)
        return Undefined(name)

    def _changed(self, args: list[object], _: Kwargs) -> object:
        before, self.seen = self.seen, args
        return before is None or any(one is not other for one, other in zip(before, args, strict=False))  # type: ignore[call-overload]


def is_none(value: object) -> bool:
    return value is None or type(value) is EmptyContent
