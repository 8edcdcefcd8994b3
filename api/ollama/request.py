"""Translates Ollama's request bodies to the engine's requests. Does no I/O; the caller passes the ids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from api.errors import BadRequest, UnsupportedParameter
from api.fields.constraints import schema_constraint
from api.fields.content import omission_note, unsupported_role
from api.fields.reasoning import parse_effort
from api.fields.sampling import sampling
from api.fields.tools import parse_tools
from api.fields.unsupported_params import reject_unsupported
from api.ollama.schemas import AnswerBody, ChatBody, EmbedBody, GenerateBody, OllamaMessage
from engine.requests import (
    ChatRequest,
    CompletionRequest,
    Constraint,
    Effort,
    EmbedRequest,
    Message,
    Request,
    ToolCall,
)


def chat_request(body: ChatBody, request_id: str) -> ChatRequest:
    """Translates the body of /api/chat. Raises BadRequest, UnsupportedParameter."""
    return replace(_chat(body, parse_messages(body.messages or ()), request_id), tools=parse_tools(body.tools or ()))


def generate_request(body: GenerateBody, fim_prompt: tuple[int, ...] | None, request_id: str) -> Request:
    """Translates the body of /api/generate. `fim_prompt`: the tokens of a fill-in-the-middle prompt, or None.

    Raises BadRequest, UnsupportedParameter."""
    if body.images:
        raise UnsupportedParameter("images", "Images are not supported.")
    if body.template:
        raise UnsupportedParameter("template", "A template cannot come with a request.")
    if body.context:
        raise UnsupportedParameter("context", "Conversations go to /api/chat.")
    if fim_prompt is None and not body.raw:
        system = [Message("system", body.system)] if body.system else []
        return _chat(body, (*system, Message("user", body.prompt or "")), request_id)
    _refuse_what_is_not_kept(body)
    return CompletionRequest(
        prompt=fim_prompt if fim_prompt is not None else body.prompt or "",
        origin="endpoint",
        use_cache=body.sent_options.use_cache,
        n_draft_max=body.sent_options.n_draft_max,
        sampling=sampling(body.sent_options),
        constraint=_constraint(body),
        max_tokens=body.sent_options.num_predict,
        stop=_stops(body),
        n_logprobs=_n_logprobs(body),
        id=request_id,
    )


def embed_request(body: EmbedBody, request_id: str) -> EmbedRequest:
    """Translates the body of an embedding request. Raises BadRequest."""
    given = body.prompt if body.input is None else body.input
    inputs = [given] if given and isinstance(given, str) else given or []
    if not all(inputs):
        raise BadRequest("'input' holds an empty text.", "input")
    return EmbedRequest(tuple(inputs), "endpoint", body.dimensions, request_id, body.truncate is not False)


def _chat(body: AnswerBody, messages: Sequence[Message], request_id: str) -> ChatRequest:
    _refuse_what_is_not_kept(body)
    thinking, effort = _thinking(body.think)
    answer_start = ""
    # If the last message is the assistant's, the answer continues its text.
    if len(messages) > 1 and messages[-1].role == "assistant" and not messages[-1].tool_calls:
        answer_start, messages = messages[-1].content, messages[:-1]
    return ChatRequest(
        messages=tuple(messages),
        origin="endpoint",
        use_cache=body.sent_options.use_cache,
        n_draft_max=body.sent_options.n_draft_max,
        sampling=sampling(body.sent_options),
        thinking=thinking,
        effort=effort,
        constraint=_constraint(body),
        answer_start=answer_start,
        max_tokens=body.sent_options.num_predict,
        stop=_stops(body),
        n_logprobs=_n_logprobs(body),
        id=request_id,
    )


def _refuse_what_is_not_kept(body: AnswerBody) -> None:
    reject_unsupported(body.model_extra)
    reject_unsupported(body.sent_options.model_extra)


def _stops(body: AnswerBody) -> tuple[str, ...]:
    return tuple(stop for stop in body.sent_options.stop if stop)


def _n_logprobs(body: AnswerBody) -> int | None:
    return (body.top_logprobs or 0) if body.logprobs else None


def _constraint(body: AnswerBody) -> Constraint | None:
    match body.format:
        case None | "":
            return None
        case "json":
            return Constraint("json_object")
        case dict() as given:
            return schema_constraint(given, strict=False)
    raise BadRequest("'format' must be json or a schema.", "format")


def _thinking(think: bool | str | None) -> tuple[bool | None, Effort | None]:
    if isinstance(think, str):
        thinking, effort = parse_effort(think, "think")
        return (True if thinking is None else thinking), effort
    return think, None


def parse_messages(given: Sequence[OllamaMessage]) -> tuple[Message, ...]:
    """Translates messages. Tool calls need no ids. A result belongs to the first call that has no result yet. If the
    result names a tool, it belongs to the first such call of that tool.

    Raises BadRequest, UnsupportedParameter."""
    messages: list[Message] = []
    unanswered: list[ToolCall] = []
    for index, message in enumerate(given):
        path = f"messages[{index}]"
        content = message.content or ""
        if message.images and message.role == "tool":
            content = "\n".join([*([content] if content else []), *([omission_note("image")] * len(message.images))])
        elif message.images:
            raise UnsupportedParameter(f"{path}.images", "Images are not supported.")
        match message.role:
            case "system" | "user" as role:
                messages.append(Message(role, content))
            case "assistant":
                calls = tuple(_call(call, f"call_{index}_{i}", path) for i, call in enumerate(message.tool_calls or ()))
                unanswered += calls
                messages.append(Message("assistant", content, calls, reasoning=message.thinking))
            case "tool":
                messages.append(Message("tool", content, tool_call_id=_answered_call_id(message, unanswered)))
            case other:
                raise unsupported_role(other, f"{path}.role")
    return tuple(messages)


def _call(call: dict[str, object], default_id: str, path: str) -> ToolCall:
    match call:
        case {"function": {"name": str(name), "arguments": dict() | None as arguments}}:
            id = call.get("id")
            text = json.dumps(arguments or {}, ensure_ascii=False)
            return ToolCall(id if isinstance(id, str) else default_id, name, text)
    raise BadRequest(f"'{path}.tool_calls' needs functions with a name and arguments.", f"{path}.tool_calls")


def _answered_call_id(message: OllamaMessage, unanswered: list[ToolCall]) -> str:
    for call in unanswered:
        if call.id == message.tool_call_id or (
            message.tool_call_id is None and message.tool_name in (None, "", call.name)
        ):
            unanswered.remove(call)
            return call.id
    return message.tool_call_id or f"call_{message.tool_name or 'unknown'}"
