"""Compiles the expressions of a template to Python functions that evaluate them in a frame."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.prompt.jinja.budget import is_small
from engine.prompt.jinja.filters import FILTERS
from engine.prompt.jinja.frame import Frame
from engine.prompt.jinja.methods import method
from engine.prompt.jinja.operators import (
    COMPARISONS,
    add,
    concatenate,
    entry_of,
    index_of,
    items_of,
    key_of,
    modulo,
    multiply,
    numeric,
    power,
    slice_of,
)
from engine.prompt.jinja.predicates import PREDICATES
from engine.prompt.jinja.values import Failure, Function, Kwargs, Loop, Undefined

if TYPE_CHECKING:
    from jinja2 import nodes

Expression = Callable[[Frame], Any]
ArgumentsOf = Callable[[Frame], tuple[list[Any], Kwargs]]

_BINARY = {
    "Add": add,
    "Sub": numeric(operator.sub),
    "Mul": multiply,
    "Div": numeric(operator.truediv),
    "FloorDiv": numeric(operator.floordiv),
    "Mod": modulo,
    "Pow": power,
}


def expression(node: Any) -> Expression:
    """Compiles a node of Jinja2's syntax tree to a function. Each evaluation charges one step.

    Raises Failure for unsupported nodes."""
    name = type(node).__name__
    build = _BUILDERS.get(name)
    if name in _BINARY:
        evaluate = _binary(node, name)
    elif build is not None:
        evaluate = build(node)
    else:
        raise Failure(f"{name} is not supported")

    # Every expression is charged here, so no operator, chain or argument list is free.
    def charged(frame: Frame) -> Any:
        budget = frame.run.budget
        budget.steps -= 1
        if budget.steps < 0:
            budget.charge_steps(0)
        return evaluate(frame)

    return charged


def _binary(node: nodes.BinExpr, name: str) -> Expression:
    left, right, operation = expression(node.left), expression(node.right), _BINARY[name]
    return lambda frame: operation(frame.run.budget, left(frame), right(frame))


def _name(node: nodes.Name) -> Expression:
    name = node.name
    return lambda frame: frame.load(name)


def _constant(node: Any) -> Expression:
    value = node.value if hasattr(node, "value") else node.data
    if not is_small(value):
        raise Failure("a number is too large")
    return lambda frame: value


def _list(node: Any) -> Expression:
    items = [expression(item) for item in node.items]

    def build(frame: Frame) -> list[object]:
        frame.run.budget.charge_entries(len(items))
        return [item(frame) for item in items]

    return build


def _tuple(node: nodes.Tuple) -> Expression:
    build = _list(node)
    return lambda frame: tuple(build(frame))


def _dict(node: nodes.Dict) -> Expression:
    pairs = [(expression(pair.key), expression(pair.value)) for pair in node.items]

    def build(frame: Frame) -> dict[Any, object]:
        budget = frame.run.budget
        budget.charge_entries(len(pairs))
        return {key_of(budget, key(frame)): value(frame) for key, value in pairs}

    return build


def _condition(node: nodes.CondExpr) -> Expression:
    test, then = expression(node.test), expression(node.expr1)
    otherwise = expression(node.expr2) if node.expr2 is not None else lambda frame: Undefined()
    return lambda frame: then(frame) if test(frame) else otherwise(frame)


def _and(node: nodes.And) -> Expression:
    left, right = expression(node.left), expression(node.right)
    return lambda frame: left(frame) and right(frame)


def _or(node: nodes.Or) -> Expression:
    left, right = expression(node.left), expression(node.right)
    return lambda frame: left(frame) or right(frame)


def _not(node: nodes.Not) -> Expression:
    value = expression(node.node)
    return lambda frame: not value(frame)


def _negative(node: nodes.Neg) -> Expression:
    value = expression(node.node)
    return lambda frame: multiply(frame.run.budget, value(frame), -1)


def _concat(node: nodes.Concat) -> Expression:
    values = [expression(each) for each in node.nodes]
    return lambda frame: concatenate(frame.run.budget, [value(frame) for value in values])


def _compare(node: nodes.Compare) -> Expression:
    first = expression(node.expr)
    rest = [(COMPARISONS[operand.op], expression(operand.expr)) for operand in node.ops]
    if len(rest) == 1:
        ((operation, second),) = rest
        return lambda frame: operation(frame.run.budget, first(frame), second(frame))

    def compare(frame: Frame) -> bool:
        left = first(frame)
        for operation, operand in rest:
            right = operand(frame)
            if not operation(frame.run.budget, left, right):
                return False
            left = right
        return True

    return compare


def _getattr(node: nodes.Getattr) -> Expression:
    value, name = expression(node.node), node.attr

    def get(frame: Frame) -> object:
        receiver = value(frame)
        if type(receiver) is dict and name in receiver:
            return receiver[name]
        found = entry_of(frame.run.budget, receiver, name)
        if isinstance(found, Undefined) and (operation := method(receiver, name)) is not None:
            return Function(name, lambda args, kwargs: operation(frame.run.budget, receiver, args, kwargs))
        return found

    return get


def _getitem(node: nodes.Getitem) -> Expression:
    value = expression(node.node)
    if type(node.arg).__name__ == "Slice":
        bounds: Any = node.arg
        start, stop, step = (
            expression(each) if each is not None else lambda frame: None
            for each in (bounds.start, bounds.stop, bounds.step)
        )
        return lambda frame: slice_of(frame.run.budget, value(frame), start(frame), stop(frame), step(frame))
    index = expression(node.arg)
    return lambda frame: index_of(frame.run.budget, value(frame), index(frame))


def arguments_of(node: Any) -> ArgumentsOf:
    """Compiles the arguments of a call, a filter or a test."""
    places = [expression(each) for each in node.args or ()]
    names = [(each.key, expression(each.value)) for each in node.kwargs or ()]
    more = expression(node.dyn_args) if node.dyn_args is not None else None
    more_kwargs = expression(node.dyn_kwargs) if node.dyn_kwargs is not None else None

    def evaluate(frame: Frame) -> tuple[list[Any], Kwargs]:
        budget = frame.run.budget
        found = [place(frame) for place in places]
        kwargs = {name: value(frame) for name, value in names}
        if more is not None:
            found += items_of(budget, more(frame))
        if more_kwargs is not None:
            rest = more_kwargs(frame)
            budget.charge_entries(len(rest))
            kwargs |= {str(name): value for name, value in rest.items()}
        return found, kwargs

    return evaluate


def _call(node: nodes.Call) -> Expression:
    arguments_in = arguments_of(node)
    if type(node.node).__name__ == "Getattr":
        return _method_call(node.node, arguments_in)  # type: ignore[arg-type]
    called = expression(node.node)

    return lambda frame: _do_call(called(frame), *arguments_in(frame))


def _method_call(node: nodes.Getattr, arguments_in: ArgumentsOf) -> Expression:
    value, name = expression(node.node), node.attr

    def call(frame: Frame) -> object:
        budget = frame.run.budget
        receiver = value(frame)
        operation = method(receiver, name)
        if operation is not None and not (isinstance(receiver, dict) and isinstance(receiver.get(name), Function)):
            return operation(budget, receiver, *arguments_in(frame))
        return _do_call(entry_of(budget, receiver, name), *arguments_in(frame), name)

    return call


def _do_call(called: object, args: list[Any], kwargs: Kwargs, name: str = "") -> object:
    if isinstance(called, Loop) and called.recurse is not None:
        called = called.recurse
    if not isinstance(called, Function):
        what = called.name if isinstance(called, Undefined) else name
        raise Failure(f"{what or 'a value'} cannot be called")
    return called.call(args, kwargs)


def _unknown(reason: str) -> Callable[..., Any]:
    """A stand-in for a filter or test that does not exist.

    It raises Failure when it is called, not when the template is compiled."""

    def fail(*_: object) -> Any:
        raise Failure(reason)

    return fail


def _filter(node: nodes.Filter) -> Expression:
    operation = FILTERS.get(node.name) or _unknown(f"there is no filter named {node.name}")
    value = expression(node.node) if node.node is not None else None
    arguments_in = arguments_of(node)

    def run(frame: Frame) -> object:
        args, kwargs = arguments_in(frame)
        return operation(frame.run.budget, value(frame) if value is not None else None, args, kwargs)

    return run


def filter_text(node: nodes.Filter | None) -> Callable[[Frame, str], object]:
    """Compiles the filters of a filter block to a function that applies them to the block's text."""
    if node is None:
        return lambda frame, text: text
    operation = FILTERS.get(node.name) or _unknown(f"there is no filter named {node.name}")
    inner, arguments_in = filter_text(node.node), arguments_of(node)  # type: ignore[arg-type]

    def run(frame: Frame, text: str) -> object:
        args, kwargs = arguments_in(frame)
        return operation(frame.run.budget, inner(frame, text), args, kwargs)

    return run


def _test(node: nodes.Test) -> Expression:
    operation = PREDICATES.get(node.name) or _unknown(f"there is no test named {node.name}")
    value, arguments_in = expression(node.node), arguments_of(node)

    return lambda frame: operation(frame.run.budget, value(frame), arguments_in(frame)[0])


_BUILDERS: dict[str, Callable[[Any], Expression]] = {
    "And": _and,
    "Call": _call,
    "Compare": _compare,
    "Concat": _concat,
    "CondExpr": _condition,
    "Const": _constant,
    "Dict": _dict,
    "Filter": _filter,
    "Getattr": _getattr,
    "Getitem": _getitem,
    "List": _list,
    "Name": _name,
    "Neg": _negative,
    "Not": _not,
    "Or": _or,
    "Pos": lambda node: expression(node.node),
    "TemplateData": _constant,
    "Test": _test,
    "Tuple": _tuple,
}
