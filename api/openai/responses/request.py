"""The responses API → the engine's request. Pure: ids come from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from api.errors import BadRequest, UnsupportedParameter
from api.fields.constraints import schema
from api.fields.sampling import sampling
from api.fields.tools import may_be_several, tool, tool_choice
from api.fields.unsupported_params import reject_unsupported
from api.openai.chat.request import effort_of
from api.openai.responses.items import Item, flat_name, messages
from api.openai.responses.schemas import ResponsesBody
from engine.requests import ChatRequest, Constraint, Message, Tool, ToolChoice

SCORES = "message.output_text.logprobs"


def responses_request(body: ResponsesBody, items: Sequence[Item], request_id: str) -> ChatRequest:
    """`items`: the whole conversation, with what was said before. Raises BadRequest, UnsupportedParameter."""
    reject_unsupported(body.model_extra or {})
    for name in ("background", "conversation", "prompt"):
        if getattr(body, name):
            raise UnsupportedParameter(name)
    said = messages(items)
    if body.instructions:
        said.insert(0, Message("system", body.instructions))
    if not said:
        raise BadRequest("'input' is missing.", "input")
    offered, choice = _tools(body)
    thinking, effort = effort_of(body.reasoning.effort if body.reasoning else None, "reasoning.effort")
    return ChatRequest(
        messages=tuple(said),
        origin="endpoint",
        use_cache=body.use_cache,
        sampling=sampling(body),
        tools=offered,
        tool_choice=choice,
        parallel_tool_calls=may_be_several(choice, body.parallel_tool_calls),
        thinking=thinking,
        effort=effort,
        constraint=_constraint(body),
        max_tokens=body.max_output_tokens,
        n_logprobs=(body.top_logprobs or 0) if SCORES in (body.include or ()) else None,
        id=request_id,
    )


def function_tools(body: ResponsesBody) -> list[dict[str, object]]:
    """The tools that are not skipped, as they came."""
    return [each for each in body.tools or () if each.get("type") in ("function", "namespace")]


def namespaces(body: ResponsesBody) -> dict[str, tuple[str, str]]:
    """Namespace and name of each function that has both, by the name under which the model knows it."""
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
    for at, given in enumerate(body.tools or ()):
        match given:
            case {"type": "function"}:
                found.append(_function(given, None, f"tools[{at}]"))
            case {"type": "namespace", "tools": list(inner), **more}:
                namespace = more.get("name")
                found += [
                    _function(each, namespace, f"tools[{at}].tools[{n}]")
                    for n, each in enumerate(inner)
                    if not isinstance(each, dict) or each.get("type", "function") == "function"
                ]
            case {"type": "namespace"}:
                raise BadRequest(f"'tools[{at}]' needs a list of tools.", f"tools[{at}].tools")
    offered, choice = tool_choice(_flat_choice(body.tool_choice, namespaces(body)), tuple(found))
    return (offered, choice) if offered else ((), "auto")


def _function(given: object, namespace: object, path: str) -> Tool:
    match given:
        case {"name": str(name), **more} if 0 < len(name) <= 256:
            description, parameters = more.get("description"), more.get("parameters")
            if isinstance(description, str | None) and isinstance(parameters, dict | None):
                return tool(flat_name(namespace, name), description, parameters)
    raise BadRequest(f"'{path}' needs a name, and parameters that are a schema.", path)


def _flat_choice(choice: object, known: Mapping[str, tuple[str, str]]) -> object:
    """A choice that names a function of a namespace, with the name under which the model knows it."""
    match choice:
        case {"type": "function", "name": str(name), **more}:
            asked = flat_name(more.get("namespace"), name)
            inner = [flat for flat, (_, own) in known.items() if own == name]
            return {"type": "function", "name": inner[0] if asked not in known and len(inner) == 1 else asked}
    return choice


def _constraint(body: ResponsesBody) -> Constraint | None:
    asked = body.text.format if body.text else None
    if asked is None or asked.type == "text":
        return None
    if asked.type == "json_object":
        return Constraint("json_object")
    if asked.type != "json_schema" or asked.schema_ is None:
        raise BadRequest("'text.format' must be text, json_object, or json_schema with its schema.", "text.format")
    return schema(asked.schema_, strict=bool(asked.strict))
