"""Reads the chat export of Open WebUI: a list of chats, each with a tree of messages by id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desktop.import_export.formats.chat_builder import ROLES, ChatBuilder, parents_first
from desktop.import_export.formats.foreign_json import as_list, as_mapping, as_message_text, as_seconds, as_text
from desktop.import_export.records import PortableChat

SOURCE = "open-webui"


def recognises(element: object) -> bool:
    return isinstance(element, dict) and "chat" in element


def read(data: Mapping[str, Any]) -> Iterator[PortableChat]:
    """Yields the chat of a conversation, nothing if it has no messages. Raises TypeError or ValueError if the
    conversation is malformed."""
    chat = data["chat"]
    if not isinstance(chat, dict):
        raise TypeError("it has no messages")
    history = as_mapping(chat.get("history"))
    nodes = _nodes(history.get("messages") or chat.get("messages") or {})
    title = as_text(data.get("title")) or as_text(chat.get("title"))
    foreign_id = as_text(data.get("id")) or as_text(chat.get("id")) or title
    created, updated = as_seconds(data.get("created_at")), as_seconds(data.get("updated_at"))
    builder = ChatBuilder(SOURCE, foreign_id, title, created, updated)
    parents = {node_id: as_text(as_mapping(node).get("parentId")) or None for node_id, node in nodes.items()}
    for node_id in parents_first(parents):
        node = as_mapping(nodes[node_id])
        text = as_message_text(node.get("content") if node.get("content") is not None else "")
        if not node or text is None:
            builder.skip()
            continue
        role = ROLES.get(as_text(node.get("role")), "user")
        time, model = as_seconds(node.get("timestamp")), as_text(node.get("model"))
        builder.add(node_id, parents[node_id], role, text, time, model)
    found = builder.built(as_text(history.get("currentId")), data.get("pinned") is True, data.get("archived") is True)
    if found is not None:
        yield found


def _nodes(messages: object) -> dict[str, Any]:
    """Returns the messages by id. Older exports contain a list of messages instead of an object."""
    if isinstance(messages, dict):
        return messages
    return {as_text(as_mapping(each).get("id")) or f"#{number}": each for number, each in enumerate(as_list(messages))}
