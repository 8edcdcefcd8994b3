"""Anthropic's messages → the engine's request. Pure: ids come from outside."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from api.anthropic.schemas import AnthropicMessage, AnthropicTool, CountBody, MessagesBody
from api.errors import BadRequest, UnsupportedParameter
from api.fields.constraints import schema
from api.fields.content import text_of_file
from api.fields.sampling import SamplerFields, sampling
from api.fields.tools import named_tool, tool
from api.fields.unsupported_params import reject_unsupported
from api.openai.chat.messages import left_out_note
from api.openai.chat.request import effort_of
from engine.requests import ChatRequest, Constraint, Message, Tool, ToolCall, ToolChoice

# Claude Code puts a line before its system prompt that differs each time, so that nothing could be kept.
_BILLING = re.compile(r"\Ax-anthropic-billing-header:[^\n]*\n?")


def messages_request(body: MessagesBody, request_id: str) -> ChatRequest:
    """Raises BadRequest, UnsupportedParameter."""
    return _request(
        body,
        request_id,
        fields=body,
        max_tokens=body.max_tokens,
        stop=tuple(stop for stop in body.stop_sequences or () if stop),
    )


def count_request(body: CountBody, request_id: str) -> ChatRequest:
    """The same prompt, to be counted. Raises BadRequest, UnsupportedParameter."""
    return _request(body, request_id, fields=SamplerFields())


def _request(
    body: CountBody,
    request_id: str,
    *,
    fields: SamplerFields,
    max_tokens: int | None = None,
    stop: tuple[str, ...] = (),
) -> ChatRequest:
    reject_unsupported(body.model_extra or {})
    said = [*_system(body.system)]
    for at, given in enumerate(body.messages):
        said += _messages(given, f"messages[{at}]")
    answer_start = ""
    if said and said[-1].role == "assistant" and not said[-1].tool_calls:  # Anthropic's way to begin an answer
        answer_start = said.pop().content
    offered, choice, parallel = _tools(body)
    effort = effort_of(body.output_config.effort if body.output_config else None, "output_config.effort")[1]
    return ChatRequest(
        messages=tuple(said),
        origin="endpoint",
        use_cache=fields.use_cache,
        sampling=sampling(fields),
        tools=offered,
        tool_choice=choice,
        parallel_tool_calls=parallel,
        thinking=_thinking(body),
        effort=effort,
        constraint=_constraint(body),
        answer_start=answer_start,
        max_tokens=max_tokens,
        stop=stop,
        id=request_id,
    )


def _thinking(body: CountBody) -> bool | None:
    match body.thinking.type if body.thinking else None:
        case None:
            return None
        case "enabled" | "adaptive":
            return True
        case "disabled":
            return False
    raise BadRequest("'thinking.type' must be enabled, adaptive or disabled.", "thinking.type")


def _constraint(body: CountBody) -> Constraint | None:
    nested = body.output_config.format if body.output_config else None
    if nested is not None and body.output_format is not None:
        raise BadRequest("'output_format' is the earlier name of 'output_config.format'; send one.", "output_format")
    asked, path = (nested, "output_config.format") if nested is not None else (body.output_format, "output_format")
    if asked is None:
        return None
    if asked.type != "json_schema" or asked.schema_ is None:
        raise BadRequest(f"'{path}' must be a json_schema with a schema.", path)
    return schema(asked.schema_, strict=True)


# Tools


def _tools(body: CountBody) -> tuple[tuple[Tool, ...], ToolChoice, bool]:
    offered = tuple(_tool(given, f"tools[{at}]") for at, given in enumerate(body.tools or ()))
    asked = body.tool_choice
    if not offered or asked is None:
        return offered, "auto", True
    parallel = not asked.disable_parallel_tool_use
    match asked.type:
        case "auto":
            return offered, "auto", parallel
        case "any":
            return offered, "required", parallel
        case "none":
            return (), "auto", True
        case "tool" if asked.name is not None:
            return *named_tool(asked.name, offered), False
    raise BadRequest("'tool_choice' must be auto, any, none, or a tool with its name.", "tool_choice")


def _tool(given: AnthropicTool, path: str) -> Tool:
    if given.type not in (None, "custom"):
        raise UnsupportedParameter(f"{path}.type", f"Tools of the type '{given.type[:40]}' are not supported.")
    return tool(given.name, given.description, given.input_schema)


# Messages


def _system(content: object) -> list[Message]:
    text = _BILLING.sub("", _text(content, "system"))
    return [Message("system", text)] if text else []


def _messages(given: AnthropicMessage, path: str) -> list[Message]:
    """One message becomes several where it answers calls."""
    content = f"{path}.content"
    match given.role:
        case "assistant":
            return _assistant(_blocks(given.content, content), content)
        case "user":
            return _user(_blocks(given.content, content), content)
        case "system":
            return [Message("system", _text(given.content, content))]
    raise BadRequest(f"'{path}.role' must be user or assistant.", f"{path}.role")


def _blocks(content: object, path: str) -> Sequence[object]:
    match content:
        case str():
            return [{"type": "text", "text": content}]
        case list():
            return content
    raise BadRequest(f"'{path}' must be a string or a list of blocks.", path)


def _assistant(blocks: Sequence[object], path: str) -> list[Message]:
    """One turn becomes several messages where another server called tools within it. Of Anthropic's own tools only
    traces are left: what they found is in the text that follows."""
    turns: list[Message] = []
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[ToolCall] = []

    def end_turn() -> None:
        turns.append(Message("assistant", "\n".join(texts), tuple(calls), reasoning="\n".join(thoughts) or None))
        for found in (texts, thoughts, calls):
            found.clear()

    for at, block in enumerate(blocks):
        match block:
            case {"type": "tool_use" | "mcp_tool_use", "id": str(id), "name": str(name), "input": dict(arguments)}:
                calls.append(ToolCall(id, name, json.dumps(arguments, ensure_ascii=False)))
            case {"type": "mcp_tool_result", "tool_use_id": str(id), **rest}:
                end_turn()
                turns.append(Message("tool", _result(rest.get("content"), f"{path}[{at}].content"), tool_call_id=id))
            case {"type": "thinking", "thinking": str(text)}:
                thoughts.append(text)
            case {"type": "compaction", "content": str(text)}:
                texts.append(text)
            case {"type": "redacted_thinking" | "server_tool_use"}:
                pass
            case {"type": str(kind)} if kind.endswith("_tool_result"):
                pass
            case _:
                texts.append(_block_text(block, f"{path}[{at}]"))
    if texts or thoughts or calls or not turns:
        end_turn()
    return turns


def _user(blocks: Sequence[object], path: str) -> list[Message]:
    said: list[Message] = []
    texts: list[str] = []
    for at, block in enumerate(blocks):
        match block:
            case {"type": "tool_result", "tool_use_id": str(id), **rest}:
                said.append(Message("tool", _result(rest.get("content"), f"{path}[{at}].content"), tool_call_id=id))
            case _:
                texts.append(_block_text(block, f"{path}[{at}]"))
    # Answers to calls come first: the model's turn ended with the calls.
    return [*said, Message("user", "\n".join(texts))] if texts or not said else said


def _text(content: object, path: str) -> str:
    """A string, nothing, or blocks of text."""
    if content is None:
        return ""
    return "\n".join(_block_text(block, f"{path}[{at}]") for at, block in enumerate(_blocks(content, path)))


def _result(content: object, path: str) -> str:
    """The text of a tool's result. What is no text becomes a note: the result stays in the conversation, which has to
    go on."""
    if content is None:
        return ""
    return "\n".join(_result_part(block, f"{path}[{at}]") for at, block in enumerate(_blocks(content, path)))


def _result_part(block: object, path: str) -> str:
    try:
        return _block_text(block, path)
    except UnsupportedParameter:
        kind = block.get("type") if isinstance(block, dict) else None
        return left_out_note(str(kind))


def _block_text(block: object, path: str) -> str:
    match block:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "document", "source": {"type": "text", "data": str(text)}, **more}:
            return _titled(more, text)
        case {"type": "document", "source": {"type": "base64", "data": str(data), **source}, **more}:
            return _titled(more, text_of_file(data, str(source.get("media_type") or ""), path))
        case {"type": "document", "source": {"type": "content", "content": content}, **more}:
            return _titled(more, _text(content, f"{path}.source.content"))
        case {"type": "search_result", "content": list(content), **more}:
            return _titled(more, _text(content, f"{path}.content"))
        case {"type": "text" | "tool_use" | "tool_result" | "thinking" as kind}:
            raise BadRequest(f"'{path}' is no whole block of the type '{kind}', or stands in the wrong place.", path)
        case {"type": str(kind)}:
            raise UnsupportedParameter(path, f"Content of the type '{kind[:40]}' is not supported; send text.")
    raise BadRequest(f"'{path}' must be an object with a type.", path)


def _titled(named: Mapping[Any, object], text: str) -> str:
    """A document's text under what names it."""
    heads = [value for name in ("title", "source", "context") if isinstance(value := named.get(name), str) and value]
    return "\n".join([*heads, text])
