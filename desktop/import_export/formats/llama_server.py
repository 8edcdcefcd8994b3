"""Reads exports of the web page of llama-server: one conversation or a list of conversations, each a tree of
messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desktop.import_export.formats.chat_builder import ROLES, ChatBuilder, parents_first
from desktop.import_export.formats.foreign_json import as_list, as_mapping, as_message_text, as_seconds, as_text
from desktop.import_export.records import PortableChat

SOURCE = "llama-server"
MS_IN_S = 0.001


def recognises(element: object) -> bool:
    return isinstance(element, dict) and "conv" in element and "messages" in element


def read(data: Mapping[str, Any]) -> Iterator[PortableChat]:
    """Yields the chat of a conversation, nothing if it has no messages. Times in the export are in milliseconds, and
    the root message has no text. Raises TypeError or ValueError if the conversation is malformed."""
    conv = data["conv"]
    if not isinstance(conv, dict) or not isinstance(data["messages"], list):
        raise TypeError("it has no messages")
    messages = sorted(as_list(data["messages"]), key=_timestamp)
    updated = as_seconds(conv.get("lastModified"), MS_IN_S)
    created = min((time for each in messages if (time := _timestamp(each))), default=updated)
    title = as_text(conv.get("name"))
    builder = ChatBuilder(SOURCE, as_text(conv.get("id")) or f"{created}/{title}", title, created, updated)
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
        builder.add(node_id, parents[node_id], role, text, _timestamp(message), model, reasoning)
    if (found := builder.built(as_text(conv.get("currNode")))) is not None:
        yield found


def _timestamp(message: object) -> float:
    return as_seconds(as_mapping(message).get("timestamp"), MS_IN_S)
