"""Tools that the model may call, and the choice between them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

from pydantic import StringConstraints

from api.body import Body
from api.errors import BadRequest, UnsupportedParameter
from engine.requests import NamedTool, Tool, ToolChoice

MAX_TOOLS = 1024

ToolName = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class FunctionBody(Body):
    name: ToolName
    description: str | None = None
    parameters: dict[str, object] | None = None


class ToolBody(Body):
    type: str
    function: FunctionBody | None = None


def make_tool(name: str, description: str | None, parameters: dict[str, object] | None) -> Tool:
    if parameters is None:
        return Tool(name, description or "")
    return Tool(name, description or "", json.dumps(parameters, ensure_ascii=False))


def parse_tools(bodies: Sequence[ToolBody]) -> tuple[Tool, ...]:
    """Parses `tools`. Raises BadRequest, UnsupportedParameter."""
    found = []
    for index, body in enumerate(bodies):
        if body.type != "function":
            raise unsupported_tool_type(body.type, f"tools[{index}].type")
        if body.function is None:
            raise BadRequest(f"'tools[{index}].function' is missing.", f"tools[{index}].function")
        found.append(make_tool(body.function.name, body.function.description, body.function.parameters))
    return tuple(found)


def unsupported_tool_type(kind: str, path: str) -> UnsupportedParameter:
    return UnsupportedParameter(path, f"Tools of the type '{kind[:40]}' are not supported.")


def parse_tool_choice(choice: object, tools: tuple[Tool, ...]) -> tuple[tuple[Tool, ...], ToolChoice]:
    """Parses `tool_choice`. Returns the tools that the model may call, and whether it must call one.

    Raises BadRequest, UnsupportedParameter."""
    match choice:
        case None | "auto":
            return tools, "auto"
        case "none":
            return (), "none"
        case "required":
            if not tools:
                raise BadRequest("'tool_choice' requires a tool, but there are none in 'tools'.", "tool_choice")
            return tools, "required"
        case {"type": "function", "function": {"name": str(name)}} | {"type": "function", "name": str(name)}:
            return choose_named_tool(name, tools)
        case {"type": "allowed_tools", "allowed_tools": {"mode": "auto" | "required" as mode, "tools": list(allowed)}}:
            return parse_tool_choice(mode, _allowed(allowed, tools))
        case {"type": "allowed_tools", "mode": "auto" | "required" as mode, "tools": list(allowed)}:
            return parse_tool_choice(mode, _allowed(allowed, tools))
        case {"type": str(kind)} if kind not in ("function", "allowed_tools"):
            raise UnsupportedParameter("tool_choice", f"A tool choice of the type '{kind[:40]}' is not supported.")
    raise BadRequest("'tool_choice' must be none, auto, required, or an object that names a function.", "tool_choice")


def choose_named_tool(name: str, tools: tuple[Tool, ...]) -> tuple[tuple[Tool, ...], ToolChoice]:
    """Returns the choice of the tool `name`. Raises BadRequest if `tools` has none of that name."""
    if all(tool.name != name for tool in tools):
        raise BadRequest(f"'tool_choice' names '{name[:100]}', which is not in 'tools'.", "tool_choice")
    return tools, NamedTool(name)


def allows_parallel_calls(choice: ToolChoice, parallel: bool | None) -> bool:
    """Whether an answer may contain several tool calls. With a named tool it may not: small models would repeat the
    call without end."""
    return parallel is not False and not isinstance(choice, NamedTool)


def _allowed(allowed: Sequence[object], tools: tuple[Tool, ...]) -> tuple[Tool, ...]:
    names = set()
    for each in allowed:
        match each:
            case {"function": {"name": str(name)}} | {"name": str(name)}:
                names.add(name)
            case _:
                raise BadRequest("'tool_choice' contains an entry that is not a function.", "tool_choice")
    return tuple(tool for tool in tools if tool.name in names)
