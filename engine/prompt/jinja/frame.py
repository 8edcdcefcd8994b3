"""The state of one rendering: variables, output and budget."""

from __future__ import annotations

from collections.abc import Mapping

from engine.prompt.jinja.budget import Budget
from engine.prompt.jinja.values import Failure, Undefined

MAX_DEPTH = 40
"""Limit for nested macro calls and recursive loops."""


class Run:
    """The global variables, output and budget of one rendering."""

    __slots__ = ("budget", "depth", "names", "output")

    def __init__(self, names: Mapping[str, object], budget: Budget) -> None:
        self.names = names
        self.budget = budget
        self.output: list[str] = []
        self.depth = 0

    def write(self, text: str) -> None:
        budget = self.budget
        budget.steps -= 1
        budget.bytes -= len(text)
        if budget.steps < 0 or budget.bytes < 0:
            budget.charge_steps(0)
            budget.check_bytes(0)
        self.output.append(text)

    def enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Failure("it calls itself too often")

    def leave(self) -> None:
        self.depth -= 1


class Frame:
    """The variables of one block. A name that is missing is looked up in the enclosing blocks."""

    __slots__ = ("names", "outer", "run")

    def __init__(self, run: Run, outer: Frame | None = None) -> None:
        self.run = run
        self.outer = outer
        self.names: dict[str, object] = {}

    def load(self, name: str) -> object:
        frame: Frame | None = self
        while frame is not None:
            if name in frame.names:
                return frame.names[name]
            frame = frame.outer
        names = self.run.names
        return names[name] if name in names else Undefined(name)
