"""OpenAI's chat completions → the engine's requests. Pure: ids come from outside."""

from __future__ import annotations

from dataclasses import replace

from pydantic import ValidationError

from api.errors import BadRequest, UnsupportedParameter
from api.fields.constraints import constraint
from api.fields.sampling import for_choice, sampling
from api.fields.tools import FunctionBody, may_be_several, named_tool, tool, tool_choice, tools
from api.fields.unsupported_params import reject_unsupported
from api.openai.chat import messages
from api.openai.chat.schemas import ChatCompletionBody, StreamOptions
from engine.requests import ChatRequest, Effort, Message, Tool, ToolChoice

EFFORTS: dict[str, Effort] = {
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}

TEMPLATE_NAMES = frozenset(
    (
        *("messages", "tools", "documents", "add_generation_prompt", "continue_final_message"),
        *("bos_token", "eos_token", "chat_template", "raise_exception", "strftime_now"),
    )
)
"""What a template has from the conversation and the model, never from a request's further arguments."""

Argument = tuple[str, bool | int | float | str]


def chat_requests(body: ChatCompletionBody, request_id: str) -> tuple[ChatRequest, ...]:
    """One for each choice. Raises BadRequest (UnsupportedParameter for fields whose promise would be broken)."""
    first = chat_request(body, request_id)
    others = range(1, body.n or 1)
    return first, *(replace(first, sampling=for_choice(first.sampling, at), id=f"{request_id}-{at}") for at in others)


def chat_request(body: ChatCompletionBody, request_id: str) -> ChatRequest:
    """The first choice's request; raises as `chat_requests`."""
    reject_unsupported(body.model_extra or {})
    check_stream_options(body.stream_options, body.stream)
    said, answer_start = _messages(body)
    offered, choice = _tools(body)
    thinking, effort, arguments = thinking_of(body)
    return ChatRequest(
        messages=said,
        origin="endpoint",
        use_cache=body.use_cache,
        sampling=sampling(body),
        tools=offered,
        tool_choice=choice,
        parallel_tool_calls=may_be_several(choice, body.parallel_tool_calls) and body.functions is None,
        thinking=thinking,
        effort=effort,
        constraint=constraint(body, body.response_format),
        answer_start=answer_start,
        max_tokens=body.max_tokens if body.max_completion_tokens is None else body.max_completion_tokens,
        min_tokens=body.min_tokens or 0,
        stop=tuple(stop for stop in body.stop if stop),
        n_logprobs=n_logprobs(body),
        template_arguments=arguments,
        id=request_id,
    )


def check_stream_options(given: StreamOptions | None, stream: bool | None) -> None:
    if given is None:
        return
    if not stream:
        raise BadRequest("'stream_options' is only allowed when 'stream' is true.", "stream_options")
    if given.continuous_usage_stats:
        raise UnsupportedParameter("stream_options.continuous_usage_stats")


def n_logprobs(body: ChatCompletionBody) -> int | None:
    if body.logprobs:
        return body.top_logprobs or 0
    if body.top_logprobs:
        raise BadRequest("'top_logprobs' is only allowed when 'logprobs' is true.", "top_logprobs")
    return None


def _messages(body: ChatCompletionBody) -> tuple[tuple[Message, ...], str]:
    """The messages, and what the answer begins with already."""
    said = tuple(messages.message(message, f"messages[{i}]") for i, message in enumerate(body.messages))
    if not body.continue_final_message:
        if body.add_generation_prompt is False:
            raise UnsupportedParameter("add_generation_prompt")
        return said, ""
    if body.add_generation_prompt:
        raise BadRequest("An answer is either continued or begun.", "continue_final_message")
    if said[-1].role != "assistant" or said[-1].tool_calls or len(said) == 1:
        raise BadRequest("Only an assistant's text can be continued.", "continue_final_message")
    return said[:-1], said[-1].content


def _tools(body: ChatCompletionBody) -> tuple[tuple[Tool, ...], ToolChoice]:
    if body.functions is None:
        offered, choice = tool_choice(body.tool_choice, tools(body.tools or ()))
    else:
        if body.tools:
            raise BadRequest("'functions' is the old name of 'tools'; send one of both.", "functions")
        offered, choice = _functions(body)
    return (offered, choice) if offered else ((), "auto")


def _functions(body: ChatCompletionBody) -> tuple[tuple[Tool, ...], ToolChoice]:
    try:
        found = [FunctionBody.model_validate(each) for each in body.functions or ()]
    except ValidationError:
        raise BadRequest("'functions' must be a list of functions with names.", "functions") from None
    offered = tuple(tool(each.name, each.description, each.parameters) for each in found)
    match body.function_call:
        case None | "auto":
            return offered, "auto"
        case "none":
            return (), "none"
        case {"name": str(name)}:
            return named_tool(name, offered)
    raise BadRequest("'function_call' must be none, auto, or name a function.", "function_call")


def thinking_of(body: ChatCompletionBody) -> tuple[bool | None, Effort | None, tuple[Argument, ...]]:
    """Whether and how much the model reasons, and further arguments of its template. Raises BadRequest,
    UnsupportedParameter."""
    arguments: list[Argument] = []
    thinking, effort = effort_of(body.reasoning_effort, "reasoning_effort")
    if body.reasoning_budget_tokens == 0:
        thinking = False
    elif body.reasoning_budget_tokens not in (None, -1):
        raise UnsupportedParameter("reasoning_budget_tokens")
    for name, value in (body.chat_template_kwargs or {}).items():
        path = f"chat_template_kwargs.{name}"
        match name, value:
            case _, None:
                pass
            case "enable_thinking" | "thinking", bool():
                thinking = value
            case "enable_thinking" | "thinking", _:
                raise BadRequest(f"'{path}' must be true or false.", path)
            case "reasoning_effort", str():
                thinking, effort = effort_of(value, path)
            case _, bool() | int() | float() | str() if name.isidentifier() and name not in TEMPLATE_NAMES:
                arguments.append((name, value))
            case _:
                raise UnsupportedParameter(path)
    return thinking, effort, tuple(arguments)


def effort_of(word: str | None, path: str) -> tuple[bool | None, Effort | None]:
    if word is None:
        return None, None
    if word == "none":
        return False, None
    if word not in EFFORTS:
        raise BadRequest(f"'{path}' must be none, minimal, low, medium, high or xhigh.", path)
    return None, EFFORTS[word]
