"""Compiles the statements of a template to functions that run them in a frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from engine.prompt.jinja.expressions import expression, filter_text
from engine.prompt.jinja.frame import Frame
from engine.prompt.jinja.operators import items_of, text_of
from engine.prompt.jinja.values import Failure, Function, Kwargs, Loop, Namespace, Undefined

if TYPE_CHECKING:
    from jinja2 import nodes

Signal = Literal["break", "continue"] | None
Statement = Callable[[Frame], Signal]
Target = Callable[[Frame, Any], None]


def statements(body: Sequence[Any]) -> Statement:
    """Compiles a list of statements. Raises Failure for unsupported nodes."""
    steps = [_statement(node) for node in body]

    def run(frame: Frame) -> Signal:
        for step in steps:
            signal = step(frame)
            if signal is not None:
                return signal
        return None

    return steps[0] if len(steps) == 1 else run


def _statement(node: Any) -> Statement:
    build = _BUILDERS.get(type(node).__name__)
    if build is None:
        raise Failure(f"{type(node).__name__} is not supported")
    return build(node)


def _output(node: nodes.Output) -> Statement:
    parts = [(expression(part), type(part).__name__ == "TemplateData") for part in node.nodes]

    def run(frame: Frame) -> Signal:
        write, budget = frame.run.write, frame.run.budget
        for part, is_text in parts:
            value = part(frame)
            write(value if is_text else text_of(budget, value))
        return None

    return run


def capture_output(frame: Frame, body: Statement) -> str:
    """Runs the statements of `body` and returns the text that they output."""
    run = frame.run
    before, run.output = run.output, []
    try:
        body(frame)
        return run.budget.charge_text("".join(run.output))
    finally:
        run.output = before


def target(node: Any) -> Target:
    """Compiles the target of an assignment to a function that sets it."""
    match type(node).__name__:
        case "Name":
            name = node.name

            def set_name(frame: Frame, value: Any) -> None:
                frame.run.budget.charge_steps()
                frame.names[name] = value

            return set_name
        case "NSRef":
            return _namespace_target(node.name, node.attr)
        case "Tuple":
            return _tuple_target([target(each) for each in node.items])
    raise Failure("this cannot be assigned to")


def _namespace_target(name: str, entry: str) -> Target:
    def set_entry(frame: Frame, value: Any) -> None:
        frame.run.budget.charge_entries(1)
        space = frame.load(name)
        if not isinstance(space, Namespace):
            raise Failure(f"{name} is no namespace")
        space.entries[entry] = value

    return set_entry


def _tuple_target(targets: list[Target]) -> Target:
    def set_all(frame: Frame, value: Any) -> None:
        values = items_of(frame.run.budget, value)
        if len(values) != len(targets):
            raise Failure(f"{len(values)} values for {len(targets)} names")
        for each, one in zip(targets, values, strict=True):
            each(frame, one)

    return set_all


def _assign(node: nodes.Assign) -> Statement:
    goal, value = target(node.target), expression(node.node)

    def run(frame: Frame) -> Signal:
        goal(frame, value(frame))
        return None

    return run


def _assign_block(node: nodes.AssignBlock) -> Statement:
    goal, body, filtered = target(node.target), statements(node.body), filter_text(node.filter)

    def run(frame: Frame) -> Signal:
        goal(frame, filtered(frame, capture_output(Frame(frame.run, frame), body)))
        return None

    return run


def _if(node: nodes.If) -> Statement:
    branches = [(expression(each.test), statements(each.body)) for each in (node, *node.elif_)]
    otherwise = statements(node.else_) if node.else_ else None

    def run(frame: Frame) -> Signal:
        for test, body in branches:
            if test(frame):
                return body(frame)
        return otherwise(frame) if otherwise is not None else None

    return run


class _For:
    def __init__(self, node: nodes.For) -> None:
        self._target = target(node.target)
        self._items = expression(node.iter)
        self._body = statements(node.body)
        self._otherwise = statements(node.else_) if node.else_ else None
        self._test = expression(node.test) if node.test is not None else None
        self._is_recursive = node.recursive

    def __call__(self, frame: Frame) -> Signal:
        self._go(frame, self._items(frame), 0)
        return None

    def _go(self, frame: Frame, values: object, depth0: int) -> None:
        run = frame.run
        items = items_of(run.budget, values)
        if self._test is not None:
            items = [item for item in items if self._passes(frame, item)]
        if not items and self._otherwise is not None:
            self._otherwise(Frame(run, frame))
            return
        loop = Loop(items, depth0, self._recursion(frame, depth0))
        for loop.index0, item in enumerate(items):
            run.budget.charge_steps()
            inner = Frame(run, frame)
            inner.names["loop"] = loop
            self._target(inner, item)
            if self._body(inner) == "break":
                break

    def _passes(self, frame: Frame, item: object) -> bool:
        inner = Frame(frame.run, frame)
        self._target(inner, item)
        return bool(self._test is None or self._test(inner))

    def _recursion(self, frame: Frame, depth0: int) -> Function | None:
        if not self._is_recursive:
            return None

        def again(args: list[Any], _: Kwargs) -> object:
            run = frame.run
            run.enter()

            def body(inner: Frame) -> Signal:
                self._go(inner, args[0], depth0 + 1)
                return None

            try:
                return capture_output(Frame(run, frame), body)
            finally:
                run.leave()

        return Function("loop", again)


class _Parameters:
    """The parameters of a macro."""

    def __init__(self, node: Any) -> None:
        self.names = [each.name for each in node.args]
        self._defaults = [expression(each) for each in node.defaults]

    def bind(self, frame: Frame, args: list[Any], kwargs: Kwargs) -> None:
        """Sets the arguments of a macro call as variables of `frame`, and also Jinja2's `varargs`, `kwargs` and
        `caller`."""
        rest = dict(kwargs)
        first_default = len(self.names) - len(self._defaults)
        for index, name in enumerate(self.names):
            if index < len(args):
                frame.names[name] = args[index]
            elif name in rest:
                frame.names[name] = rest.pop(name)
            elif index >= first_default:
                frame.names[name] = self._defaults[index - first_default](frame)
            else:
                frame.names[name] = Undefined(name)
        frame.names["varargs"] = tuple(args[len(self.names) :])
        frame.names["caller"] = rest.pop("caller", Undefined("caller"))
        frame.names["kwargs"] = rest


def _callable(node: Any, name: str) -> Callable[[Frame], Function]:
    """Compiles a macro or the body of a call block to a function that returns its output."""
    parameters, body = _Parameters(node), statements(node.body)

    def made(frame: Frame) -> Function:
        def call(args: list[Any], kwargs: Kwargs) -> object:
            run = frame.run
            run.enter()
            try:
                inner = Frame(run, frame)
                run.budget.charge_entries(len(parameters.names) + 3)
                parameters.bind(inner, args, kwargs)
                return capture_output(inner, body)
            finally:
                run.leave()

        return Function(name, call)

    return made


def _macro(node: nodes.Macro) -> Statement:
    name, made = node.name, _callable(node, node.name)

    def run(frame: Frame) -> Signal:
        frame.names[name] = made(frame)
        return None

    return run


def _call_block(node: nodes.CallBlock) -> Statement:
    made = _callable(node, "caller")
    call = node.call
    call.kwargs = [*call.kwargs, _caller_argument()]
    value = expression(call)

    def run(frame: Frame) -> Signal:
        inner = Frame(frame.run, frame)
        inner.names["the caller"] = made(frame)
        frame.run.write(text_of(frame.run.budget, value(inner)))
        return None

    return run


def _caller_argument() -> nodes.Keyword:
    from jinja2 import nodes

    return nodes.Keyword("caller", nodes.Name("the caller", "load"))


def _filter_block(node: nodes.FilterBlock) -> Statement:
    body, filtered = statements(node.body), filter_text(node.filter)

    def run(frame: Frame) -> Signal:
        text = filtered(frame, capture_output(Frame(frame.run, frame), body))
        frame.run.write(text_of(frame.run.budget, text))
        return None

    return run


def _with(node: nodes.With) -> Statement:
    pairs = [(target(each), expression(value)) for each, value in zip(node.targets, node.values, strict=True)]
    body = statements(node.body)

    def run(frame: Frame) -> Signal:
        inner = Frame(frame.run, frame)
        for each, value in pairs:
            each(inner, value(frame))
        return body(inner)

    return run


def _do(node: nodes.ExprStmt) -> Statement:
    value = expression(node.node)

    def run(frame: Frame) -> Signal:
        value(frame)
        return None

    return run


def _signal(signal: Signal) -> Callable[[Any], Statement]:
    return lambda node: lambda frame: signal


_BUILDERS: dict[str, Callable[[Any], Statement]] = {
    "Assign": _assign,
    "AssignBlock": _assign_block,
    "Block": lambda node: statements(node.body),
    "Break": _signal("break"),
    "CallBlock": _call_block,
    "Continue": _signal("continue"),
    "ExprStmt": _do,
    "FilterBlock": _filter_block,
    "For": _For,
    "If": _if,
    "Macro": _macro,
    "Output": _output,
    "Scope": lambda node: statements(node.body),
    "ScopedEvalContextModifier": lambda node: statements(node.body),
    "With": _with,
}
