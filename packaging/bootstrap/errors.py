"""The errors of set-up: SetupError, and its subclass ChildFailed for a child process that failed."""

from __future__ import annotations

from typing import Any


class Sentence(str):
    """A sentence with values: `Sentence("There is no file {path}.", path=path)`. The app translates `template`, and
    fills in `values`."""

    template: str
    values: dict[str, str]

    def __new__(cls, template: str, **values: Any) -> Sentence:
        texts = {name: str(value) for name, value in values.items()}
        sentence = super().__new__(cls, template.format(**texts))
        sentence.template, sentence.values = template, texts
        return sentence


class SetupError(Exception):
    """An error in one sentence that says what happened and what to do. The app shows the errors of builds that it has
    started in its own language, if they are of the type Sentence; otherwise errors are shown unchanged."""

    @property
    def report(self) -> dict[str, Any]:
        """The error for the app: the template of its sentence, and the values."""
        sentence = self.args[0] if self.args else ""
        if isinstance(sentence, Sentence):
            return {"error": sentence.template, "values": sentence.values}
        return {"error": str(sentence).replace("{", "{{").replace("}", "}}"), "values": {}}


class ChildFailed(SetupError):
    """A child process failed. `code` is its exit code, and `output` its last lines. The whole output is in
    build/setup.log."""

    def __init__(self, sentence: str, code: int, output: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.output = output
