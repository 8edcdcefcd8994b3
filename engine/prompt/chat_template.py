"""Renders a model's chat template: turns messages into prompt text.

A template is code from the model file. It runs in our own interpreter (engine/prompt/jinja), which cannot reach Python
objects and limits the time and memory of each rendering. Templates never come from a request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from engine.errors import TemplateError
from engine.prompt.jinja.budget import Budget
from engine.prompt.jinja.program import Program
from engine.prompt.jinja.values import EmptyContent, Failure, Refusal
from engine.prompt.tool_presentation import ARGUMENT_FORMS, ArgumentForm, message_object, tool_object
from engine.requests import Message, Tool, n_chars_of_messages

STEPS, STEPS_PER_MESSAGE, STEPS_PER_CHAR = 2_000_000, 5_000, 4
"""Limit for the steps of one rendering (units of computing time; each evaluated expression takes at least one).

A hostile loop ends after about 2 s. A long chat needs a fraction of the limit."""

BYTES, BYTES_PER_CHAR = 64 << 20, 32
"""Limit for the bytes that one rendering allocates. Bytes that were already freed still count."""

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""The template for models without a chat template."""

_GENERATION_TAG = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")


class TemplateRefusal(TemplateError):
    """The template rejects the messages with `raise_exception`."""


class ChatTemplate:
    """A compiled template. `render` may be called on any thread."""

    def __init__(self, source: str | None, *, bos: str, eos: str) -> None:
        """Compiles the template `source`. Raises TemplateError if it cannot be parsed."""
        self._special_tokens = {"bos_token": bos, "eos_token": eos}
        # Phi's template reads the tools from the system message, as text.
        self._tools_in_system_message = "'tools' in message" in (source or "")
        # Generation tags mark text for training. They do not change the text, and Jinja2 does not support them.
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
        """The text of the prompt.

        `tools`: the tools that the template lists itself (see `present_tools`). `arguments`: further template
        variables, such as enable_thinking. Raises TemplateError if the template rejects the messages, fails, or exceeds
        its limits."""
        context = {
            **(arguments or {}),
            "add_generation_prompt": add_generation_prompt,
            **self._special_tokens,
        }
        if tools:
            context["tools"] = [tool_object(tool) for tool in tools]
        n_chars = n_chars_of_messages(messages) + sum(len(tool.description) + len(tool.parameters) for tool in tools)
        first_error: TemplateError | None = None
        for form in ARGUMENT_FORMS if any(message.tool_calls for message in messages) else ARGUMENT_FORMS[:1]:
            context["messages"] = self._messages(messages, tools, form)
            try:
                return self._render(context, len(messages), n_chars)
            except TemplateError as error:
                first_error = error if first_error is None or form == "text" else first_error
        assert first_error is not None
        raise first_error

    def _messages(
        self, messages: Sequence[Message], tools: Sequence[Tool], form: ArgumentForm
    ) -> list[dict[str, object]]:
        names = {call.id: call.name for message in messages for call in message.tool_calls}
        rendered = [message_object(message, names, form) for message in messages]
        rendered = [m | {"content": EmptyContent()} if "tool_calls" in m and not m["content"] else m for m in rendered]
        if tools and self._tools_in_system_message:
            if not rendered or rendered[0]["role"] != "system":
                rendered.insert(0, {"role": "system", "content": ""})
            tool_objects = [tool_object(tool)["function"] for tool in tools]
            rendered[0]["tools"] = json.dumps(tool_objects, ensure_ascii=False)
        return rendered

    def _render(self, context: Mapping[str, object], n_messages: int, n_chars: int) -> str:
        steps = STEPS + STEPS_PER_MESSAGE * n_messages + STEPS_PER_CHAR * n_chars
        try:
            return self._program.render(context, Budget(steps, BYTES + BYTES_PER_CHAR * n_chars))
        except Refusal as refusal:
            raise TemplateRefusal(str(refusal)) from None
        except Failure as error:
            raise TemplateError(str(error)) from None
