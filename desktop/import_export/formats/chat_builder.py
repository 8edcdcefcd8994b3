"""Builds chats from exports of other programs. The messages form a tree, ids are the same in each import, and reasoning
is separated from the text.

A “foreign” id or role is one of the other program.
"""

from __future__ import annotations

import html
import re
import uuid
from collections import defaultdict
from collections.abc import Mapping

from desktop.import_export.records import PortableChat
from desktop.platform.surrogates import well_formed
from desktop.store.records import Chat, ChatMessage, Role

ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
"""Maps each role name that other programs use to Inglenook's role."""

_ID_NAMESPACE = uuid.UUID("5d0f9c0e-4645-4a8e-9d5e-1f2b7c3a6e10")
_DETAILS = re.compile(
    r"<details\s([^<>]*)>(.*?)(?:</details>|\Z)", re.DOTALL
)  # attribute values are HTML-escaped, so that they contain no `<`
_ATTRIBUTE = re.compile(r'([a-z_]+)="([^"]*)"')
_SUMMARY = re.compile(r"\s*<summary>.*?</summary>", re.DOTALL)
_THINK = re.compile(r"\s*<think>(.*?)(?:</think>|\Z)", re.DOTALL)


def stable_id(source: str, foreign: str) -> str:
    """Derives the id of a chat or message from its id in the program `source`. The result is the same each time, so
    that a second import recognises the chat."""
    return uuid.uuid5(_ID_NAMESPACE, f"{source}:{well_formed(foreign)}").hex


def parents_first(parents: Mapping[str, str | None], order: Mapping[str, int] | None = None) -> list[str]:
    """Sorts the keys of `parents`, a mapping from node to parent, so that each node follows its parent.

    A node with an unknown parent is a root. A cycle is cut at its first node. If `order` is given, siblings are sorted
    by it."""
    children: dict[str, list[str]] = defaultdict(list)
    roots: list[str] = []
    for node, parent in parents.items():
        (children[parent] if parent is not None and parent in parents else roots).append(node)
    if order is not None:
        for each in children.values():
            each.sort(key=lambda node: order.get(node, len(order)))
    ordered: dict[str, None] = {}
    for start in (*roots, *parents):  # after the roots, only nodes on cycles are left
        waiting = [start]
        while waiting:
            node = waiting.pop()
            if node not in ordered:
                ordered[node] = None
                waiting += reversed(children[node])
    return list(ordered)


class ChatBuilder:
    """Builds one chat from a conversation of another program. `source` is the name of the program; times are in Unix
    seconds."""

    def __init__(self, source: str, foreign_id: str, title: str, created_s: float, updated_s: float) -> None:
        self._source = source
        self._id = stable_id(source, foreign_id)
        self._title = " ".join(well_formed(title).split()) or "…"
        self._times = created_s, max(created_s, updated_s)
        self._messages: dict[str, ChatMessage] = {}
        self._n_unread = 0

    def add(
        self,
        foreign_id: str,
        parent: str | None,
        role: Role,
        text: str,
        created_s: float = 0.0,
        model_id: str = "",
        reasoning: str = "",
    ) -> None:
        """Adds a message below the message with the foreign id `parent`. If no such message was added before, the new
        message is a root."""
        known = self._messages.get(parent) if parent is not None else None
        seconds = 0.0
        if role == "assistant" and not reasoning:
            text, reasoning, seconds = split_reasoning(text)
        self._messages[foreign_id] = ChatMessage(
            stable_id(self._source, f"{self._id}/{foreign_id}"),
            self._id,
            known.id if known else None,
            role,
            well_formed(text),
            "complete",
            created_s or self._times[0],
            well_formed(model_id),
            reasoning=well_formed(reasoning),
            reasoning_s=seconds,
        )

    def skip(self) -> None:
        """Counts a message that could not be read."""
        self._n_unread += 1

    def built(self, leaf: str | None = None, pinned: bool = False, archived: bool = False) -> PortableChat | None:
        """Returns the chat, None if it has no messages.

        `leaf` is the foreign id of the last message of the branch to show. If `leaf` is unknown, the newest message is
        used instead. Raises ValueError if the conversation has messages but none of them could be read."""
        if not self._messages:
            if self._n_unread:
                raise ValueError("none of its messages could be read")
            return None
        shown = self._messages.get(leaf) if leaf is not None else None
        last = shown or max(reversed(self._messages.values()), key=lambda message: message.created_s)
        title = self._title[:200]
        chat = Chat(self._id, title, *self._times, pinned, last.id, titled_by="person", archived=archived)
        return PortableChat(chat, tuple(self._messages.values()), n_unread=self._n_unread)


def split_reasoning(text: str) -> tuple[str, str, float]:
    """Splits an answer into its text, its reasoning, and the duration of the reasoning in seconds (0 if unknown).

    Reasoning is either in `<think>` at the start of the answer, or in the `<details type="reasoning">` of Open WebUI,
    with `>` before each line. Tool calls of Open WebUI (`<details type="tool_calls">`) become code blocks."""
    reasoning: list[str] = []
    seconds = 0.0

    def replaced(found: re.Match[str]) -> str:
        nonlocal seconds
        attributes = dict(_ATTRIBUTE.findall(found[1]))
        if attributes.get("type") == "reasoning":
            summary = _SUMMARY.match(found[2])
            reasoning.append(_unquoted(found[2][summary.end() :] if summary else found[2]))
            duration = attributes.get("duration", "")
            seconds += float(duration) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", duration) else 0.0
            return ""
        if attributes.get("type") == "tool_calls":
            return f"```json\n{html.unescape(attributes.get('name', ''))} {_arguments(attributes)}\n```\n"
        return found[0]

    if "<details " in text:
        text = _DETAILS.sub(replaced, text)
    if thought := _THINK.match(text):
        reasoning.append(thought[1].strip())
        text = text[thought.end() :]
    if not reasoning:
        return text, "", 0.0
    return text.strip(), "\n\n".join(filter(None, reasoning)), seconds


def _arguments(attributes: dict[str, str]) -> str:
    return html.unescape(attributes.get("arguments", "")).replace("```", "` ` `")


def _unquoted(text: str) -> str:
    lines = html.unescape(text).strip().split("\n")
    return "\n".join(re.sub(r"^> ?", "", line) for line in lines).strip()
