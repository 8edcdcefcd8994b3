"""The responses API → the engine's request. Pure: ids come from outside."""

from __future__ import annotations

from collections.abc import Sequence

from api.errors import BadRequest, NotKept
from api.openai.chat_request import effort_of
from api.openai.formats import schema
from api.openai.responses.items import Item, messages
from api.openai.responses.schemas import ResponsesBody
from api.openai.tools import may_be_several, tool, tool_choice
from api.sampler import SamplerFields, sampling
from engine.requests import ChatRequest, Constraint, Message, Tool, ToolChoice

SCORES = "message.output_text.logprobs"


def responses_request(body: ResponsesBody, items: Sequence[Item], request_id: str) -> ChatRequest:
    """`items`: the whole conversation, with what was said before. Raises BadRequest, NotKept."""
    for name in ("background", "conversation", "prompt"):
        if getattr(body, name):
            raise NotKept(name)
    said = messages(items)
    if body.instructions:
        said.insert(0, Message("system", body.instructions))
    if not said:
        raise BadRequest("'input' is missing.", "input")
    offered, choice = _tools(body)
    limit = _constraint(body)
    if limit is not None and offered:
        raise BadRequest("An answer's format cannot be constrained beside tools that may be called.", "text.format")
    thinking, effort = effort_of(body.reasoning.effort if body.reasoning else None, "reasoning.effort")
    return ChatRequest(
        messages=tuple(said),
        door="endpoint",
        sampling=sampling(SamplerFields(temperature=body.temperature, top_p=body.top_p)),
        tools=offered,
        tool_choice=choice,
        parallel_tool_calls=may_be_several(choice, body.parallel_tool_calls),
        thinking=thinking,
        effort=effort,
        constraint=limit,
        max_tokens=body.max_output_tokens,
        n_logprobs=(body.top_logprobs or 0) if SCORES in (body.include or ()) else None,
        id=request_id,
    )


def function_tools(body: ResponsesBody) -> list[dict[str, object]]:
    """The tools that are not skipped, as they came."""
    return [each for each in body.tools or () if each.get("type") == "function"]


def _tools(body: ResponsesBody) -> tuple[tuple[Tool, ...], ToolChoice]:
    found = []
    for at, given in enumerate(function_tools(body)):
        match given:
            case {"name": str(name)} if 0 < len(name) <= 256:
                description, parameters = given.get("description"), given.get("parameters")
                if isinstance(description, str | None) and isinstance(parameters, dict | None):
                    found.append(tool(name, description, parameters))
                    continue
        raise BadRequest(f"'tools[{at}]' needs a name, and parameters that are a schema.", f"tools[{at}]")
    offered, choice = tool_choice(body.tool_choice, tuple(found))
    return (offered, choice) if offered else ((), "auto")


def _constraint(body: ResponsesBody) -> Constraint | None:
    asked = body.text.format if body.text else None
    if asked is None or asked.type == "text":
        return None
    if asked.type == "json_object":
        return Constraint("json_object")
    found = schema(asked.schema_)
    if asked.type != "json_schema" or found is None:
        raise BadRequest("'text.format' must be text, json_object, or json_schema with its schema.", "text.format")
    return found
