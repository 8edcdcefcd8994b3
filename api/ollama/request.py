"""Ollama's chats and completions → the engine's requests. Pure: ids come from outside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from api.errors import BadRequest, UnsupportedParameter
from api.fields.constraints import schema
from api.fields.sampling import sampling
from api.fields.tools import tools
from api.fields.unsupported_params import reject_unsupported
from api.ollama.schemas import AnswerBody, ChatBody, EmbedBody, GenerateBody, OllamaMessage
from api.openai.chat.messages import left_out_note
from api.openai.chat.request import effort_of
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
    """Raises BadRequest, UnsupportedParameter."""
    return replace(_chat(body, messages(body.messages or ()), request_id), tools=tools(body.tools or ()))


def generate_request(body: GenerateBody, fim_prompt: tuple[int, ...] | None, request_id: str) -> Request:
    """`fim_prompt` is the prompt where a gap is to be filled. Raises BadRequest, UnsupportedParameter."""
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
        use_cache=body.chosen.use_cache,
        sampling=sampling(body.chosen),
        constraint=constraint(body),
        max_tokens=body.chosen.num_predict,
        stop=_stops(body),
        n_logprobs=_n_logprobs(body),
        id=request_id,
    )


def embed_request(body: EmbedBody, request_id: str) -> EmbedRequest:
    """Raises BadRequest."""
    given = body.prompt if body.input is None else body.input
    inputs = [given] if given and isinstance(given, str) else given or []
    if not all(inputs):
        raise BadRequest("'input' holds an empty text.", "input")
    return EmbedRequest(tuple(inputs), "endpoint", body.dimensions, request_id, body.truncate is not False)


def _chat(body: AnswerBody, said: Sequence[Message], request_id: str) -> ChatRequest:
    _refuse_what_is_not_kept(body)
    thinking, effort = _thinking(body.think)
    answer_start, said = ("", said)
    if len(said) > 1 and said[-1].role == "assistant" and not said[-1].tool_calls:  # Ollama goes on with it
        answer_start, said = said[-1].content, said[:-1]
    return ChatRequest(
        messages=tuple(said),
        origin="endpoint",
        use_cache=body.chosen.use_cache,
        sampling=sampling(body.chosen),
        thinking=thinking,
        effort=effort,
        constraint=constraint(body),
        answer_start=answer_start,
        max_tokens=body.chosen.num_predict,
        stop=_stops(body),
        n_logprobs=_n_logprobs(body),
        id=request_id,
    )


def _refuse_what_is_not_kept(body: AnswerBody) -> None:
    reject_unsupported(body.model_extra or {})
    reject_unsupported(body.chosen.model_extra or {})


def _stops(body: AnswerBody) -> tuple[str, ...]:
    return tuple(stop for stop in body.chosen.stop if stop)


def _n_logprobs(body: AnswerBody) -> int | None:
    return (body.top_logprobs or 0) if body.logprobs else None


def constraint(body: AnswerBody) -> Constraint | None:
    match body.format:
        case None | "":
            return None
        case "json":
            return Constraint("json_object")
        case dict() as given:
            return schema(given, strict=False)
    raise BadRequest("'format' must be json or a schema.", "format")


def _thinking(think: bool | str | None) -> tuple[bool | None, Effort | None]:
    if isinstance(think, str):
        thinking, effort = effort_of(think, "think")
        return (True if thinking is None else thinking), effort
    return think, None


def messages(given: Sequence[OllamaMessage]) -> tuple[Message, ...]:
    """Calls have no ids here: a tool's answer belongs to the oldest open call, of its name where it tells one."""
    said: list[Message] = []
    still_open: list[ToolCall] = []
    for at, message in enumerate(given):
        path = f"messages[{at}]"
        content = message.content or ""
        if message.images and message.role == "tool":
            content = "\n".join([*([content] if content else []), *([left_out_note("image")] * len(message.images))])
        elif message.images:
            raise UnsupportedParameter(f"{path}.images", "Images are not supported.")
        match message.role:
            case "system" | "user" as role:
                said.append(Message(role, content))
            case "assistant":
                calls = tuple(_call(call, f"call_{at}_{i}", path) for i, call in enumerate(message.tool_calls or ()))
                still_open += calls
                said.append(Message("assistant", content, calls, reasoning=message.thinking))
            case "tool":
                said.append(Message("tool", content, tool_call_id=_answered(message, still_open)))
            case other:
                raise UnsupportedParameter(f"{path}.role", f"Messages of the role '{other[:40]}' are not supported.")
    return tuple(said)


def _call(call: dict[str, object], invented_id: str, path: str) -> ToolCall:
    match call:
        case {"function": {"name": str(name), "arguments": dict() | None as arguments}}:
            id = call.get("id")
            spelled = json.dumps(arguments or {}, ensure_ascii=False)
            return ToolCall(id if isinstance(id, str) else invented_id, name, spelled)
    raise BadRequest(f"'{path}.tool_calls' needs functions with a name and arguments.", f"{path}.tool_calls")


def _answered(message: OllamaMessage, still_open: list[ToolCall]) -> str:
    for call in still_open:
        if call.id == message.tool_call_id or (
            message.tool_call_id is None and message.tool_name in (None, "", call.name)
        ):
            still_open.remove(call)
            return call.id
    return message.tool_call_id or f"call_{message.tool_name or 'unknown'}"
