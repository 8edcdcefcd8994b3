"""Translates request bodies of Anthropic's messages API to the engine's requests. Does no I/O; the caller passes the
ids."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from api.anthropic.schemas import AnthropicMessage, AnthropicTool, CountBody, MessagesBody
from api.errors import BadRequest, UnsupportedParameter
from api.fields.constraints import schema_constraint
from api.fields.content import omission_note, text_of_file, unsupported_content
from api.fields.reasoning import parse_effort
from api.fields.sampling import SamplerFields, sampling
from api.fields.tools import choose_named_tool, make_tool, unsupported_tool_type
from api.fields.unsupported_params import reject_unsupported
from engine.requests import ChatRequest, Constraint, Message, Tool, ToolCall, ToolChoice

# Matches the first line of Claude Code's system prompt. That line is removed: it differs in every request, so no cached
# prompt would match.
_BILLING = re.compile(r"\Ax-anthropic-billing-header:[^\n]*\n?")


def messages_request(body: MessagesBody, request_id: str) -> ChatRequest:
    """Translates the body of a message request. Raises BadRequest, UnsupportedParameter."""
    return _request(
        body,
        request_id,
        fields=body,
        max_tokens=body.max_tokens,
        stop=tuple(stop for stop in body.stop_sequences or () if stop),
    )


def count_request(body: CountBody, request_id: str) -> ChatRequest:
    """Returns a request that is only used to count the tokens of its prompt.

    Raises BadRequest, UnsupportedParameter."""
    return _request(body, request_id, fields=SamplerFields())


def _request(
    body: CountBody,
    request_id: str,
    *,
    fields: SamplerFields,
    max_tokens: int | None = None,
    stop: tuple[str, ...] = (),
) -> ChatRequest:
    reject_unsupported(body.model_extra)
    messages = _system(body.system)
    for index, given in enumerate(body.messages):
        messages += _messages(given, f"messages[{index}]")
    answer_start = ""
    if messages and messages[-1].role == "assistant" and not messages[-1].tool_calls:
        # If the last message is the assistant's, the answer continues its text.
        answer_start = messages.pop().content
    tools, choice, parallel = _tools(body)
    effort = parse_effort(body.output_config.effort if body.output_config else None, "output_config.effort")[1]
    return ChatRequest(
        messages=tuple(messages),
        origin="endpoint",
        use_cache=fields.use_cache,
        n_draft_max=fields.n_draft_max,
        sampling=sampling(fields),
        tools=tools,
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
    format, path = (nested, "output_config.format") if nested is not None else (body.output_format, "output_format")
    if format is None:
        return None
    if format.type != "json_schema" or format.schema_ is None:
        raise BadRequest(f"'{path}' must be a json_schema with a schema.", path)
    return schema_constraint(format.schema_, strict=True)


def _tools(body: CountBody) -> tuple[tuple[Tool, ...], ToolChoice, bool]:
    """Returns the tools, the tool choice, and whether an answer may contain several tool calls."""
    tools = tuple(_tool(given, f"tools[{index}]") for index, given in enumerate(body.tools or ()))
    choice = body.tool_choice
    if not tools or choice is None:
        return tools, "auto", True
    parallel = not choice.disable_parallel_tool_use
    match choice.type:
        case "auto":
            return tools, "auto", parallel
        case "any":
            return tools, "required", parallel
        case "none":
            return (), "auto", True
        case "tool" if choice.name is not None:
            return *choose_named_tool(choice.name, tools), False
    raise BadRequest("'tool_choice' must be auto, any, none, or a tool with its name.", "tool_choice")


def _tool(given: AnthropicTool, path: str) -> Tool:
    if given.type not in (None, "custom"):
        raise unsupported_tool_type(given.type, f"{path}.type")
    return make_tool(given.name, given.description, given.input_schema)


def _system(content: object) -> list[Message]:
    text = _BILLING.sub("", _text(content, "system"))
    return [Message("system", text)] if text else []


def _messages(given: AnthropicMessage, path: str) -> list[Message]:
    """Translates one message. A user's message with tool results becomes several messages."""
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
    """Translates an assistant's message. It becomes several messages if another server ran tools during that turn.

    Blocks of tools that Anthropic runs are ignored, because the assistant's text after such a block contains the tool's
    results."""
    turns: list[Message] = []
    texts: list[str] = []
    reasoning: list[str] = []
    calls: list[ToolCall] = []

    def end_turn() -> None:
        turns.append(Message("assistant", "\n".join(texts), tuple(calls), reasoning="\n".join(reasoning) or None))
        for parts in (texts, reasoning, calls):
            parts.clear()

    for index, block in enumerate(blocks):
        match block:
            case {"type": "tool_use" | "mcp_tool_use", "id": str(id), "name": str(name), "input": dict(arguments)}:
                calls.append(ToolCall(id, name, json.dumps(arguments, ensure_ascii=False)))
            case {"type": "mcp_tool_result", "tool_use_id": str(id), **rest}:
                end_turn()
                turns.append(Message("tool", _result(rest.get("content"), f"{path}[{index}].content"), tool_call_id=id))
            case {"type": "thinking", "thinking": str(text)}:
                reasoning.append(text)
            case {"type": "compaction", "content": str(text)}:
                texts.append(text)
            case {"type": "redacted_thinking" | "server_tool_use"}:
                pass
            case {"type": str(kind)} if kind.endswith("_tool_result"):
                pass
            case _:
                texts.append(_block_text(block, f"{path}[{index}]"))
    if texts or reasoning or calls or not turns:
        end_turn()
    return turns


def _user(blocks: Sequence[object], path: str) -> list[Message]:
    results: list[Message] = []
    texts: list[str] = []
    for index, block in enumerate(blocks):
        match block:
            case {"type": "tool_result", "tool_use_id": str(id), **rest}:
                results.append(
                    Message("tool", _result(rest.get("content"), f"{path}[{index}].content"), tool_call_id=id)
                )
            case _:
                texts.append(_block_text(block, f"{path}[{index}]"))
    # Tool results must precede the user's text, because the model's turn ended with the tool calls.
    return [*results, Message("user", "\n".join(texts))] if texts or not results else results


def _text(content: object, path: str) -> str:
    """Returns the text of `content`, which is a string, null, or a list of text blocks."""
    if content is None:
        return ""
    return "\n".join(_block_text(block, f"{path}[{index}]") for index, block in enumerate(_blocks(content, path)))


def _result(content: object, path: str) -> str:
    """Returns the text of a tool's result, with a note in place of each block that is not text; see
    `content.result_text`."""
    if content is None:
        return ""
    return "\n".join(_result_part(block, f"{path}[{index}]") for index, block in enumerate(_blocks(content, path)))


def _result_part(block: object, path: str) -> str:
    try:
        return _block_text(block, path)
    except UnsupportedParameter:
        kind = block.get("type") if isinstance(block, dict) else None
        return omission_note(str(kind))


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
            raise BadRequest(f"'{path}' is an incomplete block of the type '{kind}', or in the wrong place.", path)
        case {"type": str(kind)}:
            raise unsupported_content(kind, path)
    raise BadRequest(f"'{path}' must be an object with a type.", path)


def _titled(document: Mapping[Any, object], text: str) -> str:
    """Puts the title, source and context of a document above its text."""
    headings = [
        value for name in ("title", "source", "context") if isinstance(value := document.get(name), str) and value
    ]
    return "\n".join([*headings, text])
