"""The errors of set-up: SetupError, and its subclass ChildFailed for a child process that failed."""

from __future__ import annotations


class SetupError(Exception):
    """An error in one sentence that says what happened and what to do. It is shown to the user unchanged."""


class ChildFailed(SetupError):
    """A child process failed. `code` is its exit code, and `output` its last lines. The whole output is in
    build/setup.log."""

    def __init__(self, sentence: str, code: int, output: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.output = output
