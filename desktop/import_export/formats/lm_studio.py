"""Reads `*.conversation.json` files of LM Studio: a list of messages, each with one or more versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desktop.import_export.formats.chat_builder import ChatBuilder
from desktop.import_export.formats.foreign_json import as_list, as_mapping, as_seconds, as_text
from desktop.import_export.records import PortableChat
from desktop.store.records import Role

SOURCE = "lm-studio"


def recognises(element: object) -> bool:
    return any("versions" in as_mapping(message) for message in as_list(as_mapping(element).get("messages")))


def read(data: Mapping[str, Any]) -> Iterator[PortableChat]:
    """Yields the chat of a conversation, nothing if it has no messages. Each version of a message becomes a branch; the
    next message is added below the selected version. Raises ValueError if the conversation is malformed."""
    title = as_text(data.get("name"))
    foreign_id = f"{data.get('createdAt')}/{title}"
    builder = ChatBuilder(SOURCE, foreign_id, title, as_seconds(data.get("createdAt"), 0.001), 0.0)
    parent: str | None = None
    if system := as_text(data.get("systemPrompt")):
        builder.add("system", None, "system", system)
        parent = "system"
    for position, message in enumerate(as_list(data.get("messages"))):
        if not isinstance(as_mapping(message).get("versions"), list):
            builder.skip()
            continue
        parent = _add_versions(builder, position, message, parent) or parent
    if (found := builder.built(parent)) is not None:
        yield found


def _add_versions(builder: ChatBuilder, position: int, message: Mapping[str, Any], parent: str | None) -> str | None:
    """Adds all versions of a message. Returns the node id of the selected version, or of the first version with text if
    the selected one has none."""
    selected: str | None = None
    for number, version in enumerate(message["versions"]):
        content = _content(as_mapping(version))
        if content is None:
            builder.skip()
            continue
        text, reasoning = content
        if not text:
            continue
        node_id = f"{position}.{number}"
        role: Role = "assistant" if version.get("role") == "assistant" else "user"
        builder.add(node_id, parent, role, text, reasoning=reasoning)
        if selected is None or number == message.get("currentlySelected"):
            selected = node_id
    return selected


def _content(version: Mapping[str, Any]) -> tuple[str, str] | None:
    """Returns the text and the reasoning of a version, None if it cannot be read."""
    blocks = [version] if "content" in version else [as_mapping(each) for each in as_list(version.get("steps"))]
    text: list[str] = []
    reasoning: list[str] = []
    for block in blocks:
        if "content" not in block:
            continue
        part = _text(block["content"])
        if part is None:
            return None
        is_reasoning = as_mapping(block.get("style")).get("type") == "thinking"
        (reasoning if is_reasoning else text).append(part)
    return "\n\n".join(filter(None, text)), "\n\n".join(filter(None, reasoning))


def _text(content: object) -> str | None:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    parts = map(as_mapping, content)
    return "".join(as_text(part.get("text")) for part in parts if part.get("type") == "text")
