"""What set-up tells the user when it cannot go on.

SetupError          one sentence: what happened and what to do
└── ChildFailed     a program that set-up started ended badly; what it printed is in build/setup.log
"""

from __future__ import annotations


class SetupError(Exception):
    """Its text is shown as it is, as one sentence."""


class ChildFailed(SetupError):
    """A child ended with `code`; `output` holds its last lines."""

    def __init__(self, sentence: str, code: int, output: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.output = output
