"""LM Studio's `*.conversation.json`: a line of messages, each with its versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desktop.exchange.records import Builder, Exchanged
from desktop.store.records import Role

SOURCE = "lm-studio"


def recognises(data: object) -> bool:
    if not isinstance(data, dict) or not isinstance(data.get("messages"), list):
        return False
    return any(isinstance(message, dict) and "versions" in message for message in data["messages"])


def read(data: Any) -> Iterator[Exchanged]:
    """Every version becomes a branch; what follows stands below the version that was selected."""
    created = float(data.get("createdAt") or 0) / 1000
    title = str(data.get("name") or "")
    builder = Builder(SOURCE, f"{data.get('createdAt')}/{title}", title, created, 0.0)
    parent: str | None = None
    if system := str(data.get("systemPrompt") or ""):
        builder.add("system", None, "system", system)
        parent = "system"
    for place, message in enumerate(data["messages"]):
        chosen: str | None = None
        for number, version in enumerate(message["versions"]):
            text, reasoning = _said(version)
            if not text:
                continue
            node_id = f"{place}.{number}"
            role: Role = "assistant" if version.get("role") == "assistant" else "user"
            builder.add(node_id, parent, role, text, reasoning=reasoning)
            if chosen is None or number == message.get("currentlySelected"):
                chosen = node_id
        parent = chosen or parent
    if (found := builder.built(parent)) is not None:
        yield found


def _said(version: Mapping[str, Any]) -> tuple[str, str]:
    """The words, and what was thought before."""
    blocks = [version] if "content" in version else [s for s in version.get("steps", ()) if "content" in s]
    text: list[str] = []
    reasoning: list[str] = []
    for block in blocks:
        style = block.get("style")
        thought = isinstance(style, dict) and style.get("type") == "thinking"
        (reasoning if thought else text).append(_words(block["content"]))
    return "\n\n".join(filter(None, text)), "\n\n".join(filter(None, reasoning))


def _words(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text") or "") for part in content if part.get("type") == "text")
