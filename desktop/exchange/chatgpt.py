"""ChatGPT's data export: `conversations.json`, a list of conversations, each a tree of nodes by id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desktop.exchange.records import Builder, Exchanged
from desktop.store.records import Role

SOURCE = "chatgpt"
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}


def recognises(data: object) -> bool:
    return isinstance(data, list) and bool(data) and isinstance(data[0], dict) and "mapping" in data[0]


def read(data: Any) -> Iterator[Exchanged]:
    for conversation in data:
        if (found := _conversation(conversation)) is not None:
            yield found


def _conversation(data: Mapping[str, Any]) -> Exchanged | None:
    nodes: dict[str, Any] = data["mapping"]
    created = float(data.get("create_time") or 0)
    foreign_id = str(data.get("conversation_id") or data.get("id") or f"{created}/{data.get('title')}")
    builder = Builder(SOURCE, foreign_id, str(data.get("title") or ""), created, float(data.get("update_time") or 0))
    shown: dict[str, str | None] = {}
    """Each node's nearest one, itself or above it, that says something."""
    for node_id in _from_roots(nodes):
        node = nodes[node_id]
        parent = shown.get(str(node.get("parent")))
        shown[node_id] = parent
        message = node.get("message") or {}
        role = _ROLES.get((message.get("author") or {}).get("role", ""))
        text = _text(message.get("content") or {})
        if role is None or not text or (message.get("metadata") or {}).get("is_visually_hidden_from_conversation"):
            continue
        if role == "assistant" and message.get("recipient") not in (None, "all"):
            continue  # what it wrote to one of its tools
        model = str((message.get("metadata") or {}).get("model_slug") or "")
        builder.add(node_id, parent, role, text, float(message.get("create_time") or 0), model)
        shown[node_id] = node_id
    leaf = shown.get(str(data.get("current_node")))
    return builder.built(leaf, archived=data.get("is_archived") is True)


def _from_roots(nodes: Mapping[str, Any]) -> Iterator[str]:
    """Every node after its parent; a ring is left out."""
    waiting = [node_id for node_id, node in nodes.items() if node.get("parent") not in nodes]
    while waiting:
        node_id = waiting.pop()
        yield node_id
        children = [child for child in nodes[node_id].get("children") or () if child in nodes]
        waiting += reversed([child for child in children if nodes[child].get("parent") == node_id])


def _text(content: Mapping[str, Any]) -> str:
    match content.get("content_type"):
        case "text" | "multimodal_text":
            return "\n\n".join(part for part in content.get("parts") or () if isinstance(part, str) and part.strip())
        case "code":
            return f"```\n{content.get('text') or ''}\n```"
        case _:
            return ""
