"""Translates the engine's requests to bodies of OpenAI's API, with the extensions that a kind of server knows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from engine.capability_check import check_capabilities
from engine.chat_engine import Capabilities
from engine.errors import RequestError, Unsupported
from engine.remote.connection import ServerKind
from engine.remote.constraint_fields import constraint_fields
from engine.remote.server_kinds import SAMPLING_FIELDS
from engine.requests import (
    ChatRequest,
    CompletionRequest,
    EmbedRequest,
    GenerationOptions,
    Message,
    NamedTool,
    Sampling,
    Tool,
)

Body = dict[str, object]

MAX_TOP_LOGPROBS = 20
_LLAMA: frozenset[ServerKind] = frozenset(("llama.cpp", "inglenook"))
_WITH_TEMPLATE_ARGUMENTS: frozenset[ServerKind] = frozenset((*_LLAMA, "vllm", "sglang"))
_UNLIMITED: Mapping[ServerKind, int | None] = {
    "inglenook": -1,
    "vllm": None,
    "sglang": 2048,
    "lmstudio": 2048,
    "openai": 2048,
}
"""The `max_tokens` of a completion without a limit. Without this field, servers end it after 16 tokens, as OpenAI does.
Where no value means "no limit", a large one is sent."""

_BAN = -100.0
"""The logit bias that excludes a token in OpenAI's API."""


def chat_body(request: ChatRequest, model: str, kind: ServerKind, capabilities: Capabilities) -> Body:
    """The body of /chat/completions. Raises Unsupported, RequestError."""
    check_capabilities(request, capabilities)
    body: Body = {"model": model, "messages": _messages(request, kind)}
    body |= _stream_fields(request, kind) | _sampling(request.sampling, kind) | _length(request, kind)
    body |= _tool_fields(request, kind) | _reasoning(request, kind, capabilities)
    body |= constraint_fields(request.constraint, kind) if _is_constrained(request) else {}
    if "grammar" in body and "tools" in body:
        raise Unsupported("tools together with a grammar")
    if request.n_logprobs is not None:
        if kind == "llama.cpp" and "tools" in body:
            raise Unsupported("log probabilities together with tools")
        # llama.cpp leaves out the log probability of the chosen token if no others are requested.
        least = 1 if kind == "llama.cpp" else 0
        body |= {"logprobs": True, "top_logprobs": min(max(request.n_logprobs, least), MAX_TOP_LOGPROBS)}
    if request.answer_start:
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    return body


def completion_body(request: CompletionRequest, model: str, kind: ServerKind, capabilities: Capabilities) -> Body:
    """The body of /completions. Raises Unsupported, RequestError."""
    check_capabilities(request, capabilities)
    prompt = request.prompt if isinstance(request.prompt, str) else list(request.prompt)
    body: Body = {"model": model, "prompt": prompt}
    body |= _stream_fields(request, kind) | _sampling(request.sampling, kind) | _length(request, kind)
    if request.max_tokens is None and kind in _UNLIMITED:
        body["max_tokens"] = _UNLIMITED[kind]
    body |= _completion_constraint(constraint_fields(request.constraint, kind), kind)
    if request.n_logprobs is not None:
        body["logprobs"] = min(max(request.n_logprobs, 1), MAX_TOP_LOGPROBS)
    return body


def embedding_body(request: EmbedRequest, model: str, kind: ServerKind) -> Body:
    """The body of /embeddings. Raises Unsupported."""
    if any(not isinstance(text, str) for text in request.inputs) and kind not in _WITH_TEMPLATE_ARGUMENTS:
        raise Unsupported("embeddings of token ids")
    inputs = [text if isinstance(text, str) else list(text) for text in request.inputs]
    body: Body = {"model": model, "input": inputs, "encoding_format": "float"}
    return body if request.dimensions is None else {**body, "dimensions": request.dimensions}


def template_body(request: ChatRequest, model: str, kind: ServerKind, capabilities: Capabilities) -> Body:
    """The fields of a chat request from which its prompt is made."""
    body: Body = {"model": model, "messages": _messages(request, kind)}
    body |= _tool_fields(request, kind) | _reasoning(request, kind, capabilities)
    if request.answer_start:
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    return body


def _messages(request: ChatRequest, kind: ServerKind) -> list[Body]:
    messages = [_message(message, kind) for message in request.messages]
    if request.answer_start:
        messages.append({"role": "assistant", "content": request.answer_start})
    return messages


