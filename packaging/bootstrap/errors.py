"""The errors of set-up.

SetupError          one sentence for the user: what happened and what to do
└── ChildFailed     a child process failed; its output is in build/setup.log
"""

from __future__ import annotations


class SetupError(Exception):
    """Its text is shown to the user unchanged."""


class ChildFailed(SetupError):
    """`code`: the exit code of the child process. `output`: its last lines."""

    def __init__(self, sentence: str, code: int, output: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.output = output
