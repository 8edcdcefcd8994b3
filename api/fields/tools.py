"""Tools and the choice among them, from OpenAI's words to the engine's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

from pydantic import StringConstraints

from api.body import Body
from api.errors import BadRequest, UnsupportedParameter
from engine.requests import NamedTool, Tool, ToolChoice

ToolName = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class FunctionBody(Body):
    name: ToolName
    description: str | None = None
    parameters: dict[str, object] | None = None


class ToolBody(Body):
    type: str
    function: FunctionBody | None = None


def tool(name: str, description: str | None, parameters: dict[str, object] | None) -> Tool:
    if parameters is None:
        return Tool(name, description or "")
    return Tool(name, description or "", json.dumps(parameters, ensure_ascii=False))


def tools(bodies: Sequence[ToolBody]) -> tuple[Tool, ...]:
    """Raises BadRequest, UnsupportedParameter."""
    found = []
    for at, body in enumerate(bodies):
        if body.type != "function":
            raise UnsupportedParameter(f"tools[{at}].type", f"Tools of the type '{body.type[:40]}' are not supported.")
        if body.function is None:
            raise BadRequest(f"'tools[{at}].function' is missing.", f"tools[{at}].function")
        found.append(tool(body.function.name, body.function.description, body.function.parameters))
    return tuple(found)


def tool_choice(choice: object, offered: tuple[Tool, ...]) -> tuple[tuple[Tool, ...], ToolChoice]:
    """The tools that may be called, and whether they must. Raises BadRequest, UnsupportedParameter."""
    match choice:
        case None:
            return offered, "auto"
        case "none":
            return (), "none"
        case "auto":
            return offered, "auto"
        case "required":
            if not offered:
                raise BadRequest("'tool_choice' requires a tool, but there are none in 'tools'.", "tool_choice")
            return offered, "required"
        case {"type": "function", "function": {"name": str(name)}} | {"type": "function", "name": str(name)}:
            return named_tool(name, offered)
        case {"type": "allowed_tools", "allowed_tools": {"mode": "auto" | "required" as mode, "tools": list(allowed)}}:
            return tool_choice(mode, _allowed(allowed, offered))
        case {"type": "allowed_tools", "mode": "auto" | "required" as mode, "tools": list(allowed)}:
            return tool_choice(mode, _allowed(allowed, offered))
        case {"type": str(kind)} if kind not in ("function", "allowed_tools"):
            raise UnsupportedParameter("tool_choice", f"A tool choice of the type '{kind[:40]}' is not supported.")
    raise BadRequest("'tool_choice' must be none, auto, required, or an object that names a function.", "tool_choice")


def named_tool(name: str, offered: tuple[Tool, ...]) -> tuple[tuple[Tool, ...], ToolChoice]:
    """Raises BadRequest where there is no such tool."""
    if all(tool.name != name for tool in offered):
        raise BadRequest(f"'tool_choice' names '{name[:100]}', which is not in 'tools'.", "tool_choice")
    return offered, NamedTool(name)


def may_be_several(choice: ToolChoice, parallel: bool | None) -> bool:
    """Whether an answer may hold more than one call. Who names one tool wants it called once: a small model that may
    go on calls it over and over."""
    return parallel is not False and not isinstance(choice, NamedTool)


def _allowed(allowed: Sequence[object], offered: tuple[Tool, ...]) -> tuple[Tool, ...]:
    names = set()
    for each in allowed:
        match each:
            case {"function": {"name": str(name)}} | {"name": str(name)}:
                names.add(name)
            case _:
                raise BadRequest("'tool_choice' allows something that is no function.", "tool_choice")
    return tuple(tool for tool in offered if tool.name in names)
