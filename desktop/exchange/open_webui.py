"""Open WebUI's export of chats: a list, each with its history as a tree by id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desktop.exchange.records import Builder, Exchanged
from desktop.store.records import Role

SOURCE = "open-webui"
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}


def recognises(data: object) -> bool:
    return isinstance(data, list) and bool(data) and isinstance(data[0], dict) and isinstance(data[0].get("chat"), dict)


def read(data: Any) -> Iterator[Exchanged]:
    for each in data:
        if (found := _chat(each)) is not None:
            yield found


def _chat(data: Mapping[str, Any]) -> Exchanged | None:
    chat: Mapping[str, Any] = data["chat"]
    history = chat.get("history") or {}
    nodes: dict[str, Any] = history.get("messages") or {str(m.get("id")): m for m in chat.get("messages") or ()}
    title = str(data.get("title") or chat.get("title") or "")
    created, updated = float(data.get("created_at") or 0), float(data.get("updated_at") or 0)
    builder = Builder(SOURCE, str(data.get("id") or chat.get("id") or title), title, created, updated)
    # Parents come first: a message whose parent has not come yet waits for the next round.
    waiting = list(nodes)
    while waiting:
        later = []
        for node_id in waiting:
            node = nodes[node_id]
            parent = node.get("parentId")
            if parent in nodes and not builder.has(parent):
                later.append(node_id)
                continue
            role = _ROLES.get(str(node.get("role")), "user")
            text = str(node.get("content") or "")
            builder.add(node_id, parent, role, text, float(node.get("timestamp") or 0), str(node.get("model") or ""))
        if len(later) == len(waiting):  # a ring
            break
        waiting = later
    return builder.built(history.get("currentId"), data.get("pinned") is True, data.get("archived") is True)
