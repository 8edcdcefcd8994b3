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
from engine.prompt.tools import message_object, tool_object
from engine.requests import Message, Tool

FUEL = 5_000_000
"""MiniJinja instructions for one rendering: some 40 ms of hostile loops, far above a long honest chat."""

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""For models whose file has no template."""

_GENERATION_TAG = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")


_NONE = re.compile(r"message\['content'\] is none\s*-?%\}")
# MiniJinja's lists have no methods that change them. Where a template uses them on a namespace, an assignment does it.
_APPEND = re.compile(r"set \w+ = (\w+\.\w+)\.append\((.+?)\)(?=\s*-?%\})")
_POP = re.compile(r"(\{%-?\s*)set (\w+) = (\w+\.\w+)\.pop\(0\)(\s*-?%\})")


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
        # DeepSeek's R1 shows calls only beside content that is none; other templates fail on none.
        self._wants_none = bool(_NONE.search(source or ""))
        # Phi's template takes the tools, as text, from the system message.
        self._tools_in_message = "'tools' in message" in (source or "")
        # Marks for training masks, without effect on the text; MiniJinja has no such tag.
        text = _GENERATION_TAG.sub("", source if source is not None else CHATML)
        text = _POP.sub(r"\1set \2 = \3[0]\4\1set \3 = \3[1:]\4", _APPEND.sub(r"set \1 = \1 + [\2]", text))
        try:
            self._environment.add_template("chat", text)
        except minijinja.TemplateError as error:
            raise TemplateError(_first_line(error)) from None

    def render(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Tool] = (),
        arguments: Mapping[str, object] | None = None,
        add_generation_prompt: bool = True,
    ) -> str:
        """The prompt's text. `tools` are those that the template shows itself (engine.prompt.tools.prepare);
        `arguments` are further names for it, such as enable_thinking. Raises TemplateError where the template
        refuses, errs, or runs out of fuel."""
        context = {
            **(arguments or {}),
            "messages": self._messages(messages, tools, arguments_as_text=False),
            "add_generation_prompt": add_generation_prompt,
            **self._names,
        }
        if tools:
            context["tools"] = [tool_object(tool) for tool in tools]
        try:
            return self._render(context)
        except TemplateError:
            if not any(message.tool_calls for message in messages):
                raise
            # Most templates want the arguments of past calls as an object; some join them to a string.
            return self._render(context | {"messages": self._messages(messages, tools, arguments_as_text=True)})

    def _messages(
        self, messages: Sequence[Message], tools: Sequence[Tool], *, arguments_as_text: bool
    ) -> list[dict[str, object]]:
        names = {call.id: call.name for message in messages for call in message.tool_calls}
        told = [message_object(message, names, arguments_as_text=arguments_as_text) for message in messages]
        if self._wants_none:
            told = [m | {"content": None} if "tool_calls" in m and not m["content"] else m for m in told]
        if tools and self._tools_in_message:
            if not told or told[0]["role"] != "system":
                told.insert(0, {"role": "system", "content": ""})
            told[0]["tools"] = _tojson([tool_object(tool)["function"] for tool in tools])
        return told

    def _render(self, context: Mapping[str, object]) -> str:
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
