"""The export of llama-server's web page: one conversation, or a list of them, each a tree of messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desktop.exchange.records import Builder, Exchanged
from desktop.store.records import Role

SOURCE = "llama-server"
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}


def recognises(data: object) -> bool:
    first = data[0] if isinstance(data, list) and data else data
    return isinstance(first, dict) and isinstance(first.get("conv"), dict) and "messages" in first


def read(data: Any) -> Iterator[Exchanged]:
    for each in data if isinstance(data, list) else [data]:
        if (found := _conversation(each["conv"], each["messages"])) is not None:
            yield found


def _conversation(conv: Mapping[str, Any], messages: list[Mapping[str, Any]]) -> Exchanged | None:
    """Times are milliseconds. The root is a node that says nothing."""
    updated = float(conv.get("lastModified") or 0) / 1000
    created = min((float(m["timestamp"]) / 1000 for m in messages if m.get("timestamp")), default=updated)
    builder = Builder(SOURCE, str(conv["id"]), str(conv.get("name") or ""), created, updated)
    for message in sorted(messages, key=lambda each: float(each.get("timestamp") or 0)):
        if message.get("type") == "root" or message.get("role") not in _ROLES:
            continue
        builder.add(
            str(message["id"]),
            str(message.get("parent")),
            _ROLES[message["role"]],
            str(message.get("content") or ""),
            float(message.get("timestamp") or 0) / 1000,
            str(message.get("model") or ""),
            str(message.get("reasoningContent") or message.get("thinking") or ""),
        )
    return builder.built(str(conv.get("currNode")))
