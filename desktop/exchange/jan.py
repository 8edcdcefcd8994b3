"""Jan's threads: a folder with `thread.json` beside `messages.jsonl`, one message a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from desktop.exchange.records import Builder, Exchanged
from desktop.store.records import Role

SOURCE = "jan"
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}


def is_thread(folder: Path) -> bool:
    return (folder / "thread.json").is_file() and (folder / "messages.jsonl").is_file()


def read_thread(folder: Path) -> Exchanged | None:
    """Raises OSError, and LookupError, TypeError, ValueError where it is damaged."""
    thread = json.loads((folder / "thread.json").read_text(encoding="utf-8"))
    lines = (folder / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    messages = sorted((json.loads(each) for each in lines if each.strip()), key=lambda m: _seconds(m.get("created_at")))
    created = _seconds(thread.get("created"))
    title = str(thread.get("title") or (thread.get("metadata") or {}).get("title") or "")
    builder = Builder(SOURCE, str(thread.get("id") or folder.name), title, created, _seconds(thread.get("updated")))
    parent: str | None = None
    for number, message in enumerate(messages):
        role = _ROLES.get(str(message.get("role")))
        text = _text(message)
        if role is not None and text:
            node_id = str(message.get("id") or number)
            builder.add(node_id, parent, role, text, _seconds(message.get("created_at")))
            parent = node_id
    return builder.built(parent)


def _text(message: Mapping[str, Any]) -> str:
    parts = [part.get("text") for part in message.get("content") or () if part.get("type") == "text"]
    return "\n\n".join(str(part.get("value") or "") for part in parts if isinstance(part, dict))


def _seconds(time: object) -> float:
    """Jan has written seconds and milliseconds."""
    value = float(time) if isinstance(time, int | float) else 0.0
    return value / 1000 if value > 1e11 else value
