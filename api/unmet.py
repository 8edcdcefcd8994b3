"""What a finished answer breaks of the schemas that could not be enforced while it was written."""

from __future__ import annotations

import json

from api.answer import Answer
from engine.output.constraints.schema_check import unmet_keywords
from engine.requests import ChatRequest, EmbedRequest, Request


def unmet(request: Request | EmbedRequest, answer: Answer) -> tuple[str, ...]:
    """Keywords with their places, a tool's with its name before. Nothing of an answer that was cut off."""
    if not answer.not_enforced or answer.finished.reason == "length" or isinstance(request, EmbedRequest):
        return ()
    found: list[str] = []
    if request.constraint is not None and request.constraint.kind == "json_schema" and not answer.calls:
        found += _unmet(answer.text, request.constraint.source)
    schemas = {tool.name: tool.parameters for tool in request.tools} if isinstance(request, ChatRequest) else {}
    for call in answer.calls:
        found += [f"{call.name}: {each}" for each in _unmet(call.arguments, schemas.get(call.name, "true"))]
    return tuple(dict.fromkeys(found))


def _unmet(text: str, schema: str) -> tuple[str, ...]:
    try:
        return unmet_keywords(json.loads(text), json.loads(schema))
    except (ValueError, RecursionError):
        return ()
