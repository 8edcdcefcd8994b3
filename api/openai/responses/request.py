"""Translates the body of the responses API to the engine's request. Does no I/O; the caller passes the ids."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from api.errors import BadRequest, UnsupportedParameter
from api.fields.constraints import schema_constraint
from api.fields.content import result_text, text_of, unsupported_role
from api.fields.reasoning import parse_effort
from api.fields.sampling import sampling
from api.fields.tools import allows_parallel_calls, make_tool, parse_tool_choice
from api.fields.unsupported_params import reject_unsupported
from api.openai.chat.request import ROLES
from api.openai.responses.schemas import ResponsesBody
from engine.requests import ChatRequest, Constraint, Message, Tool, ToolCall, ToolChoice

Item = dict[str, object]
"""One item of `input` or `output`, as parsed JSON."""

INCLUDE_LOGPROBS = "message.output_text.logprobs"
CALLS = frozenset(("function_call", "custom_tool_call", "local_shell_call", "mcp_call"))
OUTPUTS = frozenset(("function_call_output", "custom_tool_call_output", "local_shell_call_output"))
IGNORED_ITEMS = frozenset(
    ("web_search_call", "file_search_call", "image_generation_call", "code_interpreter_call", "mcp_list_tools")
)
"""Items that record tools run by another server. They are ignored, because the model's answer, which is a later item,
contains the results."""
COMPACTED = "[Another server has compacted an earlier part of this conversation; it cannot be read here.]"

_SEPARATOR = "__"


def responses_request(body: ResponsesBody, items: Sequence[Item], request_id: str) -> ChatRequest:
    """Translates the body. `items`: the whole conversation, including earlier responses.

    Raises BadRequest, UnsupportedParameter."""
    reject_unsupported(body.model_extra)
    for name in ("background", "conversation", "prompt"):
        if getattr(body, name):
            raise UnsupportedParameter(name)
    messages = parse_messages(items)
    if body.instructions:
        messages.insert(0, Message("system", body.instructions))
    if not messages:
        raise BadRequest("'input' is missing.", "input")
    tools, choice = _tools(body)
    thinking, effort = parse_effort(body.reasoning.effort if body.reasoning else None, "reasoning.effort")
    return ChatRequest(
        messages=tuple(messages),
        origin="endpoint",
        use_cache=body.use_cache,
        n_draft_max=body.n_draft_max,
        sampling=sampling(body),
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=allows_parallel_calls(choice, body.parallel_tool_calls),
        thinking=thinking,
        effort=effort,
        constraint=_constraint(body),
        max_tokens=body.max_output_tokens,
        n_logprobs=(body.top_logprobs or 0) if INCLUDE_LOGPROBS in (body.include or ()) else None,
        id=request_id,
    )


def function_tools(body: ResponsesBody) -> list[dict[str, object]]:
    """Returns the tools of supported types, unchanged."""
    return [each for each in body.tools or () if each.get("type") in ("function", "namespace")]


def namespaces(body: ResponsesBody) -> dict[str, tuple[str, str]]:
    """Maps the flat name of each namespaced function (see `flat_name`) to its namespace and name."""
    found = {}
    for given in body.tools or ():
        match given:
            case {"type": "namespace", "name": str(namespace), "tools": list(inner)}:
                for each in inner:
                    match each:
                        case {"name": str(name)}:
                            found[flat_name(namespace, name)] = (namespace, name)
    return found


def _tools(body: ResponsesBody) -> tuple[tuple[Tool, ...], ToolChoice]:
    found: list[Tool] = []
    for index, given in enumerate(body.tools or ()):
        match given:
            case {"type": "function"}:
                found.append(_function(given, None, f"tools[{index}]"))
            case {"type": "namespace", "tools": list(inner), **more}:
                namespace = more.get("name")
                found += [
                    _function(each, namespace, f"tools[{index}].tools[{n}]")
                    for n, each in enumerate(inner)
                    if not isinstance(each, dict) or each.get("type", "function") == "function"
                ]
            case {"type": "namespace"}:
                raise BadRequest(f"'tools[{index}]' needs a list of tools.", f"tools[{index}].tools")
    tools, choice = parse_tool_choice(_flat_choice(body.tool_choice, namespaces(body)), tuple(found))
    return (tools, choice) if tools else ((), "auto")


def _function(given: object, namespace: object, path: str) -> Tool:
    match given:
        case {"name": str(name), **more} if 0 < len(name) <= 256:
            description, parameters = more.get("description"), more.get("parameters")
            if isinstance(description, str | None) and isinstance(parameters, dict | None):
                return make_tool(flat_name(namespace, name), description, parameters)
    raise BadRequest(f"'{path}' needs a name, and a schema as parameters.", path)


def _flat_choice(choice: object, known: Mapping[str, tuple[str, str]]) -> object:
    """Replaces a namespaced function's name in `choice` by its flat name. The namespace may be missing if the name is
    unambiguous."""
    match choice:
        case {"type": "function", "name": str(name), **more}:
            wanted = flat_name(more.get("namespace"), name)
            inner = [flat for flat, (_, own) in known.items() if own == name]
            return {"type": "function", "name": inner[0] if wanted not in known and len(inner) == 1 else wanted}
    return choice


def flat_name(namespace: object, name: str) -> str:
    """Joins a function's namespace and name into one flat name for the model, because chat templates have no
    namespaces."""
    if not isinstance(namespace, str) or not namespace:
        return name
    return f"{namespace}{name}" if namespace.endswith(_SEPARATOR) else f"{namespace}{_SEPARATOR}{name}"


def _constraint(body: ResponsesBody) -> Constraint | None:
    format = body.text.format if body.text else None
    if format is None or format.type == "text":
        return None
    if format.type == "json_object":
        return Constraint("json_object")
    if format.type != "json_schema" or format.schema_ is None:
        raise BadRequest("'text.format' must be text, json_object, or json_schema with its schema.", "text.format")
    return schema_constraint(format.schema_, strict=bool(format.strict))


def parse_items(given: str | list[object] | None) -> list[Item]:
    """Returns the request's `input` as a list of items. Raises BadRequest."""
    if given is None:
        return []
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    for index, item in enumerate(given):
        if not isinstance(item, dict):
            raise BadRequest(f"'input[{index}]' must be an object.", f"input[{index}]")
    return [item for item in given if isinstance(item, dict)]


