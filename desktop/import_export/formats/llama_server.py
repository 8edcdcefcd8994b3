"""The export of llama-server's web page: one conversation, or a list of them, each a tree of messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desktop.import_export.formats.json_values import as_list, as_mapping, as_message_text, as_seconds, as_text
from desktop.import_export.records import ROLES, Builder, PortableChat, parents_first

SOURCE = "llama-server"
MS = 0.001


def recognises(element: object) -> bool:
    return isinstance(element, dict) and "conv" in element and "messages" in element


def read(data: Mapping[str, Any]) -> Iterator[PortableChat]:
    """Times are milliseconds; the root is a node that says nothing. Raises TypeError, ValueError where damaged."""
    conv = data["conv"]
    if not isinstance(conv, dict) or not isinstance(data["messages"], list):
        raise TypeError("it has no messages")
    messages = sorted(as_list(data["messages"]), key=_when)
    updated = as_seconds(conv.get("lastModified"), MS)
    created = min((when for each in messages if (when := _when(each))), default=updated)
    title = as_text(conv.get("name"))
    builder = Builder(SOURCE, as_text(conv.get("id")) or f"{created}/{title}", title, created, updated)
    nodes = {as_text(as_mapping(each).get("id")) or f"#{number}": each for number, each in enumerate(messages)}
    parents = {node_id: as_text(as_mapping(node).get("parent")) or None for node_id, node in nodes.items()}
    for node_id in parents_first(parents):
        message = as_mapping(nodes[node_id])
        if message.get("type") == "root" or (message and as_text(message.get("role")) not in ROLES):
            continue
        text = as_message_text(message.get("content"))
        if text is None:
            builder.skip()
            continue
        reasoning = as_text(message.get("reasoningContent")) or as_text(message.get("thinking"))
        role, model = ROLES[as_text(message["role"])], as_text(message.get("model"))
        builder.add(node_id, parents[node_id], role, text, _when(message), model, reasoning)
    if (found := builder.built(as_text(conv.get("currNode")))) is not None:
        yield found


def _when(message: object) -> float:
    return as_seconds(as_mapping(message).get("timestamp"), MS)
