"""Reads the data export of ChatGPT: `conversations.json`, a list of conversations, each with its messages as nodes by
id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desktop.import_export.formats.chat_builder import ROLES, ChatBuilder, parents_first
from desktop.import_export.formats.foreign_json import as_list, as_mapping, as_seconds, as_text
from desktop.import_export.records import PortableChat

SOURCE = "chatgpt"


def recognises(element: object) -> bool:
    return isinstance(element, dict) and "mapping" in element


def read(data: Mapping[str, Any]) -> Iterator[PortableChat]:
    """Yields the chat of a conversation, nothing if it has no messages. Raises TypeError or ValueError if it is
    malformed."""
    if not isinstance(data["mapping"], dict):
        raise TypeError("it has no tree of messages")
    nodes: dict[str, Any] = data["mapping"]
    created = as_seconds(data.get("create_time"))
    title = as_text(data.get("title"))
    foreign_id = as_text(data.get("conversation_id")) or as_text(data.get("id")) or f"{created}/{title}"
    builder = ChatBuilder(SOURCE, foreign_id, title, created, as_seconds(data.get("update_time")))
    visible: dict[str, str | None] = {}
    """For each node id: the same id if the node has a visible message, otherwise the id of the nearest ancestor that
    has one."""
    parents, order = _tree(nodes)
    for node_id in parents_first(parents, order):
        parent = parents[node_id]
        visible[node_id] = visible.get(parent) if parent is not None else None
        if not isinstance(nodes[node_id], dict):
            builder.skip()
        elif _add(builder, node_id, visible[node_id], nodes[node_id].get("message")):
            visible[node_id] = node_id
    found = builder.built(visible.get(as_text(data.get("current_node"))), archived=data.get("is_archived") is True)
    if found is not None:
        yield found


def _tree(nodes: Mapping[str, Any]) -> tuple[dict[str, str | None], dict[str, int]]:
    """Returns the parent of each node, and the position of each node among its siblings.

    Both the `parent` and the `children` of the nodes are read: newer exports omit some `children`, and some nodes have
    no `parent`."""
    listed: dict[str, str] = {}
    order: dict[str, int] = {}
    for node_id, node in nodes.items():
        for position, child in enumerate(as_list(as_mapping(node).get("children"))):
            if isinstance(child, str) and child in nodes:
                listed.setdefault(child, node_id)
                order.setdefault(child, position)
    parents: dict[str, str | None] = {}
    for node_id, node in nodes.items():
        parent = as_mapping(node).get("parent")
        parents[node_id] = parent if isinstance(parent, str) and parent in nodes else listed.get(node_id)
    return parents, order


def _add(builder: ChatBuilder, node_id: str, parent: str | None, message: object) -> bool:
    """Adds the message of a node. Returns False if nothing was added: the message is missing, malformed, empty, or
    hidden from the user."""
    if message is None:
        return False
    if not isinstance(message, dict) or not isinstance(message.get("author"), dict):
        builder.skip()
        return False
    metadata = as_mapping(message.get("metadata"))
    role = ROLES.get(as_text(message["author"].get("role")))
    text = _text(as_mapping(message.get("content")))
    if role is None or not text or metadata.get("is_visually_hidden_from_conversation"):
        return False
    if role == "assistant" and message.get("recipient") not in (None, "all"):
        return False  # the message is addressed to a tool
    model = as_text(metadata.get("model_slug"))
    builder.add(node_id, parent, role, text, as_seconds(message.get("create_time")), model)
    return True


def _text(content: Mapping[str, Any]) -> str:
    match content.get("content_type"):
        case "text" | "multimodal_text":
            parts = as_list(content.get("parts"))
            return "\n\n".join(part for part in parts if isinstance(part, str) and part.strip())
        case "code":
            return f"```\n{as_text(content.get('text'))}\n```"
        case _:
            return ""
