"""Fields that control whether and how much the model reasons, and further arguments of its chat template."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.body import INT32_MAX, Body
from api.errors import BadRequest, UnsupportedParameter
from engine.requests import Effort

EFFORTS: dict[str, Effort] = {
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}

RESERVED_ARGUMENTS = frozenset(
    (
        *("messages", "tools", "documents", "add_generation_prompt", "continue_final_message"),
        *("bos_token", "eos_token", "chat_template", "raise_exception", "strftime_now"),
    )
)
"""Template arguments that are set from the conversation and the model. `chat_template_kwargs` must not contain them."""

TemplateArgument = tuple[str, bool | int | float | str]


class ReasoningFields(Body):
    """Body fields that control reasoning: OpenAI's `reasoning_effort`, then those of llama.cpp's server."""

    reasoning_effort: str | None = None
    chat_template_kwargs: dict[str, object] | None = None
    reasoning_budget_tokens: Annotated[int, Field(ge=-1, le=INT32_MAX)] | None = None


def reasoning_options(fields: ReasoningFields) -> tuple[bool | None, Effort | None, tuple[TemplateArgument, ...]]:
    """Returns whether the model reasons, its reasoning effort, and further template arguments.

    None means that the template decides. Raises BadRequest, UnsupportedParameter."""
    arguments: list[TemplateArgument] = []
    enabled, effort = parse_effort(fields.reasoning_effort, "reasoning_effort")
    if fields.reasoning_budget_tokens == 0:
        enabled = False
    elif fields.reasoning_budget_tokens not in (None, -1):
        raise UnsupportedParameter("reasoning_budget_tokens")
    for name, value in (fields.chat_template_kwargs or {}).items():
        path = f"chat_template_kwargs.{name}"
        match name, value:
            case _, None:
                pass
            case "enable_thinking" | "thinking", bool():
                enabled = value
            case "enable_thinking" | "thinking", _:
                raise BadRequest(f"'{path}' must be true or false.", path)
            case "reasoning_effort", str():
                enabled, effort = parse_effort(value, path)
            case _, bool() | int() | float() | str() if name.isidentifier() and name not in RESERVED_ARGUMENTS:
                arguments.append((name, value))
            case _:
                raise UnsupportedParameter(path)
    return enabled, effort, tuple(arguments)


def parse_effort(word: str | None, path: str) -> tuple[bool | None, Effort | None]:
    """Returns whether the model reasons, and its reasoning effort. None means that the template decides.

    Raises BadRequest, which names `path`."""
    if word is None:
        return None, None
    if word == "none":
        return False, None
    if word not in EFFORTS:
        raise BadRequest(f"'{path}' must be none, minimal, low, medium, high or xhigh.", path)
    return None, EFFORTS[word]
