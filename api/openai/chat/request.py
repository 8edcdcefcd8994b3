"""Translates the body of a chat completion to the engine's requests. Does no I/O; the caller passes the ids."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from pydantic import ValidationError

from api.errors import BadRequest, UnsupportedParameter
from api.fields.constraints import constraint
from api.fields.content import result_text, text_of, unsupported_role
from api.fields.reasoning import reasoning_options
from api.fields.sampling import sampling, sampling_for_choice
from api.fields.tools import (
    FunctionBody,
    allows_parallel_calls,
    choose_named_tool,
    make_tool,
    parse_tool_choice,
    parse_tools,
)
from api.fields.unsupported_params import reject_unsupported
from api.openai.chat.schemas import ChatCompletionBody, ChatMessage, StreamOptions
from engine.requests import ChatRequest, Message, Tool, ToolCall, ToolChoice

ROLES: Mapping[str, str] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


def chat_requests(body: ChatCompletionBody, request_id: str) -> tuple[ChatRequest, ...]:
    """Returns one request for each choice. Raises BadRequest, UnsupportedParameter."""
    first = chat_request(body, request_id)
    others = [
        replace(first, sampling=sampling_for_choice(first.sampling, index), id=f"{request_id}-{index}")
        for index in range(1, body.n or 1)
    ]
    return first, *others


def chat_request(body: ChatCompletionBody, request_id: str) -> ChatRequest:
    """Returns the request for the first choice. Raises BadRequest, UnsupportedParameter."""
    reject_unsupported(body.model_extra)
    check_stream_options(body.stream_options, body.stream)
    messages, answer_start = _messages(body)
    tools, choice = _tools(body)
    thinking, effort, template_arguments = reasoning_options(body)
    return ChatRequest(
        messages=messages,
        origin="endpoint",
        use_cache=body.use_cache,
        n_draft_max=body.n_draft_max,
        adapter_scales=body.adapter_scales,
        wants_progress=bool(body.stream and body.return_progress),
        sampling=sampling(body),
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=allows_parallel_calls(choice, body.parallel_tool_calls) and body.functions is None,
        thinking=thinking,
        effort=effort,
        constraint=constraint(body, body.response_format),
        answer_start=answer_start,
        max_tokens=body.max_tokens if body.max_completion_tokens is None else body.max_completion_tokens,
        min_tokens=body.min_tokens or 0,
        stop=tuple(stop for stop in body.stop if stop),
        n_logprobs=_n_logprobs(body),
        template_arguments=template_arguments,
        id=request_id,
    )


def check_stream_options(options: StreamOptions | None, stream: bool | None) -> None:
    """Checks `stream_options`. Raises BadRequest, UnsupportedParameter."""
    if options is None:
        return
    if not stream:
        raise BadRequest("'stream_options' is only allowed when 'stream' is true.", "stream_options")
    if options.continuous_usage_stats:
        raise UnsupportedParameter("stream_options.continuous_usage_stats")


def _n_logprobs(body: ChatCompletionBody) -> int | None:
    if body.logprobs:
        return body.top_logprobs or 0
    if body.top_logprobs:
        raise BadRequest("'top_logprobs' is only allowed when 'logprobs' is true.", "top_logprobs")
    return None


def _messages(body: ChatCompletionBody) -> tuple[tuple[Message, ...], str]:
    """Returns the messages, and the text that the answer must continue."""
    messages = tuple(parse_message(message, f"messages[{i}]") for i, message in enumerate(body.messages))
    if not body.continue_final_message:
        if body.add_generation_prompt is False:
            raise UnsupportedParameter("add_generation_prompt")
        return messages, ""
    if body.add_generation_prompt:
        raise BadRequest(
            "'add_generation_prompt' cannot be combined with 'continue_final_message'.", "continue_final_message"
        )
    if messages[-1].role != "assistant" or messages[-1].tool_calls or len(messages) == 1:
        raise BadRequest("Only an assistant's text can be continued.", "continue_final_message")
    return messages[:-1], messages[-1].content


def parse_message(given: ChatMessage, path: str) -> Message:
    """Translates one message. `path`: the message's position in the body, for error messages. Raises BadRequest,
    UnsupportedParameter."""
    role = ROLES.get(given.role)
    match role:
        case None:
            raise unsupported_role(given.role, f"{path}.role")
        case "assistant":
            content, reasoning = text_of(given.content, f"{path}.content"), given.reasoning_content or given.reasoning
            return Message(role, content, _tool_calls(given, path), reasoning=reasoning)
        case "tool":
            content = result_text(given.content, f"{path}.content")
            return Message(role, content, tool_call_id=_answered_call_id(given, path))
    return Message(role, text_of(given.content, f"{path}.content"))


def _tool_calls(given: ChatMessage, path: str) -> tuple[ToolCall, ...]:
    match given.function_call:
        case {"name": str(name), "arguments": str(arguments)}:
            return (ToolCall(_legacy_call_id(name), name, arguments),)
        case None:
            pass
        case _:
            raise BadRequest(f"'{path}.function_call' needs a name and arguments.", f"{path}.function_call")
    if given.tool_calls is None:
        return ()
    if not isinstance(given.tool_calls, list):
        raise BadRequest(f"'{path}.tool_calls' must be a list.", f"{path}.tool_calls")
    return tuple(_tool_call(call, f"{path}.tool_calls[{i}]") for i, call in enumerate(given.tool_calls))


def _tool_call(call: object, path: str) -> ToolCall:
    match call:
        case {"id": str(id), "function": {"name": str(name), "arguments": str(arguments)}}:
            return ToolCall(id, name, arguments)
        case {"id": str(id), "type": "custom", "custom": {"name": str(name), "input": str(text)}}:
            return ToolCall(id, name, json.dumps({"input": text}, ensure_ascii=False))
        case {"type": str(kind)} if kind != "function":
            raise UnsupportedParameter(path, f"A call of the type '{kind[:40]}' is not supported.")
    raise BadRequest(f"'{path}' needs an id, and a function with a name and with arguments as a string.", path)


def _answered_call_id(given: ChatMessage, path: str) -> str:
    if given.tool_call_id is not None:
        return given.tool_call_id
    if given.role == "function" and given.name is not None:
        return _legacy_call_id(given.name)
    raise BadRequest(
        f"'{path}.tool_call_id' is missing: it names the call that the result belongs to.", f"{path}.tool_call_id"
    )


def _legacy_call_id(name: str) -> str:
    """Returns an id for a `function_call`. This predecessor of `tool_calls` has no id of its own."""
    return f"call_{name}"


def _tools(body: ChatCompletionBody) -> tuple[tuple[Tool, ...], ToolChoice]:
    if body.functions is None:
        tools, choice = parse_tool_choice(body.tool_choice, parse_tools(body.tools or ()))
    else:
        if body.tools:
            raise BadRequest("'functions' is the old name of 'tools'; send only one of them.", "functions")
        tools, choice = _functions(body)
    return (tools, choice) if tools else ((), "auto")


def _functions(body: ChatCompletionBody) -> tuple[tuple[Tool, ...], ToolChoice]:
    """Translates `functions` and `function_call`, the predecessors of `tools` and `tool_choice`."""
    try:
        bodies = [FunctionBody.model_validate(each) for each in body.functions or ()]
    except ValidationError:
        raise BadRequest("'functions' must be a list of functions with names.", "functions") from None
    tools = tuple(make_tool(each.name, each.description, each.parameters) for each in bodies)
    match body.function_call:
        case None | "auto":
            return tools, "auto"
        case "none":
            return (), "none"
        case {"name": str(name)}:
            return choose_named_tool(name, tools)
    raise BadRequest("'function_call' must be none, auto, or name a function.", "function_call")
