"""A model's chat template: messages → the text that the model reads.

A template is code from the model's file, so it runs in MiniJinja: it reaches no Python objects, and `FUEL` bounds
its work. Templates never come from a request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import minijinja

from engine.errors import TemplateError
from engine.requests import Message

FUEL = 5_000_000
"""MiniJinja instructions for one rendering: some 40 ms of hostile loops, far above a long honest chat."""

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""For models whose file has no template."""

_GENERATION_TAG = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")


class ChatTemplate:
    """A compiled template. Rendering may be done on any thread, one at a time."""

    def __init__(self, source: str | None, *, bos: str, eos: str) -> None:
        """Raises TemplateError where `source` does not parse."""
        self._environment = minijinja.Environment(
            fuel=FUEL,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            debug=False,
            auto_escape_callback=lambda name: False,
        )
        self._environment.add_filter("tojson", _tojson)
        self._environment.add_global("raise_exception", _raise_exception)
        self._environment.add_global("strftime_now", _strftime_now)
        self._names = {"bos_token": bos, "eos_token": eos}
        # Marks for training masks, without effect on the text; MiniJinja has no such tag.
        text = _GENERATION_TAG.sub("", source if source is not None else CHATML)
        try:
            self._environment.add_template("chat", text)
        except minijinja.TemplateError as error:
            raise TemplateError(_first_line(error)) from None

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool = True) -> str:
        """The prompt's text. Raises TemplateError where the template refuses, errs, or runs out of fuel."""
        context: Mapping[str, object] = {
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "add_generation_prompt": add_generation_prompt,
            **self._names,
        }
        try:
            return self._environment.render_template("chat", **context)
        except _Refused as refusal:
            raise TemplateError(str(refusal)) from None
        except (minijinja.TemplateError, ValueError, TypeError, RecursionError) as error:
            raise TemplateError(_first_line(error)) from None


class _Refused(Exception):
    """The template itself called `raise_exception`."""


def _raise_exception(message: str) -> None:
    raise _Refused(message)


def _strftime_now(pattern: str) -> str:
    return datetime.now().astimezone().strftime(pattern)


def _tojson(value: object, indent: int | None = None, ensure_ascii: bool = False, **_: object) -> str:
    """As the templates' authors know it from transformers: not escaped for HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
