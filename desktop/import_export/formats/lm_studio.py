"""LM Studio's `*.conversation.json`: a line of messages, each with its versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desktop.import_export.formats.json_values import as_list, as_mapping, as_seconds, as_text
from desktop.import_export.records import Builder, PortableChat
from desktop.store.records import Role

SOURCE = "lm-studio"


def recognises(element: object) -> bool:
    return any("versions" in as_mapping(message) for message in as_list(as_mapping(element).get("messages")))


def read(data: Mapping[str, Any]) -> Iterator[PortableChat]:
    """Every version becomes a branch; what follows stands below the version that was selected. Raises ValueError where
    it is damaged."""
    title = as_text(data.get("name"))
    foreign_id = f"{data.get('createdAt')}/{title}"
    builder = Builder(SOURCE, foreign_id, title, as_seconds(data.get("createdAt"), 0.001), 0.0)
    parent: str | None = None
    if system := as_text(data.get("systemPrompt")):
        builder.add("system", None, "system", system)
        parent = "system"
    for place, message in enumerate(as_list(data.get("messages"))):
        if not isinstance(as_mapping(message).get("versions"), list):
            builder.skip()
            continue
        parent = _add_versions(builder, place, message, parent) or parent
    if (found := builder.built(parent)) is not None:
        yield found


def _add_versions(builder: Builder, place: int, message: Mapping[str, Any], parent: str | None) -> str | None:
    """The version that was selected, or the first one that says something."""
    chosen: str | None = None
    for number, version in enumerate(message["versions"]):
        said = _said(as_mapping(version))
        if said is None:
            builder.skip()
            continue
        text, reasoning = said
        if not text:
            continue
        node_id = f"{place}.{number}"
        role: Role = "assistant" if version.get("role") == "assistant" else "user"
        builder.add(node_id, parent, role, text, reasoning=reasoning)
        if chosen is None or number == message.get("currentlySelected"):
            chosen = node_id
    return chosen


def _said(version: Mapping[str, Any]) -> tuple[str, str] | None:
    """The words, and what was thought before; None where they cannot be read."""
    blocks = [version] if "content" in version else [as_mapping(each) for each in as_list(version.get("steps"))]
    text: list[str] = []
    reasoning: list[str] = []
    for block in blocks:
        if "content" not in block:
            continue
        words = _words(block["content"])
        if words is None:
            return None
        thought = as_mapping(block.get("style")).get("type") == "thinking"
        (reasoning if thought else text).append(words)
    return "\n\n".join(filter(None, text)), "\n\n".join(filter(None, reasoning))


def _words(content: object) -> str | None:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    parts = map(as_mapping, content)
    return "".join(as_text(part.get("text")) for part in parts if part.get("type") == "text")
