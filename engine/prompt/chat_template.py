"""A model's chat template: messages → the text that the model reads.

A template is code from the model's file, so it runs in an interpreter of our own (engine/prompt/jinja): it reaches no
Python objects, and a budget bounds its time and its memory, in each rendering. Templates never come from a request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from engine.errors import TemplateError
from engine.prompt.jinja.budget import Budget
from engine.prompt.jinja.program import Program
from engine.prompt.jinja.values import Failure, NoText, Refusal
from engine.prompt.tool_presentation import ARGUMENT_FORMS, ArgumentForm, message_object, tool_object
from engine.requests import Message, Tool, n_chars_of_messages

STEPS, STEPS_A_MESSAGE, STEPS_A_CHAR = 2_000_000, 5_000, 4
"""Limit of steps of one rendering: a hostile loop ends after some 2 s; a long chat needs a fraction of it."""

BYTES, BYTES_A_CHAR = 64 << 20, 32
"""Limit of the bytes that one rendering allocates, including what it frees again."""

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""For models whose file has no template."""

_GENERATION_TAG = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")


class TemplateRefusal(TemplateError):
    """The template rejects these messages by `raise_exception`."""


class ChatTemplate:
    """A compiled template. Rendering may be done on any thread."""

    def __init__(self, source: str | None, *, bos: str, eos: str) -> None:
        """Raises TemplateError where `source` does not parse."""
        self._names = {"bos_token": bos, "eos_token": eos}
        # Phi's template takes the tools, as text, from the system message.
        self._tools_in_message = "'tools' in message" in (source or "")
        # Marks for training masks, without effect on the text; Jinja2 has no such tag.
        text = _GENERATION_TAG.sub("", source if source is not None else CHATML)
        try:
            self._program = Program(text)
        except Failure as error:
            raise TemplateError(str(error)) from None

    def render(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Tool] = (),
        arguments: Mapping[str, object] | None = None,
        add_generation_prompt: bool = True,
    ) -> str:
        """The prompt's text. `tools` are those that the template shows itself
        (engine.prompt.tool_presentation.prepare);
        `arguments` are further names for it, such as enable_thinking. Raises TemplateError where the template
        refuses, errs, or takes too much time or memory."""
        context = {
            **(arguments or {}),
            "add_generation_prompt": add_generation_prompt,
            **self._names,
        }
        if tools:
            context["tools"] = [tool_object(tool) for tool in tools]
        n_chars = n_chars_of_messages(messages) + sum(len(tool.description) + len(tool.parameters) for tool in tools)
        failure: TemplateError | None = None
        for form in ARGUMENT_FORMS if any(message.tool_calls for message in messages) else ARGUMENT_FORMS[:1]:
            context["messages"] = self._messages(messages, tools, form)
            try:
                return self._render(context, len(messages), n_chars)
            except TemplateError as error:
                failure = error if failure is None or form == "text" else failure
        assert failure is not None
        raise failure

    def _messages(
        self, messages: Sequence[Message], tools: Sequence[Tool], form: ArgumentForm
    ) -> list[dict[str, object]]:
        names = {call.id: call.name for message in messages for call in message.tool_calls}
        told = [message_object(message, names, form) for message in messages]
        told = [m | {"content": NoText()} if "tool_calls" in m and not m["content"] else m for m in told]
        if tools and self._tools_in_message:
            if not told or told[0]["role"] != "system":
                told.insert(0, {"role": "system", "content": ""})
            tool_objects = [tool_object(tool)["function"] for tool in tools]
            told[0]["tools"] = json.dumps(tool_objects, ensure_ascii=False)
        return told

    def _render(self, context: Mapping[str, object], n_messages: int, n_chars: int) -> str:
        steps = STEPS + STEPS_A_MESSAGE * n_messages + STEPS_A_CHAR * n_chars
        try:
            return self._program.render(context, Budget(steps, BYTES + BYTES_A_CHAR * n_chars))
        except Refusal as refusal:
            raise TemplateRefusal(str(refusal)) from None
        except Failure as error:
            raise TemplateError(str(error)) from None