def parse_messages(items: Sequence[Item]) -> list[Message]:
    """Translates items to messages. The reasoning, text and tool calls of one turn of the model become one message.

    Raises BadRequest, UnsupportedParameter."""
    builder = _MessageBuilder()
    for index, item in enumerate(items):
        builder.add(item, f"input[{index}]")
    builder.end_turn()
    return builder.messages


class _MessageBuilder:
    """Builds messages from items. `messages` holds the finished ones; the items of the current turn are collected until
    it ends."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._text: str | None = None
        self._reasoning: list[str] = []
        self._calls: list[ToolCall] = []

    def add(self, item: Item, path: str) -> None:
        match item:
            case {"type": "function_call", "call_id": str(id), "name": str(name), "arguments": str(arguments)}:
                self._calls.append(ToolCall(id, flat_name(item.get("namespace"), name), arguments))
            case {"type": "custom_tool_call", "call_id": str(id), "name": str(name), "input": str(text)}:
                arguments = json.dumps({"input": text}, ensure_ascii=False)
                self._calls.append(ToolCall(id, flat_name(item.get("namespace"), name), arguments))
            case {"type": "local_shell_call", "call_id": str(id), "action": dict(action)}:
                self._calls.append(ToolCall(id, "local_shell", json.dumps(action, ensure_ascii=False)))
            case {"type": "mcp_call", "name": str(name), "arguments": str(arguments)}:
                self._add_finished_call(item, name, arguments)
            case {"type": str(kind)} if kind in IGNORED_ITEMS:
                pass
            case {"type": "compaction" | "compaction_summary"}:
                self.end_turn()
                self.messages.append(Message("user", COMPACTED))
            case {"type": str(kind), "call_id": str(id)} if kind in OUTPUTS:
                self.end_turn()
                self.messages.append(
                    Message("tool", result_text(item.get("output"), f"{path}.output"), tool_call_id=id)
                )
            case {"type": "reasoning"}:
                if self._text is not None or self._calls:
                    self.end_turn()
                self._reasoning += _reasoning_texts(item)
            case {"type": str(kind)} if kind in OUTPUTS or kind in CALLS:
                raise BadRequest(f"'{path}' is an incomplete {kind}.", path)
            case {"role": str(role)} if item.get("type") in (None, "message"):
                self._add_message(role, item.get("content"), path)
            case {"type": str(kind)}:
                raise UnsupportedParameter(path, f"Items of the type '{kind[:40]}' are not supported.")
            case _:
                raise BadRequest(f"'{path}' must have a type or a role.", path)

    def _add_finished_call(self, item: Item, name: str, arguments: str) -> None:
        """Adds a tool call that another server ran, and its result, which is in the same item."""
        id = str(item.get("id") or f"call_{len(self.messages)}")
        result = item.get("output") or item.get("error")
        self._calls.append(ToolCall(id, name, arguments))
        self.end_turn()
        self.messages.append(Message("tool", result if isinstance(result, str) else "", tool_call_id=id))

    def _add_message(self, role: str, content: object, path: str) -> None:
        if role not in ROLES or role in ("tool", "function"):
            raise unsupported_role(role, f"{path}.role")
        text = text_of(content, f"{path}.content")
        if role == "assistant":
            if self._text is not None or self._calls:
                self.end_turn()
            self._text = text
        else:
            self.end_turn()
            self.messages.append(Message(ROLES[role], text))

    def end_turn(self) -> None:
        """Adds the message of the current turn, if the turn has text or tool calls."""
        if self._text is not None or self._calls:
            reasoning = "\n".join(self._reasoning) or None
            self.messages.append(Message("assistant", self._text or "", tuple(self._calls), reasoning=reasoning))
        self._text, self._reasoning, self._calls = None, [], []


def _reasoning_texts(item: Item) -> list[str]:
    """Returns the texts of a reasoning item; none if another server has encrypted them."""
    found = []
    for name in ("content", "summary"):
        parts = item.get(name)
        for part in parts if isinstance(parts, list) else ():
            match part:
                case {"text": str(text)}:
                    found.append(text)
        if found:
            break
    return found