def _message(message: Message, kind: ServerKind) -> Body:
    body: Body = {"role": message.role, "content": message.content}
    if message.role == "tool":
        return {**body, "tool_call_id": message.tool_call_id or ""}
    if message.reasoning and kind in _WITH_TEMPLATE_ARGUMENTS:
        body["reasoning_content"] = message.reasoning
        if kind == "vllm":  # newer versions read this name
            body["reasoning"] = message.reasoning
    if message.tool_calls:
        body["content"] = message.content or None
        body["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _valid_arguments(call.arguments)},
            }
            for call in message.tool_calls
        ]
    return body


def _valid_arguments(arguments: str) -> str:
    """The arguments of an earlier call. Servers refuse a chat with arguments that are not a JSON object, so such a text
    becomes a field of one."""
    try:
        is_object = isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        is_object = False
    return arguments if is_object else json.dumps({"arguments": arguments}, ensure_ascii=False)


def _stream_fields(request: GenerationOptions, kind: ServerKind) -> Body:
    body: Body = {"stream": True, "stream_options": {"include_usage": True}}
    if request.stop:
        body["stop"] = list(request.stop)
    if kind in _LLAMA:
        if request.wants_progress:
            body["return_progress"] = True
        if not request.use_cache:
            body["cache_prompt"] = False
    return body


def _length(request: GenerationOptions, kind: ServerKind) -> Body:
    body: Body = {} if request.max_tokens is None else {"max_tokens": request.max_tokens}
    if request.min_tokens:
        if kind not in ("vllm", "sglang", "inglenook"):
            raise Unsupported("a minimum length of the answer")
        body["min_tokens"] = request.min_tokens
    return body


def _sampling(sampling: Sampling, kind: ServerKind) -> Body:
    fields = SAMPLING_FIELDS[kind]
    body: Body = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
    }
    body |= {sent: getattr(sampling, name) for name, sent in fields.names.items()}
    if body.get("top_k") == 0:
        body["top_k"] = fields.no_top_k
    if kind in _LLAMA:
        body["mirostat"] = 2 if sampling.mirostat else 0
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if sampling.logit_bias:
        body["logit_bias"] = {str(token): _finite_bias(bias) for token, bias in sampling.logit_bias}
    return body


def _finite_bias(bias: float) -> float:
    return bias if math.isfinite(bias) else math.copysign(_BAN, bias)


def _tool_fields(request: ChatRequest, kind: ServerKind) -> Body:
    choice, tools = request.tool_choice, request.tools
    if not tools or (choice == "none" and kind == "ollama"):
        return {}
    if kind == "ollama" and choice != "auto":  # it ignores the choice
        raise Unsupported("a required tool call")
    named: object = choice
    if isinstance(choice, NamedTool):
        named = {"type": "function", "function": {"name": choice.name}}
        if kind in ("lmstudio", "llama.cpp"):  # they refuse a choice by name
            tools, named = tuple(tool for tool in tools if tool.name == choice.name), "required"
    body: Body = {"tools": _tools(tools)}
    if choice != "auto":
        body["tool_choice"] = named
    if not request.parallel_tool_calls:
        body["parallel_tool_calls"] = False
    return body


def _tools(tools: Sequence[Tool]) -> list[Body]:
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": _schema(tool)},
        }
        for tool in tools
    ]


def _schema(tool: Tool) -> object:
    try:
        return json.loads(tool.parameters)
    except (ValueError, RecursionError):
        raise RequestError(f"the parameters of the tool {tool.name} are not JSON") from None


def _reasoning(request: ChatRequest, kind: ServerKind, capabilities: Capabilities) -> Body:
    arguments: Body = dict(request.template_arguments) if kind in _WITH_TEMPLATE_ARGUMENTS else {}
    if not capabilities.reasoning:
        return {"chat_template_kwargs": arguments} if arguments else {}
    body: Body = {}
    if request.effort is not None:
        has_minimal = kind in ("openai", *_LLAMA)
        body["reasoning_effort"] = request.effort if has_minimal or request.effort != "minimal" else "low"
    if kind not in _WITH_TEMPLATE_ARGUMENTS:
        return {"reasoning_effort": "none"} if request.thinking is False else body
    thinking = False if request.thinking is None and request.effort == "minimal" else request.thinking
    if thinking is not None:
        arguments |= {"enable_thinking": thinking, "thinking": thinking}
    return {**body, "chat_template_kwargs": arguments} if arguments else body


def _is_constrained(request: ChatRequest) -> bool:
    """Whether the constraint applies: a required tool call takes its place."""
    return not request.tools or request.tool_choice in ("auto", "none")


def _completion_constraint(fields: Body, kind: ServerKind) -> Body:
    """llama.cpp has no `response_format` for completions, but a field for a schema."""
    match fields.get("response_format"):
        case {"type": "json_object"} if kind in _LLAMA:
            return {"json_schema": {"type": "object"}}
        case {"json_schema": {"schema": schema}} if kind in _LLAMA:
            return {"json_schema": schema}
    return fields
