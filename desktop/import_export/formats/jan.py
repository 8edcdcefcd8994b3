"""Reads threads of Jan. A thread is a folder with `thread.json` and `messages.jsonl`, which contains one message per
line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from desktop.import_export.formats.chat_builder import ROLES, ChatBuilder
from desktop.import_export.formats.foreign_json import as_list, as_mapping, as_seconds, as_text, decoded
from desktop.import_export.records import PortableChat

SOURCE = "jan"


def is_thread(folder: Path) -> bool:
    return (folder / "thread.json").is_file() and (folder / "messages.jsonl").is_file()


def read_thread(folder: Path) -> PortableChat | None:
    """Returns the chat of a thread, None if it has no messages. Raises OSError, and ValueError or RecursionError if a
    file is malformed."""
    thread = as_mapping(json.loads(decoded((folder / "thread.json").read_bytes())))
    created = as_seconds(thread.get("created"))
    title = as_text(thread.get("title")) or as_text(as_mapping(thread.get("metadata")).get("title"))
    foreign_id = as_text(thread.get("id")) or folder.name
    builder = ChatBuilder(SOURCE, foreign_id, title, created, as_seconds(thread.get("updated")))
    # Not `splitlines`, which would also split at U+2028, U+0085 and others: messages contain these unescaped.
    lines = decoded((folder / "messages.jsonl").read_bytes()).split("\n")
    messages = [message for line in lines if line.strip() and (message := _message(builder, line))]
    parent: str | None = None
    for number, message in enumerate(sorted(messages, key=lambda each: as_seconds(each.get("created_at")))):
        role = ROLES.get(as_text(message.get("role")))
        text = _text(message)
        if role is not None and text:
            node_id = as_text(message.get("id")) or str(number)
            builder.add(node_id, parent, role, text, as_seconds(message.get("created_at")))
            parent = node_id
    return builder.built(parent)


def _message(builder: ChatBuilder, line: str) -> Mapping[str, Any]:
    try:
        found = as_mapping(json.loads(line))
    except (ValueError, RecursionError):
        found = {}
    if not found:
        builder.skip()
    return found


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = [part.get("text") for part in map(as_mapping, as_list(content)) if part.get("type") == "text"]
    return "\n\n".join(part if isinstance(part, str) else as_text(as_mapping(part).get("value")) for part in parts)
